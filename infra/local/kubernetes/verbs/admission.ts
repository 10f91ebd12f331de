// Who may refuse a write between decoding and storing. The server's own rules (a namespace must exist and live) come first; the
// entries of `Api.admission` are asked in order once the object is found valid, dry runs included.
import { ApiError, forbidden, type JsonObject } from '../errors.ts'
import type { KubeObject } from '../kinds/metadata.ts'
import { NAMESPACES } from '../kinds/namespace.ts'
import { type Api, current, type Target } from './api.ts'

/** Who sent a request: the token's user, or the one impersonated. */
export interface UserInfo {
  username: string
  groups: string[]
  extra: Record<string, string[]>
}

/** A write about to happen. `options` are a delete's options. */
export interface Review {
  operation: 'CREATE' | 'UPDATE' | 'DELETE'
  target: Target
  /** The name that the request gives; empty where it deletes a collection, of which each object is asked about. */
  requested: string
  object: KubeObject | undefined
  oldObject: KubeObject | undefined
  user: UserInfo
  dryRun: boolean
  options: JsonObject
}

/** Throws an ApiError to refuse. */
export type Admission = (review: Review) => void

/**
 * Judges where an object is to be written.
 * @throws ApiError – 404 for a missing namespace, 403 for a terminating one
 */
export function checkNamespace(api: Api, operation: 'CREATE' | 'UPDATE', target: Target): void {
  const { kind, namespace, name } = target
  if (!kind.namespaced) return
  const home = current(api, { kind: NAMESPACES, namespace: '', name: namespace })
  if (home === undefined) {
    const details = { name: namespace, kind: 'namespaces' }
    throw new ApiError(404, 'NotFound', `namespaces "${namespace}" not found`, details)
  }
  if (operation === 'CREATE' && home.object.metadata.deletionTimestamp !== undefined) {
    const cause = {
      reason: 'NamespaceTerminating',
      message: `namespace ${namespace} is being terminated`,
      field: 'metadata.namespace',
    }
    const why = `unable to create new content in namespace ${namespace} because it is being terminated`
    throw forbidden(kind, name, why, [cause])
  }
}

/**
 * Asks everyone who may refuse.
 * @throws ApiError – whatever an admission throws
 */
export function admit(api: Api, review: Review): void {
  for (const asked of api.admission) asked(review)
}
