// PATCH: merge patch (RFC 7386), JSON patch (RFC 6902) and, for built-in kinds only, strategic merge patch. Server-side apply is
// refused although upstream has it: see FIDELITY.md.
import { ApiError, badRequest, invalid, type JsonObject, notFound, unsupportedMediaType } from '../errors.ts'
import { isSame } from '../kinds/custom.ts'
import { apiVersionOf } from '../kinds/kind.ts'
import { DecodeError } from '../schema/native.ts'
import type { UserInfo } from './admission.ts'
import { type Api, current, type Target } from './api.ts'
import type { Written } from './create.ts'
import { type Body, decodeObject, goJsonError, mediaTypeOf } from './decode.ts'
import type { WriteOptions } from './options.ts'
import { strategicMerge } from './strategic.ts'
import { replace } from './update.ts'

const MERGE = 'application/merge-patch+json'
const JSON_PATCH = 'application/json-patch+json'
const STRATEGIC = 'application/strategic-merge-patch+json'
const APPLY = 'application/apply-patch+yaml'

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * Patches an object. `metadata.resourceVersion` in the patch is a precondition because the result must still carry the old one.
 * @throws ApiError – 415, 400 for a patch that does not parse, 422 for one that does not apply, 404, and as `replace`
 */
export function patch(
  api: Api,
  target: Target,
  text: string,
  contentType: string | undefined,
  user: UserInfo,
  options: WriteOptions,
): Written {
  const { kind, name } = target
  const mediaType = mediaTypeOf(contentType)
  checkMediaType(kind.custom, mediaType)
  const change = parsePatch(text, mediaType)
  const existing = current(api, target)
  if (existing === undefined) throw notFound(kind, name)
  const before: JsonObject = { apiVersion: apiVersionOf(kind), kind: kind.kind, ...existing.object }
  const patched = applyPatch(structuredClone(before), change, mediaType)
  return replace(api, target, existing.object, decodePatched(target, patched, options), user, options.dryRun)
}

function applyPatch(before: JsonObject, change: unknown, mediaType: string): JsonObject {
  if (mediaType === MERGE) return mergePatch(before, change) as JsonObject
  return mediaType === STRATEGIC
    ? strategicMerge(before, change as JsonObject)
    : applyOperations(before, change as Operation[])
}

function decodePatched({ kind }: Target, patched: JsonObject, options: WriteOptions): Body {
  try {
    return decodeObject(kind, patched, options.fieldValidation)
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    throw invalid('', '', '', [
      { type: 'Invalid', field: 'patch', value: JSON.stringify(patched), detail: error.message },
    ])
  }
}

function checkMediaType(custom: boolean, mediaType: string): void {
  if (mediaType === MERGE || mediaType === JSON_PATCH || (mediaType === STRATEGIC && !custom)) return
  if (mediaType === APPLY)
    throw new ApiError(415, 'UnsupportedMediaType', `${APPLY} is not implemented by the embedded API`)
  if (custom) throw unsupportedMediaType([JSON_PATCH, MERGE, APPLY])
  throw new ApiError(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {})
}

function parsePatch(text: string, mediaType: string): unknown {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw badRequest(`error decoding patch: ${goJsonError(error as Error)}`)
  }
  if (value === null) throw badRequest('Invalid JSON Patch')
  const fits = mediaType === JSON_PATCH ? Array.isArray(value) : isObject(value)
  if (fits) return value
  const found = Array.isArray(value) ? 'array' : typeof value
  const into = mediaType === JSON_PATCH ? '[]handlers.jsonPatchOp' : 'map[string]interface {}'
  const why = `json: cannot unmarshal ${found} into Go value of type ${into}`
  throw badRequest(mediaType === STRATEGIC ? why : `error decoding patch: ${why}`)
}

/** RFC 7386: `null` removes, objects merge, everything else replaces; `target` may be changed. */
export function mergePatch(target: unknown, change: unknown): unknown {
  if (!isObject(change)) return change
  const result: JsonObject = isObject(target) ? target : {}
  for (const [key, value] of Object.entries(change)) {
    if (value === null) delete result[key]
    else setKey(result, key, mergePatch(Object.hasOwn(result, key) ? result[key] : undefined, value))
  }
  return result
}

interface Operation {
  op?: unknown
  path?: unknown
  from?: unknown
  value?: unknown
}

const refused = () => new ApiError(422, 'Invalid', 'the server rejected our request due to an error in our request', {})

// One kindness of the server's own library: `replace` of a missing key of an object sets it.
function applyOperations(document: JsonObject, operations: Operation[]): JsonObject {
  for (const { op, path, from, value } of operations) {
    switch (op) {
      case 'add':
      case 'replace':
        put(document, path, structuredClone(value), op === 'replace')
        break
      case 'remove':
        take(document, path)
        break
      case 'copy':
        put(document, path, structuredClone(read(document, from)), false)
        break
      case 'move':
        put(document, path, take(document, from), false)
        break
      case 'test':
        if (!isSame(read(document, path), value)) throw refused()
        break
      default:
        throw refused()
    }
  }
  return document
}

function walk(document: unknown, path: unknown): { parent: JsonObject | unknown[]; key: string } {
  if (typeof path !== 'string' || !path.startsWith('/')) throw refused()
  const keys = path
    .slice(1)
    .split('/')
    .map(key => key.replaceAll('~1', '/').replaceAll('~0', '~'))
  const key = keys.pop() as string
  let parent: unknown = document
  for (const step of keys) parent = child(parent, step)
  if (!isObject(parent) && !Array.isArray(parent)) throw refused()
  return { parent, key }
}

function child(parent: unknown, key: string): unknown {
  if (Array.isArray(parent) && /^\d+$/.test(key)) return parent[Number(key)]
  return isObject(parent) && Object.hasOwn(parent, key) ? parent[key] : undefined
}

function read(document: JsonObject, path: unknown): unknown {
  const { parent, key } = walk(document, path)
  const value = child(parent, key)
  if (value === undefined) throw refused()
  return value
}

function put(document: JsonObject, path: unknown, value: unknown, replaces: boolean): void {
  const { parent, key } = walk(document, path)
  if (!Array.isArray(parent)) {
    setKey(parent, key, value)
    return
  }
  const at = key === '-' ? parent.length : Number(key)
  if (!Number.isInteger(at) || at > parent.length || (replaces && at === parent.length)) throw refused()
  parent.splice(at, replaces ? 1 : 0, value)
}

function take(document: JsonObject, path: unknown): unknown {
  const { parent, key } = walk(document, path)
  const value = child(parent, key)
  if (value === undefined) throw refused()
  if (Array.isArray(parent)) parent.splice(Number(key), 1)
  else delete parent[key]
  return value
}

// A key named __proto__ must become a key.
function setKey(object: JsonObject, key: string, value: unknown): void {
  Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true })
}
