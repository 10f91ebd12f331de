// The stored ValidatingAdmissionPolicies, asked about a write: every policy with every one of its bindings and every parameter
// of those, in the order of their names. The first refusal is the answer, as upstream says it. Of the validation actions only
// Deny has an effect. Policies and bindings are never judged themselves, so that a broken one can be mended.
import { ApiError } from '../errors.ts'
import { apiVersionOf, type Kind } from '../kinds/kind.ts'
import type { KubeObject } from '../kinds/metadata.ts'
import { BINDINGS, POLICIES } from '../kinds/policy.ts'
import type { Entry } from '../store/store.ts'
import type { Admission, Review } from '../verbs/admission.ts'
import { type Api, current, fromEntry } from '../verbs/api.ts'
import { toCel } from './cel.ts'
import { type LabelSelector, type MatchResources, matchedKind, namespaceOf, selected } from './match.ts'
import { compilePolicy, type Denial, type Policy } from './policy.ts'

/** A binding's spec. */
interface BindingSpec {
  policyName: string
  paramRef?: ParamRef
  matchResources?: MatchResources
  validationActions?: string[]
}

interface ParamRef {
  name?: string
  namespace?: string
  selector?: LabelSelector
  parameterNotFoundAction?: 'Allow' | 'Deny'
}

const CODES: Record<string, number> = { Forbidden: 403, RequestEntityTooLarge: 413 }
const UNPROCESSABLE = 422

/** The admission that asks an API's own policies. Each version of a policy is compiled once. */
export function judgePolicies(api: Api): Admission {
  const compiled = new WeakMap<Entry, Policy>()
  const policyOf = (entry: Entry): Policy => {
    const known = compiled.get(entry) ?? compilePolicy(fromEntry(POLICIES, entry))
    compiled.set(entry, known)
    return known
  }
  return review => {
    if (review.target.kind.group === POLICIES.group) return
    for (const entry of entriesOf(api, POLICIES)) {
      const policy = policyOf(entry)
      const as = matchedKind(api, policy.spec.matchConstraints ?? {}, review)
      if (as === undefined) continue
      const context = contextOf(api, review, as)
      for (const binding of entriesOf(api, BINDINGS)) {
        const denial = underBinding(api, policy, entry.key, binding, review, context)
        if (denial !== undefined) throw refused(review, entry.key, binding.key, denial)
      }
    }
  }
}

function* entriesOf({ store }: Api, kind: Kind): Generator<Entry> {
  const collection = store.collection(kind.collection)
  for (const key of collection.keys) {
    const entry = collection.get(key)
    if (entry !== undefined) yield entry
  }
}

function underBinding(
  api: Api,
  policy: Policy,
  name: string,
  entry: Entry,
  review: Review,
  context: Readonly<Record<string, unknown>>,
): Denial | undefined {
  const binding = fromEntry(BINDINGS, entry).spec as unknown as BindingSpec
  if (binding.policyName !== name || !binding.validationActions?.includes('Deny')) return undefined
  if (binding.matchResources && matchedKind(api, binding.matchResources, review) === undefined) return undefined
  try {
    for (const params of paramsOf(api, policy, binding.paramRef, review)) {
      const denial = policy.judge({ ...context, ...(policy.spec.paramKind && { params: toCel(params) }) })
      if (denial !== undefined) return denial
    }
    return undefined
  } catch (error) {
    if (!(error instanceof BrokenBinding)) throw error
    if (policy.spec.failurePolicy === 'Ignore') return undefined
    return { message: `failed to configure binding: ${error.message}`, reason: 'Invalid' }
  }
}

class BrokenBinding extends Error {}

/** The parameters that a binding names; one null where it needs none. @throws BrokenBinding */
function paramsOf(api: Api, { spec }: Policy, ref: ParamRef | undefined, review: Review): (object | null)[] {
  const { paramKind } = spec
  if (paramKind === undefined || ref === undefined) return [null]
  const kind = api.registry.ofObject(paramKind.apiVersion, paramKind.kind)
  if (kind === undefined) {
    const [group = '', version = ''] = paramKind.apiVersion.includes('/')
      ? paramKind.apiVersion.split('/')
      : ['', paramKind.apiVersion]
    throw new BrokenBinding(
      `failed to find resource referenced by paramKind: '${group}/${version}, Kind=${paramKind.kind}'`,
    )
  }
  if (!kind.namespaced && ref.namespace)
    throw new BrokenBinding('paramRef.namespace must not be provided for a cluster-scoped `paramKind`')
  const namespace = kind.namespaced ? ref.namespace || review.target.namespace : ''
  if (kind.namespaced && namespace === '')
    throw new BrokenBinding('cannot use namespaced paramRef in policy binding that matches cluster-scoped resources')
  const found = ref.name
    ? [current(api, { kind, namespace, name: ref.name })?.object].filter(object => object !== undefined)
    : [...entriesOf(api, kind)]
        .filter(({ key }) => !kind.namespaced || key.startsWith(`${namespace}/`))
        .map(entry => fromEntry(kind, entry))
        .filter(({ metadata }) => selected(ref.selector ?? {}, metadata.labels))
  if (found.length === 0 && ref.parameterNotFoundAction !== 'Allow')
    throw new BrokenBinding('no params found for policy binding with `Deny` parameterNotFoundAction')
  return found.map(object => whole(kind, object))
}

const whole = (kind: Kind, object: KubeObject) => ({ apiVersion: apiVersionOf(kind), kind: kind.kind, ...object })

function contextOf(api: Api, review: Review, as: Kind): Record<string, unknown> {
  const { operation, object, oldObject, user, dryRun, requested, target } = review
  const { kind, namespace, part } = target
  const seen = (one: KubeObject | undefined) => {
    if (one === undefined) return null
    const stored = as === kind ? one : (kind.toStored?.(one) ?? one)
    return toCel(whole(as, as === kind ? one : (as.fromStored?.(stored) ?? stored)))
  }
  const sub = part === undefined ? {} : { subResource: part, requestSubResource: part }
  const extra = Object.keys(user.extra).length === 0 ? {} : { extra: user.extra }
  const named = (one: Kind) => ({
    kind: { group: one.group, version: one.version, kind: one.kind },
    resource: { group: one.group, version: one.version, resource: one.plural },
  })
  const original = named(kind)
  const request = {
    ...named(as),
    requestKind: original.kind,
    requestResource: original.resource,
    ...sub,
    ...(requested !== '' && { name: requested }),
    ...(namespace !== '' && { namespace }),
    operation,
    userInfo: { username: user.username, groups: user.groups, ...extra },
    dryRun,
    options: toCel(withoutNulls(review.options)),
  }
  return {
    request,
    object: seen(object),
    oldObject: seen(oldObject),
    namespaceObject: toCel(namespaceOf(api, namespace) ?? null),
  }
}

// Options are Go structs upstream: a null is an absent field.
const withoutNulls = (value: object): object =>
  JSON.parse(JSON.stringify(value, (_key, item: unknown) => (item === null ? undefined : item))) as object

function refused(
  { target, requested }: Review,
  policy: string,
  binding: string,
  { message, reason }: Denial,
): ApiError {
  const { group, plural } = target.kind
  const name = requested || 'Unknown'
  const why = `ValidatingAdmissionPolicy '${policy}' with binding '${binding}' denied request: ${message}`
  const resource = group === '' ? plural : `${plural}.${group}`
  const details = { name, ...(group !== '' && { group }), kind: plural, causes: [{ message: why }] }
  return new ApiError(CODES[reason] ?? UNPROCESSABLE, reason, `${resource} "${name}" is forbidden: ${why}`, details)
}
