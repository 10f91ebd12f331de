// Which sessions may be duplicates of each other: an index of all live sessions that keeps two short texts for each
// (about 30 MB for 100 000 sessions) and never an object, and live reads of the few groups that come out of it.
// The index only nominates; who goes is decided on the live reads alone.

import { createHash } from 'node:crypto'
import { type KubernetesApi, keyOf } from '../../kubernetes/api.ts'
import { listPages, readObject } from '../../kubernetes/pages.ts'
import {
  BREAKGLASS_SESSIONS,
  type BreakglassSession,
  parseBreakglassSession,
} from '../../kubernetes/resources/breakglass-session.ts'
import { placeOfKey, type Reading, readAll } from '../../kubernetes/resources/fields.ts'
import { LIVE_STATES, tripleOf } from './rules/duplicates.ts'

/** Sessions that were for the same cluster, user and group when they were listed. */
export interface Group {
  /** Fixed by the triple, and tells nothing about it; groups are ordered by it, so that a tick finds its place again. */
  readonly id: string
  /** Keys of at least two sessions. */
  readonly keys: readonly string[]
}

/** Collects sessions by triple. */
export interface GroupIndex {
  /** Adds a session; one that was added before, in an earlier state, counts once. */
  add(session: BreakglassSession): void
  /** All groups of two and more, by id. */
  groups(): Group[]
}

/** Opens an empty index. */
export function openGroupIndex(): GroupIndex {
  const firstByTriple = new Map<string, string>()
  const keysByTriple = new Map<string, Set<string>>()
  return {
    add(session) {
      const triple = tripleOf(session)
      const key = keyOf(session)
      const first = firstByTriple.get(triple)
      if (first === undefined) firstByTriple.set(triple, key)
      else if (first !== key) keysByTriple.set(triple, (keysByTriple.get(triple) ?? new Set([first])).add(key))
    },
    groups: () =>
      [...keysByTriple]
        .map(([triple, keys]) => ({ id: digestOf(triple), keys: [...keys] }))
        .sort((a, b) => (a.id < b.id ? -1 : 1)),
  }
}

/**
 * Fills an index from complete lists of the live states in all namespaces.
 *
 * States are listed in the order that sessions pass through them, so that one that moves on meanwhile is not missed.
 *
 * @throws as `KubernetesApi.request`; there is no index of a part.
 */
export async function listGroups(api: KubernetesApi, signal: AbortSignal): Promise<GroupIndex> {
  const index = openGroupIndex()
  for (const value of LIVE_STATES.toReversed()) {
    const field = { path: 'status.state', value }
    for await (const raws of listPages(api, BREAKGLASS_SESSIONS, { field, signal }))
      for (const session of readAll(raws, parseBreakglassSession).views) index.add(session)
  }
  return index
}

/**
 * Reads sessions live, one after the other; those that are gone are left out.
 * @throws as `KubernetesApi.request`.
 */
export async function readSessions(
  api: KubernetesApi,
  keys: readonly string[],
  signal: AbortSignal,
): Promise<Reading<BreakglassSession>> {
  const raws = []
  for (const key of keys) {
    const raw = await readObject(api, BREAKGLASS_SESSIONS, placeOfKey(key), signal)
    if (raw) raws.push(raw)
  }
  return readAll(raws, parseBreakglassSession)
}

function digestOf(triple: string): string {
  return createHash('sha256').update(triple).digest('hex').slice(0, 32)
}
