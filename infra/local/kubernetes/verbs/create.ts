// POST: a new object, stamped, admitted, judged, stored.
import { ApiError, alreadyExists, badRequest, invalid } from '../errors.ts'
import type { KubeObject } from '../kinds/metadata.ts'
import { generatedName, stampCreated, validateMetadata } from '../kinds/metadata.ts'
import { admit, checkNamespace, type UserInfo } from './admission.ts'
import { type Api, commit, current, type Target } from './api.ts'
import { type Body, wrongKind } from './decode.ts'

/** What a write answers: the object, whether it is new, and the warnings. */
export interface Written {
  object: KubeObject
  created: boolean
  warnings: string[]
}

/**
 * Creates an object from a decoded body. `target.name` is the name in the path, empty for a POST to a collection.
 * @throws ApiError – 400 namespace mismatch, 404/403 namespace, 422 invalid, 409 exists, 500 when it brings a resourceVersion
 */
export function create(api: Api, target: Target, body: Body, user: UserInfo, dryRun: boolean): Written {
  const { kind } = target
  const { object } = body
  const { metadata } = object
  placeIn(target, object)
  const named = { ...target, name: metadata.name ?? '' }
  checkNamespace(api, 'CREATE', named)
  const generate = metadata.name === undefined && metadata.generateName !== undefined
  if (generate) metadata.name = freeName(api, named, metadata.generateName as string)
  named.name = metadata.name ?? ''
  stampCreated(metadata, api.clock(), kind.countsGenerations)
  kind.prepareCreate(object)
  if (body.errors.length > 0) throw wrongKind(kind, named.name, body)
  const errors = [...validateMetadata(metadata, kind.nameErrors), ...kind.validate(object)]
  if (errors.length > 0) throw invalid(kind.invalidGroup, kind.kind, named.name, errors)
  const operation = 'CREATE'
  const requested = named.name
  admit(api, { operation, target: named, requested, object, oldObject: undefined, user, dryRun, options: {} })
  if (metadata.resourceVersion !== undefined) {
    throw new ApiError(500, undefined, 'resourceVersion should not be set on objects to be created')
  }
  if (current(api, named) !== undefined) throw alreadyExists(kind, named.name)
  if (!dryRun) commit(api, named, object)
  return { object, created: true, warnings: body.warnings }
}

/** Puts an object into the path's namespace. @throws ApiError – 400 when it names another */
export function placeIn({ kind, namespace }: Target, { metadata }: KubeObject): void {
  if (!kind.namespaced) delete metadata.namespace
  else if (metadata.namespace !== undefined && metadata.namespace !== namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request')
  } else metadata.namespace = namespace
}

function freeName(api: Api, target: Target, base: string): string {
  for (let tries = 0; tries < 8; tries += 1) {
    const name = generatedName(base)
    if (current(api, { ...target, name }) === undefined) return name
  }
  return generatedName(base)
}
