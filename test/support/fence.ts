// The fence of infra/kubernetes for other loops and installations than the manifests know: the same policies over other names,
// a binding and a Fence for each loop. What the policies say is the manifests' own text.

import { type Manifest, readCrds, readInstallation } from '../../infra/local/world/manifests.ts'

const definitions = await readCrds()
/** The definition of a Fence. */
export const FENCE_DEFINITION = definitions.find(({ metadata }) => metadata.name === 'fences.fencepost.dev') as Manifest
/** The Fences, that of the cleanup loop first, the policies, then their bindings: of infra/kubernetes as they are. */
export const FENCE_OBJECTS = (await readInstallation()).filter(({ kind }) => kind !== 'Namespace' && kind !== 'Lease')

/** Which fence. */
export interface FenceOptions {
  readonly installation: string
  /** Names of the Fences, `<installation>-<loop>`. */
  readonly names: readonly string[]
  /** What the loops write besides, as rules of a policy. */
  readonly rules?: readonly object[]
}

interface PolicyObject {
  readonly kind: string
  readonly metadata: { name: string }
  readonly spec: {
    policyName?: string
    paramRef?: { name: string }
    matchConditions?: { expression: string }[]
    matchConstraints: { resourceRules: object[] }
  }
}

const listed = (names: readonly string[]) => `[${names.map(name => `'${name}'`).join(', ')}]`

/** The policies, then their bindings. */
export function fencePolicies({ installation, names, rules = [] }: FenceOptions): object[] {
  const renamed = FENCE_OBJECTS.filter(({ kind }) => kind.startsWith('ValidatingAdmissionPolicy')).map(policy =>
    JSON.parse(JSON.stringify(policy).replaceAll('fencepost-fence-', `${installation}-fence-`)),
  )
  return renamed.flatMap((policy: PolicyObject) => {
    const { kind, metadata, spec } = policy
    if (kind === 'ValidatingAdmissionPolicyBinding') return spec.paramRef === undefined ? [policy] : []
    const [condition] = spec.matchConditions ?? []
    if (condition && metadata.name === `${installation}-fence-form`)
      condition.expression = `request.userInfo.username in ${listed(names.map(name => `fencepost:${name}`))}`
    if (condition && metadata.name === `${installation}-fence-guard`)
      condition.expression = `oldObject.metadata.name in ${listed(names)}`
    else spec.matchConstraints.resourceRules.push(...rules)
    if (metadata.name !== `${installation}-fence-token`) return [policy]
    const template = renamed.find((one: PolicyObject) => one.spec.paramRef !== undefined)
    return [policy, ...names.map(name => bindingOf(template, installation, name))]
  })
}

function bindingOf(template: PolicyObject, installation: string, name: string): object {
  const loop = name.slice(installation.length + 1)
  return {
    ...template,
    metadata: { name: `${installation}-fence-token-${loop}` },
    spec: { ...template.spec, paramRef: { ...template.spec.paramRef, name } },
  }
}

/** Fences that were never raised, and that may be deleted. */
export function fences(names: readonly string[]): object[] {
  const annotations = { 'fencepost.dev/allow-deletion': 'true' }
  return names.map(name => ({ apiVersion: 'fencepost.dev/v1', kind: 'Fence', metadata: { name, annotations } }))
}
