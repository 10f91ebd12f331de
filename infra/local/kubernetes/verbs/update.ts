// PUT and what PATCH ends in: an object replaced under its resourceVersion and uid, or left alone when nothing changes.
import { ApiError, badRequest, conflict, invalid, notFound, OBJECT_MODIFIED } from '../errors.ts'
import { isSame } from '../kinds/custom.ts'
import { keyOf } from '../kinds/kind.ts'
import { carryOver, type KubeObject, validateMetadata, validateMetadataUpdate } from '../kinds/metadata.ts'
import { admit, checkNamespace, type UserInfo } from './admission.ts'
import { type Api, commit, current, discard, type Target } from './api.ts'
import { create, placeIn, type Written } from './create.ts'
import { type Body, wrongKind } from './decode.ts'

/**
 * PUT: the body's metadata.uid, when there is one, is a precondition. A missing object is created where the kind allows it.
 * @throws ApiError – as `replace`, and 404, and 409 for another uid
 */
export function update(api: Api, target: Target, body: Body, user: UserInfo, dryRun: boolean): Written {
  checkName(target, body.object)
  const existing = current(api, target)
  const uid = body.object.metadata.uid
  if (existing === undefined) {
    if (!target.kind.createsOnUpdate || target.part !== undefined) throw notFound(target.kind, target.name)
    if (uid !== undefined) throw otherUid(target, uid, '')
    delete body.object.metadata.resourceVersion
    return create(api, target, body, user, dryRun)
  }
  const known = existing.object.metadata.uid as string
  if (uid !== undefined && uid !== known) throw otherUid(target, uid, known)
  return replace(api, target, existing.object, body, user, dryRun)
}

/**
 * Replaces `old` by a decoded body.
 * @throws ApiError – 400 name or namespace mismatch, 409 stale resourceVersion, 422 invalid, 500 unreadable resourceVersion
 */
export function replace(
  api: Api,
  target: Target,
  old: KubeObject,
  body: Body,
  user: UserInfo,
  dryRun: boolean,
): Written {
  const { kind, name, part } = target
  const { object } = body
  checkName(target, object)
  placeIn(target, object)
  checkResourceVersion(target, object, old)
  carryOver(object.metadata, old.metadata)
  kind.prepareUpdate(object, old, part)
  object.metadata.resourceVersion = old.metadata.resourceVersion as string
  checkNamespace(api, 'UPDATE', target)
  if (body.errors.length > 0) throw wrongKind(kind, name, body)
  const errors = [
    ...validateMetadataUpdate(object.metadata, old.metadata),
    ...validateMetadata(object.metadata, kind.nameErrors),
    ...kind.validateUpdate(object, old, part),
  ]
  if (errors.length > 0) throw invalid(kind.invalidGroup, kind.kind, name, errors)
  const operation = 'UPDATE'
  admit(api, { operation, target, requested: name, object, oldObject: old, user, dryRun, options: {} })
  const written: Written = { object, created: false, warnings: body.warnings }
  if (isSame(object, old)) return written
  if (object.metadata.deletionTimestamp !== undefined && object.metadata.finalizers === undefined) {
    if (!dryRun && kind.plural !== 'namespaces') discard(api, target, object)
    return written
  }
  if (!dryRun) commit(api, target, object)
  return written
}

function checkName({ name }: Target, { metadata }: KubeObject): void {
  if (metadata.name === undefined) {
    throw badRequest(`the name of the object (${name} based on URL) was undeterminable: name must be provided`)
  }
  if (metadata.name !== name)
    throw badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${name})`)
}

function checkResourceVersion({ kind, name }: Target, { metadata }: KubeObject, old: KubeObject): void {
  const given = metadata.resourceVersion ?? ''
  if (!/^\d*$/.test(given))
    throw new ApiError(500, undefined, `strconv.ParseUint: parsing ${JSON.stringify(given)}: invalid syntax`)
  if (given === '' || Number(given) === 0) {
    if (kind.updatesUnconditionally) return
    const missing = {
      type: 'Invalid',
      field: 'metadata.resourceVersion',
      value: 0,
      detail: 'must be specified for an update',
    } as const
    throw invalid(kind.group, kind.plural, name, [missing])
  }
  if (given !== old.metadata.resourceVersion) throw conflict(kind.group, kind.plural, name, OBJECT_MODIFIED)
}

function otherUid({ kind, namespace, name }: Target, wanted: string, found: string): ApiError {
  const key = `/registry/${kind.collection}/${keyOf(kind, namespace, name)}`
  const why = `Precondition failed: UID in precondition: ${wanted}, UID in object meta: ${found}`
  return conflict(
    kind.group,
    kind.plural,
    name,
    `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: ${why}`,
  )
}
