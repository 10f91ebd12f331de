// DELETE of one object or of a selection: preconditions, finalizers, propagation policy. Owner references are not followed.
import { conflict, forbidden, type JsonObject, notFound } from '../errors.ts'
import type { KubeObject } from '../kinds/metadata.ts'
import { toTime } from '../schema/times.ts'
import { admit, type UserInfo } from './admission.ts'
import { type Api, commit, current, discard, type Target } from './api.ts'
import type { DeleteOptions } from './options.ts'

/** What a delete answers: a Status when the object is gone, the object when finalizers keep it. */
export type Deleted = { gone: JsonObject } | { kept: KubeObject }

const PROTECTED = new Set(['default', 'kube-system', 'kube-public'])

/**
 * Deletes one object.
 * @param requested the name that the request gives; empty where it is one of a collection
 * @throws ApiError – 404, 409 for a failed precondition, 403 for a namespace that may not be deleted
 */
export function remove(
  api: Api,
  target: Target,
  options: DeleteOptions,
  user: UserInfo,
  requested = target.name,
): Deleted {
  const { kind, name } = target
  if (kind.plural === 'namespaces' && PROTECTED.has(name))
    throw forbidden(kind, name, 'this namespace may not be deleted')
  const existing = current(api, target)
  if (existing === undefined) throw notFound(kind, name)
  const { object } = existing
  checkPreconditions(target, object, options)
  admit(api, {
    operation: 'DELETE',
    target,
    requested,
    object: undefined,
    oldObject: object,
    user,
    dryRun: options.dryRun,
    options: options.raw,
  })
  const finalizers = finalizersAfter(object, options)
  const kept = kind.plural === 'namespaces' || finalizers.length > 0
  if (!kept) {
    if (!options.dryRun) discard(api, target, object)
    const details = {
      name,
      ...(kind.group === '' ? {} : { group: kind.group }),
      kind: kind.plural,
      uid: object.metadata.uid,
    }
    return { gone: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details } }
  }
  if (object.metadata.deletionTimestamp === undefined) {
    markDeleted(api, target, object, finalizers)
    if (!options.dryRun) commit(api, target, object)
  }
  return { kept: object }
}

function checkPreconditions(
  { kind, name }: Target,
  { metadata }: KubeObject,
  { uid, resourceVersion }: DeleteOptions,
): void {
  if (uid !== undefined && uid !== metadata.uid) {
    const why = `the UID in the precondition (${uid}) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`
    throw conflict(kind.group, kind.kind, name, why)
  }
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion) {
    const why = `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${metadata.resourceVersion}). The object might have been modified`
    throw conflict(kind.group, kind.kind, name, why)
  }
}

function finalizersAfter({ metadata }: KubeObject, { policy }: DeleteOptions): string[] {
  const had = metadata.finalizers ?? []
  if (policy === undefined) return had
  const others = had.filter(finalizer => finalizer !== 'orphan' && finalizer !== 'foregroundDeletion')
  if (policy === 'Orphan') return [...others, 'orphan']
  return policy === 'Foreground' ? [...others, 'foregroundDeletion'] : others
}

function markDeleted(api: Api, { kind }: Target, object: KubeObject, finalizers: string[]): void {
  const { metadata } = object
  metadata.deletionTimestamp = toTime(api.clock())
  if (kind.plural === 'namespaces') object.status = { ...(object.status as JsonObject), phase: 'Terminating' }
  else metadata.deletionGracePeriodSeconds = 0
  if (metadata.generation !== undefined) metadata.generation += 1
  if (finalizers.length > 0) metadata.finalizers = finalizers
}
