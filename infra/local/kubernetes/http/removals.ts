// The two DELETEs over HTTP: options from body and query, and what is answered.
import { ApiError, type JsonObject } from '../errors.ts'
import { terminating } from '../kinds/definitions.ts'
import { type Kind, keyOf } from '../kinds/kind.ts'
import type { KubeObject } from '../kinds/metadata.ts'
import { type Api, current, type Target } from '../verbs/api.ts'
import { goJsonError, parseBody } from '../verbs/decode.ts'
import { remove } from '../verbs/delete.ts'
import { withdraw } from '../verbs/establish.ts'
import { list } from '../verbs/list.ts'
import { type DeleteOptions, readDeleteOptions, readListOptions } from '../verbs/options.ts'
import { objectJson, pageJson } from './render.ts'
import { accept, type Reply, reply } from './reply.ts'
import type { ApiRequest } from './request.ts'

/** DELETE of one object. */
export function removeOne(api: Api, target: Target, request: ApiRequest): Reply {
  const { body, query, headers, user } = request
  const options = readDeleteOptions(readDeleteBody(body, headers['content-type']), query)
  if (target.kind.plural === 'customresourcedefinitions') return removeDefinition(api, target, options, request)
  const deleted = remove(api, target, options, user)
  if ('gone' in deleted) return reply(200, JSON.stringify(deleted.gone), accept(headers.accept))
  return reply(200, objectJson(target.kind, deleted.kept), accept(headers.accept))
}

function removeDefinition(api: Api, target: Target, options: DeleteOptions, { headers, user }: ApiRequest): Reply {
  const before = current(api, target)?.object
  const deleted = remove(api, target, options, user)
  const object = 'kept' in deleted ? deleted.kept : (before as KubeObject)
  if (!options.dryRun) withdraw(api, object)
  return reply(200, objectJson(target.kind, terminating(object, api.clock())), accept(headers.accept))
}

function readDeleteBody(body: string, contentType: string | undefined): JsonObject | undefined {
  if (body === '') return undefined
  let parsed: JsonObject
  try {
    parsed = contentType?.includes('yaml')
      ? parseBody(body, contentType, 'DeleteOptions')
      : (JSON.parse(body) as JsonObject)
  } catch (error) {
    if (error instanceof ApiError) throw error
    throw new ApiError(500, undefined, `couldn't get version/kind; json parse error: ${goJsonError(error as Error)}`)
  }
  if (parsed.kind !== undefined && parsed.kind !== 'DeleteOptions') {
    const what = `no kind "${parsed.kind}" is registered for version "${parsed.apiVersion}" in scheme "pkg/runtime/scheme.go:110"`
    throw new ApiError(500, undefined, what)
  }
  const { preconditions } = parsed
  if (preconditions !== undefined && preconditions !== null && typeof preconditions !== 'object') {
    const what = `json: cannot unmarshal ${typeof preconditions} into Go struct field DeleteOptions.preconditions of type v1.Preconditions`
    throw new ApiError(500, undefined, what)
  }
  return parsed
}

/** DELETE of a collection: answers the objects it selected, as they were. */
export function removeAll(api: Api, kind: Kind, namespace: string, { body, query, headers, user }: ApiRequest): Reply {
  const options = readDeleteOptions(readDeleteBody(body, headers['content-type']), query)
  const page = list(api, kind, namespace, readListOptions(query))
  for (const entry of page.entries) {
    const [home, name] = kind.namespaced ? (entry.key.split('/') as [string, string]) : ['', entry.key]
    if (api.store.collection(kind.collection).get(keyOf(kind, home, name)) !== undefined) {
      remove(api, { kind, namespace: home, name, part: undefined }, options, user, '')
    }
  }
  const accepted = accept(headers.accept)
  return reply(200, pageJson(kind, page, accepted, '', api.clock()), accepted)
}
