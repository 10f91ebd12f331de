// From a request to its answer: discovery, or a verb on a resource. Everything from here to the answer runs in one synchronous
// stretch, so no two requests ever see each other half done.
import { ApiError, badRequest, methodNotAllowed, notFound, unknownResource } from '../errors.ts'
import type { Kind } from '../kinds/kind.ts'
import type { Api, Target } from '../verbs/api.ts'
import { create, type Written } from '../verbs/create.ts'
import { decodeBody, parseBody } from '../verbs/decode.ts'
import { establish } from '../verbs/establish.ts'
import { get, list } from '../verbs/list.ts'
import { readListOptions, readWriteOptions } from '../verbs/options.ts'
import { patch } from '../verbs/patch.ts'
import { update } from '../verbs/update.ts'
import { watch } from '../verbs/watch.ts'
import { discover, VERSION } from './discovery.ts'
import { openApi } from './openapi.ts'
import { removeAll, removeOne } from './removals.ts'
import { entryJson, objectJson, oneJson, pageJson } from './render.ts'
import { accept, checkAccept, type Reply, refusal, reply, text } from './reply.ts'
import { type Address, type ApiRequest, parsePath } from './request.ts'
import { reviewSelf } from './self-reviews.ts'

/** Answers a request; refusals are answers too. */
export function answer(api: Api, request: ApiRequest): Reply {
  try {
    return route(api, request)
  } catch (error) {
    if (error instanceof ApiError) return refusal(error, request.headers.accept)
    throw error
  }
}

const pageNotFound = () => text(404, '404 page not found\n')

function route(api: Api, request: ApiRequest): Reply {
  const { path, query, headers, method } = request
  const found =
    discover(api.registry, path, headers.host ?? '') ??
    openApi(api.registry, path, headers.accept ?? '', VERSION.gitVersion)
  if (found !== undefined) {
    // The list of groups is served by an aggregator that looks at no method.
    const isRead = method === 'GET' || method === 'HEAD' || path === '/apis'
    return isRead ? found : refusal(methodNotAllowed())
  }
  const address = parsePath(path)
  if (address === undefined) return pageNotFound()
  const review = reviewSelf(address, request, api.clock())
  if (review !== undefined) return review
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
  if (!kind.custom) checkAccept(headers.accept)
  const answered =
    address.name === '' ? onCollection(api, kind, address, request) : onObject(api, kind, address, request)
  return kind.warning === undefined ? answered : withWarning(answered, kind.warning)
}

function withWarning(answered: Reply, warning: string): Reply {
  const warnings = [`299 - ${JSON.stringify(warning)}`, ...[answered.headers.warning ?? []].flat()]
  return { ...answered, headers: { ...answered.headers, warning: warnings } } as Reply
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
      if (address.watch) {
        query.append('fieldSelector', `metadata.name=${name}`)
        return startWatch(api, kind, namespace, request)
      }
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

function startWatch(api: Api, kind: Kind, namespace: string, { query, headers }: ApiRequest): Reply {
  const accepted = accept(headers.accept)
  const includeObject = query.get('includeObject') ?? ''
  const options = { ...readListOptions(query, true), limit: 0, continueToken: '' }
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
