// Which writes a policy or a binding is about: its rules over operation, group, version, resource and subresource, and its
// selectors over labels. With matchPolicy Equivalent a write matches as well as any other kind that shares its objects.
import type { JsonObject } from '../errors.ts'
import type { Kind } from '../kinds/kind.ts'
import type { KubeObject } from '../kinds/metadata.ts'
import { NAMESPACES } from '../kinds/namespace.ts'
import type { Review } from '../verbs/admission.ts'
import { type Api, current } from '../verbs/api.ts'

/** A rule as a policy carries it. */
export interface ResourceRule {
  operations?: string[]
  apiGroups?: string[]
  apiVersions?: string[]
  resources?: string[]
  resourceNames?: string[]
  scope?: string
}

/** What a write must be to be judged; without rules any is. */
export interface MatchResources {
  resourceRules?: ResourceRule[]
  excludeResourceRules?: ResourceRule[]
  matchPolicy?: string
  namespaceSelector?: LabelSelector
  objectSelector?: LabelSelector
}

/** A label selector as objects carry it. */
export interface LabelSelector {
  matchLabels?: Record<string, string>
  matchExpressions?: { key: string; operator: string; values?: string[] }[]
}

/** The kind as which a write matches, its own or an equivalent one; undefined when it does not. */
export function matchedKind(api: Api, resources: MatchResources, review: Review): Kind | undefined {
  const { kind } = review.target
  const { resourceRules = [], excludeResourceRules = [], matchPolicy } = resources
  if (!selects(api, resources, review)) return undefined
  const equivalents = matchPolicy === 'Exact' ? [] : api.registry.equivalents(kind)
  const kinds = [kind, ...equivalents]
  const matches = (rules: ResourceRule[]) => kinds.find(one => rules.some(rule => fits(rule, one, review)))
  if (matches(excludeResourceRules) !== undefined) return undefined
  return resourceRules.length === 0 ? kind : matches(resourceRules)
}

const has = (list: string[] | undefined, value: string) => (list ?? []).some(item => item === '*' || item === value)

function fits(rule: ResourceRule, kind: Kind, { operation, requested, target: { part, namespace } }: Review): boolean {
  const { operations, apiGroups, apiVersions, resources = [], resourceNames = [], scope = '*' } = rule
  if (!has(operations, operation) || !has(apiGroups, kind.group) || !has(apiVersions, kind.version)) return false
  if (scope !== '*' && (scope === 'Namespaced') !== (namespace !== '')) return false
  if (resourceNames.length > 0 && !resourceNames.includes(requested)) return false
  return resources.some(resource => {
    const [plural, sub = ''] = resource.split('/')
    return (plural === '*' || plural === kind.plural) && (sub === '*' || sub === (part ?? ''))
  })
}

function selects(api: Api, { namespaceSelector = {}, objectSelector = {} }: MatchResources, review: Review): boolean {
  const { object, oldObject, target } = review
  const carriers = [object, oldObject].filter(one => one !== undefined)
  if (!carriers.some(({ metadata }) => selected(objectSelector, metadata.labels))) return false
  const home = target.kind.plural === NAMESPACES.plural ? carriers[0] : namespaceOf(api, target.namespace)
  return home === undefined || selected(namespaceSelector, home.metadata.labels)
}

/** The Namespace object of a name; undefined for none. */
export const namespaceOf = (api: Api, name: string): KubeObject | undefined =>
  name === '' ? undefined : current(api, { kind: NAMESPACES, namespace: '', name })?.object

/** Whether labels fit a selector; an empty one fits all. */
export function selected({ matchLabels, matchExpressions }: LabelSelector, labels: JsonObject = {}): boolean {
  const fitsLabels = Object.entries(matchLabels ?? {}).every(([key, value]) => labels[key] === value)
  return (
    fitsLabels &&
    (matchExpressions ?? []).every(({ key, operator, values = [] }) => {
      const value = labels[key]
      if (operator === 'Exists') return value !== undefined
      if (operator === 'DoesNotExist') return value === undefined
      const isIn = value !== undefined && values.includes(value as string)
      return operator === 'In' ? isIn : !isIn
    })
  )
}
