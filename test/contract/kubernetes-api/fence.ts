// What the fence of infra/kubernetes does on an API server: its definition and its policies as they are, in a group and under
// names of the suite's own, over the suite's Widgets. An API server takes a moment to judge by a new policy or a raised Fence,
// so what it comes to is waited for; what it must never do is not.

import { afterAll, beforeAll, describe } from 'vitest'
import { FENCE_DEFINITION, fencePolicies, fences } from '../../support/fence.ts'
import { describeRaises } from './fence-raises.ts'
import { describeFencedWrites } from './fence-writes.ts'
import type { Answer } from './http.ts'
import { MERGE, type Suite } from './suite.ts'

const ADMISSION = '/apis/admissionregistration.k8s.io/v1'
/** How long a server may take to act by what it was told, ms. */
export const WITHIN_MS = 30_000
/** Holders of two terms. */
export const [HOLDER, OTHER] = ['fn/request-1/nonce-1', 'fn/request-2/nonce-2']

/** The suite with its fence. */
export interface FenceSuite extends Suite {
  /** The definition's group. */
  readonly fenceGroup: string
  /** Path of all Fences. */
  readonly fences: string
  /** The Fence that the policies judge by. */
  readonly fence: string
  /** Makes a Fence that was never raised. */
  unraised(name: string): Promise<void>
  /** Sets a Fence's spec. */
  raise(spec: object | null, name?: string): Promise<Answer>
  /** Headers of a write as the virtual user, with the rights of an administrator; an empty holder is none. */
  as(token: string | undefined, holder?: string): Record<string, string>
  /** Creates a Widget. */
  create(headers: Record<string, string>, query?: string): Promise<Answer>
  /** Waits until the server judges by a token. */
  inForce(token: number): Promise<void>
}

/** Tells it of the server of `suite`. */
export function describeFence(suite: Suite): void {
  const { group, namespace, widgets, crds, request, fresh, widget, made } = suite
  const fenceGroup = `fence.${group}`
  const objects = `/apis/${fenceGroup}/v1/fences`
  const fence = `${namespace}-loop`
  const rule = { apiVersions: ['*'], operations: ['CREATE', 'UPDATE', 'DELETE'], scope: '*' }
  const rules = [{ ...rule, apiGroups: [group], resources: ['widgets', 'widgets/status'] }]
  /** The manifests' own text, in the suite's group. */
  const moved = <T>(object: T): T =>
    JSON.parse(
      JSON.stringify(object)
        .replaceAll('"fencepost.dev/v1"', `"${fenceGroup}/v1"`)
        .replaceAll('"fencepost.dev"', `"${fenceGroup}"`)
        .replaceAll('"fences.fencepost.dev"', `"fences.${fenceGroup}"`),
    )
  const policies = moved(fencePolicies({ installation: namespace, names: [fence], rules })) as {
    kind: string
    metadata: { name: string }
  }[]
  const pathOf = ({ kind }: { kind: string }) =>
    `${ADMISSION}/${kind.endsWith('Binding') ? 'validatingadmissionpolicybindings' : 'validatingadmissionpolicies'}`

  async function unraised(name: string): Promise<void> {
    for (const object of fences([name])) await made(objects, moved(object))
  }
  const raise = (spec: object | null, name = fence) => request('PATCH', `${objects}/${name}`, { spec }, MERGE)

  const as = (token: string | undefined, holder: string | undefined = HOLDER): Record<string, string> => ({
    'impersonate-user': `fencepost:${fence}`,
    'impersonate-group': 'system:masters',
    ...(token !== undefined && { 'impersonate-extra-fencepost.dev%2ftoken': token }),
    ...(holder !== '' && { 'impersonate-extra-fencepost.dev%2fholder': holder }),
  })
  const create = (headers: Record<string, string>, query = '') =>
    request('POST', `${widgets}${query}`, widget(fresh()), headers)

  async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
    for (const endsAt = performance.now() + WITHIN_MS; !(await isSo()); )
      if (performance.now() > endsAt) throw new Error(`not within ${WITHIN_MS} ms: ${what}`)
  }
  const inForce = (token: number) =>
    until(`token ${token} is in force`, async () => (await create(as(String(token)), '?dryRun=All')).status === 201)

  const fenceSuite: FenceSuite = { ...suite, fenceGroup, fences: objects, fence, unraised, raise, as, create, inForce }

  describe('the fence', () => {
    beforeAll(async () => {
      const definition = structuredClone(moved(FENCE_DEFINITION))
      await made(crds, definition)
      await until('Fences are served', async () => (await request('GET', objects)).status === 200)
      await unraised(fence)
      for (const policy of policies) await made(pathOf(policy), policy)
      await until('policies are in force', async () => {
        const answers = [await create(as(undefined), '?dryRun=All'), await create(as('7'), '?dryRun=All')]
        return answers.every(({ status }) => status === 403)
      })
    }, WITHIN_MS * 2)
    afterAll(async () => {
      for (const policy of policies) await request('DELETE', `${pathOf(policy)}/${policy.metadata.name}`)
      await request('DELETE', `${crds}/fences.${fenceGroup}`)
    })

    describeRaises(fenceSuite)
    describeFencedWrites(fenceSuite)
  })
}
