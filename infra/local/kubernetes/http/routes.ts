// From a request to its answer: discovery, or a verb on a resource. Everything from here to the answer runs in one synchronous
// stretch, so no two requests ever see each other half done.
import { ApiError, badRequest, type JsonObject, methodNotAllowed, notFound, unknownResource } from '../errors.ts'
import type { Definition } from '../kinds/custom.ts'
import { acceptedStatus, definitionOf, terminating } from '../kinds/definitions.ts'
import { type Kind, keyOf } from '../kinds/kind.ts'
import type { KubeObject } from '../kinds/metadata.ts'
import { type Api, commit, current, discard, type Target } from '../verbs/api.ts'
import { create, type Written } from '../verbs/create.ts'
import { decodeBody, goJsonError, parseBody } from '../verbs/decode.ts'
import { remove } from '../verbs/delete.ts'
import { get, list } from '../verbs/list.ts'
import { readDeleteOptions, readListOptions, readWriteOptions } from '../verbs/options.ts'
import { patch } from '../verbs/patch.ts'
import { update } from '../verbs/update.ts'
import { watch } from '../verbs/watch.ts'
import { discover, VERSION } from './discovery.ts'
import { openApi } from './openapi.ts'
import { entryJson, objectJson, oneJson, pageJson } from './render.ts'
import { accept, type Reply, refusal, reply, text } from './reply.ts'
import { type Address, type ApiRequest, parsePath } from './request.ts'

/** Answers a request; refusals are answers too. */
export function answer(api: Api, request: ApiRequest): Reply {
  try {
    return route(api, request)
  } catch (error) {
    if (error instanceof ApiError) return refusal(error)
    throw error
  }
}

const pageNotFound = () => text(404, '404 page not found\n')

function route(api: Api, request: ApiRequest): Reply {
  const { path, query, headers, method } = request
  const found =
    discover(api.registry, path, headers.host ?? '') ??
    openApi(api.registry, path, headers.accept ?? '', VERSION.gitVersion)
  if (found !== undefined) return method === 'GET' || method === 'HEAD' ? found : refusal(methodNotAllowed())
  const address = parsePath(path)
  if (address === undefined) return pageNotFound()
  const kind = api.registry.find(address.group, address.version, address.plural)
  if (kind === undefined) return api.registry.isBuiltIn(address.group) ? refusal(unknownResource()) : pageNotFound()
  checkTimeout(query)
  // A namespaced resource is addressed without its namespace only to be listed or watched.
  const misplaced = kind.namespaced
    ? address.namespace === '' && (address.name !== '' || method !== 'GET')
    : address.namespace !== ''
  if (misplaced) {
    if (kind.custom) return pageNotFound()
    return refusal(address.name === '' && kind.namespaced ? methodNotAllowed() : unknownResource())
  }
  return address.name === '' ? onCollection(api, kind, address, request) : onObject(api, kind, address, request)
}

function checkTimeout(query: URLSearchParams): void {
  const timeout = query.get('timeout') ?? ''
  if (timeout !== '' && !/^(?:0|(?:\d+(?:\.\d*)?(?:ns|us|µs|ms|s|m|h))+)$/.test(timeout)) {
    throw badRequest(`invalid timeout specified in the request URL - time: invalid duration ${JSON.stringify(timeout)}`)
  }
}

function onCollection(api: Api, kind: Kind, { namespace, watch: isWatch }: Address, request: ApiRequest): Reply {
  const { query, body, headers } = request
  switch (request.method) {
    case 'GET': {
      if (isWatch || isTrue(query.get('watch'))) return startWatch(api, kind, namespace, request)
      const accepted = accept(headers.accept)
      const page = list(api, kind, namespace, readListOptions(query))
      return reply(200, pageJson(kind, page, accepted, query.get('includeObject') ?? '', api.clock()), accepted)
    }
    case 'POST': {
      const options = readWriteOptions(query, 'CreateOptions')
      const decoded = decodeBody(
        kind,
        parseBody(body, headers['content-type'], kind.kind),
        options.fieldValidation,
        body,
      )
      const target: Target = { kind, namespace, name: '', part: undefined }
      return answerWritten(
        api,
        request,
        kind,
        create(api, target, decoded, request.user, options.dryRun),
        options.dryRun,
      )
    }
    case 'DELETE':
      return kind.deletesCollections ? removeAll(api, kind, namespace, request) : refusal(methodNotAllowed())
    default:
      return refusal(kind.custom ? badRequest('name must be provided') : methodNotAllowed())
  }
}

function onObject(api: Api, kind: Kind, address: Address, request: ApiRequest): Reply {
  const { namespace, name, subresource } = address
  const { query, body, headers, method, user } = request
  if (subresource !== '' && !(subresource === 'status' && kind.hasStatus)) {
    return refusal(kind.custom ? notFound(kind, name) : unknownResource())
  }
  const target: Target = { kind, namespace, name, part: subresource === 'status' ? 'status' : undefined }
  switch (method) {
    case 'GET': {
      const accepted = accept(headers.accept)
      const entry = get(api, target, query.get('resourceVersion') ?? '')
      return reply(200, oneJson(kind, entry, accepted, query.get('includeObject') ?? '', api.clock()), accepted)
    }
    case 'PUT': {
      const options = readWriteOptions(query, 'UpdateOptions')
      const decoded = decodeBody(
        kind,
        parseBody(body, headers['content-type'], kind.kind),
        options.fieldValidation,
        body,
      )
      return answerWritten(api, request, kind, update(api, target, decoded, user, options.dryRun), options.dryRun)
    }
    case 'PATCH': {
      const options = readWriteOptions(query, 'PatchOptions')
      return answerWritten(
        api,
        request,
        kind,
        patch(api, target, body, headers['content-type'], user, options),
        options.dryRun,
      )
    }
    case 'DELETE':
      return target.part === undefined ? removeOne(api, target, request) : refusal(notOnStatus(kind, 'delete'))
    default:
      return refusal(target.part === undefined ? methodNotAllowed() : notOnStatus(kind, 'create'))
  }
}

function notOnStatus(kind: Kind, verb: string): ApiError {
  if (!kind.custom) return methodNotAllowed()
  const named = `${kind.plural}.${kind.group}`
  const details = { group: kind.group, kind: kind.plural }
  return new ApiError(405, 'MethodNotAllowed', `${verb} is not supported on resources of kind "${named}"`, details)
}

function answerWritten(api: Api, { headers }: ApiRequest, kind: Kind, written: Written, dryRun: boolean): Reply {
  const json = objectJson(kind, written.object)
  if (!dryRun && kind.plural === 'customresourcedefinitions') establish(api, kind, written.object)
  return reply(written.created ? 201 : 200, json, accept(headers.accept), written.warnings)
}

/** Serves what a definition defines, and writes the status its controllers would. */
export function establish(api: Api, kind: Kind, object: KubeObject): void {
  const name = object.metadata.name ?? ''
  const stored = current(api, { kind, namespace: '', name })?.object
  if (stored === undefined || stored.metadata.deletionTimestamp !== undefined) return
  api.registry.define(definitionOf(stored))
  const status = acceptedStatus(stored, api.clock())
  if (JSON.stringify(status) !== JSON.stringify(stored.status))
    commit(api, { kind, namespace: '', name }, { ...stored, status })
}

function removeOne(api: Api, target: Target, { body, query, headers, user }: ApiRequest): Reply {
  const options = readDeleteOptions(readDeleteBody(body, headers['content-type']), query)
  if (target.kind.plural === 'customresourcedefinitions') return removeDefinition(api, target, options, user)
  const deleted = remove(api, target, options, user)
  if ('gone' in deleted) return reply(200, JSON.stringify(deleted.gone), accept(headers.accept))
  return reply(200, objectJson(target.kind, deleted.kept), accept(headers.accept))
}

// Upstream a controller deletes the instances and then the definition; here both happen before the answer, finalizers or not.
function removeDefinition(
  api: Api,
  target: Target,
  options: ReturnType<typeof readDeleteOptions>,
  user: ApiRequest['user'],
): Reply {
  const before = current(api, target)?.object
  const deleted = remove(api, target, options, user)
  const object = 'kept' in deleted ? deleted.kept : (before as KubeObject)
  if (!options.dryRun) {
    const definition: Definition = definitionOf(object)
    const collection = api.store.collection(`${definition.group}/${definition.names.plural}`)
    const [kind] = api.registry
      .at(definition.group, definition.versions.find(version => version.served)?.name ?? '')
      .filter(one => one.plural === definition.names.plural)
    for (const key of [...collection.keys]) {
      const entry = collection.get(key)
      if (entry === undefined || kind === undefined) continue
      const [namespace, name] = kind.namespaced ? (key.split('/') as [string, string]) : ['', key]
      discard(api, { kind, namespace, name }, JSON.parse(`{${entry.body}`) as KubeObject)
    }
    api.registry.undefine(definition)
  }
  return reply(200, objectJson(target.kind, terminating(object, api.clock())))
}

function readDeleteBody(body: string, contentType: string | undefined): JsonObject {
  if (body === '') return {}
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

function removeAll(api: Api, kind: Kind, namespace: string, { body, query, headers, user }: ApiRequest): Reply {
  const options = readDeleteOptions(readDeleteBody(body, headers['content-type']), query)
  const page = list(api, kind, namespace, readListOptions(query))
  for (const entry of page.entries) {
    const [home, name] = kind.namespaced ? (entry.key.split('/') as [string, string]) : ['', entry.key]
    if (api.store.collection(kind.collection).get(keyOf(kind, home, name)) !== undefined) {
      remove(api, { kind, namespace: home, name, part: undefined }, options, user)
    }
  }
  const accepted = accept(headers.accept)
  return reply(200, pageJson(kind, page, accepted, '', api.clock()), accepted)
}

function startWatch(api: Api, kind: Kind, namespace: string, { query, headers }: ApiRequest): Reply {
  const accepted = accept(headers.accept)
  const includeObject = query.get('includeObject') ?? ''
  const options = { ...readListOptions(query), limit: 0, continueToken: '' }
  const encode = (entry: Parameters<typeof entryJson>[1]) =>
    accepted.as === undefined ? entryJson(kind, entry) : oneJson(kind, entry, accepted, includeObject, api.clock())
  const started = watch(api, kind, namespace, options, isTrue(query.get('sendInitialEvents')), encode)
  const seconds = Number(query.get('timeoutSeconds') ?? '')
  return {
    status: 200,
    headers: { 'content-type': 'application/json' },
    watch: started,
    timeoutMs: seconds > 0 ? seconds * 1000 : undefined,
  }
}

const isTrue = (value: string | null) => value === '1' || value === 'true'
