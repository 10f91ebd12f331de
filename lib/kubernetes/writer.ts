// The way to write work objects. Every write is bound to what was judged: a status patch to its resourceVersion, a delete
// to uid and resourceVersion, a create to a fixed name. So a repeated or late request has the effect of one or none, and
// a lost answer is resolved by asking again. A writer belongs to one term and counts the writes whose outcome it does not
// know; it is closed for good before the lease is given back.

import { AbortedError, OutcomeUnknownError } from '../errors.ts'
import { type ApiAnswer, type ApiRequest, type KubernetesApi, pathOf, type RawObject, type Resource } from './api.ts'
import { readObject } from './pages.ts'

/** The object a write is for, and the state it was judged on. */
export interface Target {
  readonly resource: Resource
  readonly namespace?: string
  readonly name: string
  readonly uid: string
  readonly resourceVersion: string
}

/** `written`: it took effect, and `object` is what the server stored. `conflict`: the object has changed. `gone`: it does not exist. */
export type Written = { kind: 'written'; object: RawObject } | { kind: 'conflict' } | { kind: 'gone' }

/** `deleted`: it is gone or going. `conflict`: it has changed since it was judged. */
export type Deleted = { kind: 'deleted' } | { kind: 'conflict' } | { kind: 'gone' }

/** `created`, or `exists` when an object of that name was there before. */
export type Created = { kind: 'created' | 'exists' }

/** Bound writes of one term. Each throws as `KubernetesApi.request`, and AbortedError once the writer is closed. */
export interface ObjectWriter {
  /** Merges `status` into the object's status; lists are replaced whole. */
  patchStatus(target: Target, status: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<Written>
  /** Deletes the object, dependents in the background. */
  delete(target: Target, signal: AbortSignal): Promise<Deleted>
  /** Creates an object under its fixed `metadata.name`. */
  create(resource: Resource, object: NamedObject, signal: AbortSignal): Promise<Created>
  /** Refuses every later write and tells whether all writes so far have a known outcome; one in flight has none. */
  close(): { outcomesKnown: boolean }
}

/** An object to be created. */
export interface NamedObject {
  readonly metadata: { readonly name: string; readonly namespace?: string }
  readonly [field: string]: unknown
}

/** Opens the writer of one term. `dryRun` lets the server judge each write without storing it; default false. */
export function openWriter(api: KubernetesApi, options: { dryRun?: boolean } = {}): ObjectWriter {
  const dryRun = options.dryRun ? 'All' : undefined
  let closed = false
  let unknown = 0

  async function write(request: Omit<ApiRequest, 'repeat'>, expected: number[]): Promise<ApiAnswer> {
    if (closed) throw new AbortedError('the writer of this term is closed; nothing more is written')
    unknown++
    try {
      const answer = await api.request({ ...request, query: { dryRun, ...request.query }, repeat: 'bound' }, expected)
      unknown--
      return answer
    } catch (error) {
      if (!(error instanceof OutcomeUnknownError)) unknown--
      throw error
    }
  }

  return {
    async patchStatus(target, status, signal) {
      const answer = await write(
        {
          method: 'PATCH',
          path: pathOf(target.resource, { ...placeOf(target), subresource: 'status' }),
          contentType: 'application/merge-patch+json',
          body: { metadata: { resourceVersion: target.resourceVersion }, status },
          signal,
        },
        [404, 409],
      )
      if (answer.status === 404) return { kind: 'gone' }
      if (answer.status !== 409) return { kind: 'written', object: answer.body as RawObject }
      return answer.repeated ? await seekEcho(api, target, status, signal) : { kind: 'conflict' }
    },

    async delete(target, signal) {
      const answer = await write(
        {
          method: 'DELETE',
          path: pathOf(target.resource, placeOf(target)),
          body: {
            kind: 'DeleteOptions',
            apiVersion: 'v1',
            propagationPolicy: 'Background',
            // Beside a body the query counts for nothing, `dryRun` included.
            ...(dryRun && { dryRun: [dryRun] }),
            preconditions: { uid: target.uid, resourceVersion: target.resourceVersion },
          },
          signal,
        },
        [404, 409],
      )
      if (answer.status === 409) return answer.repeated ? await seekDeletion(api, target, signal) : { kind: 'conflict' }
      return { kind: answer.status === 404 && !answer.repeated ? 'gone' : 'deleted' }
    },

    async create(resource, object, signal) {
      const { namespace } = object.metadata
      const path = pathOf(resource, namespace === undefined ? {} : { namespace })
      const answer = await write({ method: 'POST', path, body: object, signal }, [409])
      return { kind: answer.status === 409 && !answer.repeated ? 'exists' : 'created' }
    },

    close() {
      closed = true
      return { outcomesKnown: unknown === 0 }
    },
  }
}

function placeOf(target: Target): { namespace?: string; name: string } {
  return target.namespace === undefined ? { name: target.name } : { namespace: target.namespace, name: target.name }
}

/** A conflict after an unanswered try: either our own patch took effect, which the live object shows, or another's did. */
async function seekEcho(api: KubernetesApi, target: Target, status: object, signal: AbortSignal): Promise<Written> {
  const live = await readObject(api, target.resource, placeOf(target), signal)
  if (!live) return { kind: 'gone' }
  const isEcho = live.metadata.uid === target.uid && contains(live.status, status)
  return isEcho ? { kind: 'written', object: live } : { kind: 'conflict' }
}

/** Likewise of a deletion: an object that finalizers keep is changed by it, and stays until they are through. */
async function seekDeletion(api: KubernetesApi, target: Target, signal: AbortSignal): Promise<Deleted> {
  const live = await readObject(api, target.resource, placeOf(target), signal)
  if (!live) return { kind: 'deleted' }
  const isGoing = live.metadata.uid === target.uid && live.metadata.deletionTimestamp !== undefined
  return { kind: isGoing ? 'deleted' : 'conflict' }
}

/** Whether `whole` has everything a merge patch `part` set: null means absent, lists must be equal. */
function contains(whole: unknown, part: unknown): boolean {
  if (part === null) return whole === undefined || whole === null
  if (Array.isArray(part))
    return Array.isArray(whole) && whole.length === part.length && part.every((item, i) => contains(whole[i], item))
  if (typeof part !== 'object') return whole === part
  return (
    typeof whole === 'object' &&
    whole !== null &&
    Object.entries(part).every(([key, value]) => contains((whole as Record<string, unknown>)[key], value))
  )
}
