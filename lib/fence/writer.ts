// The only way to write work objects. Every write is bound to what was judged: a status patch to its resourceVersion, a
// delete to uid and resourceVersion, a create to a fixed name. So a repeated or late request has the effect of one or none,
// and a lost answer is resolved by asking again. Every write goes through the gate of its term, which the API server judges
// by its token. A writer belongs to one term and is closed for good before the lease is given back.

import {
  type KubernetesApi,
  type NamedObject,
  pathOf,
  type RawObject,
  type Resource,
  type Target,
} from '../kubernetes/api.ts'
import { readObject } from '../kubernetes/pages.ts'
import { type GateOptions, openGate } from './gate.ts'

/** `written`: it took effect, and `object` is what the server stored. `conflict`: the object has changed. `gone`: it does not exist. */
export type Written = { kind: 'written'; object: RawObject } | { kind: 'conflict' } | { kind: 'gone' }

/** `deleted`: it is gone or going. `conflict`: it has changed since it was judged. */
export type Deleted = { kind: 'deleted' } | { kind: 'conflict' } | { kind: 'gone' }

/** `created`, or `exists` when an object of that name was there before. */
export type Created = { kind: 'created' | 'exists' }

/** Bound writes of one term. Each throws as `Gate.send`. */
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

/** Opens the writer of one term. */
export function openWriter(options: GateOptions): ObjectWriter {
  const { api } = options
  const gate = openGate(options)

  return {
    async patchStatus(target, status, signal) {
      const answer = await gate.send(
        {
          kind: `PATCH ${named(target.resource)}/status`,
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
      const answer = await gate.send(
        {
          kind: `DELETE ${named(target.resource)}`,
          method: 'DELETE',
          path: pathOf(target.resource, placeOf(target)),
          body: {
            kind: 'DeleteOptions',
            apiVersion: 'v1',
            propagationPolicy: 'Background',
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
      const kind = `POST ${named(resource)}`
      const answer = await gate.send({ kind, method: 'POST', path, body: object, signal }, [409])
      return { kind: answer.status === 409 && !answer.repeated ? 'exists' : 'created' }
    },

    close: gate.close,
  }
}

/** As RBAC and policies name it, e.g. `events.events.k8s.io`. */
function named({ plural, group }: Resource): string {
  return group === '' ? plural : `${plural}.${group}`
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
