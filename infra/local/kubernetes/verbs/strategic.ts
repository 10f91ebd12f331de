// Strategic merge patch for the built-in kinds served here. Of their lists only metadata.finalizers (a set) and
// metadata.ownerReferences (by uid) merge; every other list is replaced whole, as their Go types say.
import { ApiError, type JsonObject } from '../errors.ts'

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The key by which a list merges: a field of its items, '' for a set of plain values, undefined for lists that are replaced. */
const mergeKeyOf = (path: string): string | undefined =>
  path === 'metadata.finalizers' ? '' : path === 'metadata.ownerReferences' ? 'uid' : undefined

/**
 * Applies a strategic merge patch; `target` may be changed.
 * @throws ApiError – 500 for a directive that is not known
 */
export function strategicMerge(target: JsonObject, change: JsonObject, path = ''): JsonObject {
  const directive = change.$patch
  if (directive === 'replace') return withoutDirectives(change)
  if (directive === 'delete') return {}
  if (directive !== undefined && directive !== 'merge')
    throw new ApiError(500, undefined, `unknown patch type: ${directive} in map: map[$patch:${directive}]`)
  const result = retained(target, change.$retainKeys)
  for (const [key, value] of Object.entries(change)) {
    const removal = /^\$deleteFromPrimitiveList\/(.+)$/.exec(key)?.[1]
    if (removal !== undefined) {
      result[removal] = ((result[removal] ?? []) as unknown[]).filter(item => !(value as unknown[]).includes(item))
    } else if (!key.startsWith('$')) {
      const here = path === '' ? key : `${path}.${key}`
      if (value === null) delete result[key]
      else if (isObject(value)) result[key] = strategicMerge(isObject(result[key]) ? result[key] : {}, value, here)
      else if (Array.isArray(value)) result[key] = mergeList(result[key], value, here)
      else result[key] = value
    }
  }
  return result
}

const withoutDirectives = (change: JsonObject) =>
  Object.fromEntries(Object.entries(change).filter(([key]) => !key.startsWith('$')))

function retained(target: JsonObject, keys: unknown): JsonObject {
  return Array.isArray(keys) ? Object.fromEntries(Object.entries(target).filter(([key]) => keys.includes(key))) : target
}

function mergeList(before: unknown, change: unknown[], path: string): unknown[] {
  const mergeKey = mergeKeyOf(path)
  const present = Array.isArray(before) ? before : []
  if (mergeKey === undefined) return change
  if (mergeKey === '') return [...change, ...present.filter(item => !change.includes(item))]
  const items = (present as JsonObject[]).map(item => ({ ...item }))
  for (const item of change as JsonObject[]) {
    const at = items.findIndex(one => one[mergeKey] === item[mergeKey])
    if (item.$patch === 'delete') {
      if (at >= 0) items.splice(at, 1)
    } else if (at >= 0) items[at] = strategicMerge(items[at] as JsonObject, item, path)
    else items.push(withoutDirectives(item))
  }
  return items
}
