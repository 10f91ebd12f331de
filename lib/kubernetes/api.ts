// What the rooms above need of a Kubernetes API server, as types: a request, an answer, an object, a resource.
// `transport.ts` carries requests out; tests and the simulation give their own.

import { type Moment, SECOND_MS } from '../time.ts'

/** The longest that the API server works on one request, ms: every request says so in `?timeout=`. */
export const SERVER_TIMEOUT_MS = 5 * SECOND_MS

/** The HTTP methods that are used. */
export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/**
 * When a request without an answer, or one answered by 429 or 5xx, may be sent again inside its deadline.
 *
 * `read`   it changes nothing: always.
 * `bound`  it is bound to a resourceVersion, a uid or a fixed name, so that sending it twice has the effect of once.
 *          Its answer then says `repeated`, since a refusal may be the echo of an earlier try that took effect.
 */
export type Repeatability = 'read' | 'bound'

/** One request to the API server. */
export interface ApiRequest {
  readonly method: Method
  /** Path without query, e.g. `/api/v1/namespaces/default`. */
  readonly path: string
  readonly query?: Readonly<Record<string, string | undefined>>
  readonly body?: unknown
  /** Default `application/json`. */
  readonly contentType?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly repeat: Repeatability
  /** When given, the request ends at once as it is aborted. */
  readonly signal?: AbortSignal
  /** No try begins after it, nor goes on; the end of the term that the request belongs to. Default: none. */
  readonly endsAt?: Moment
}

/** An answer that the API server gave: any status below 400, and those refusals that a caller asked to see. */
export interface ApiAnswer {
  readonly status: number
  readonly body: unknown
  /** An earlier try of the same request went unanswered, so this answer may be the echo of its effect. */
  readonly repeated: boolean
}

/** A connection to one API server. */
export interface KubernetesApi {
  /**
   * Sends a request, again where that is allowed, until it is answered or its deadline ends.
   *
   * @param expected refusals (statuses from 400) that are returned instead of thrown, e.g. `[404, 409]`.
   * @throws TransientError – throttled, unavailable, timed out, expired (410) or in conflict (409).
   * @throws PermanentError – 400, 401, 403, 404, 422 and other refusals.
   * @throws OutcomeUnknownError – a write was sent and never answered.
   * @throws AbortedError – the signal was aborted before the request was sent, or while reading.
   */
  request(request: ApiRequest, expected?: readonly number[]): Promise<ApiAnswer>
  /** The API server's clock minus ours, ms at second precision, as of the last answer; undefined before the first. */
  clockSkewMs(): number | undefined
  /** Closes idle and busy connections. */
  close(): void
}

/** A kind as it is addressed: group ('' is the core group), version, plural, and whether objects live in namespaces. */
export interface Resource {
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly plural: string
  readonly namespaced: boolean
}

/** The metadata that is relied on; everything else an object carries is kept as it came. */
export interface ObjectMeta {
  readonly name: string
  readonly namespace?: string
  readonly uid: string
  readonly resourceVersion: string
  readonly generation?: number
}

/** An object as the API server gave it, before its kind's schema has read it. */
export interface RawObject {
  readonly metadata: ObjectMeta & Readonly<Record<string, unknown>>
  readonly [field: string]: unknown
}

/** The object a write is for, and the state it was judged on. */
export interface Target {
  readonly resource: Resource
  readonly namespace?: string
  readonly name: string
  readonly uid: string
  readonly resourceVersion: string
}

/** An object to be created. */
export interface NamedObject {
  readonly metadata: { readonly name: string; readonly namespace?: string }
  readonly [field: string]: unknown
}

/**
 * The path of a resource's collection, or of one object in it.
 *
 * @param at namespace (undefined: all namespaces, or a cluster-scoped kind), name and subresource.
 */
export function pathOf(
  resource: Resource,
  at: { namespace?: string; name?: string; subresource?: string } = {},
): string {
  const root = resource.group === '' ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`
  const namespace = at.namespace === undefined ? '' : `/namespaces/${encodeURIComponent(at.namespace)}`
  const name = at.name === undefined ? '' : `/${encodeURIComponent(at.name)}`
  const subresource = at.subresource === undefined ? '' : `/${at.subresource}`
  return `${root}${namespace}/${resource.plural}${name}${subresource}`
}

/** `namespace/name`, or `name` for a cluster-scoped object: the key that pages are ordered by. */
export function keyOf(object: {
  readonly metadata: { readonly name: string; readonly namespace?: string | undefined }
}): string {
  const { namespace, name } = object.metadata
  return namespace === undefined ? name : `${namespace}/${name}`
}
