// Reads the candidates, phase by phase and page by page: one list call for a page and no read per object, since writes are
// bound to the resourceVersion that the list gave. Only duplicates are read live, a bounded number of groups for a page.
// A list that fails fails the tick: nobody is judged a duplicate on a part of the lists.

import { type KubernetesApi, keyOf, type RawObject, type Resource } from '../../kubernetes/api.ts'
import { listPages } from '../../kubernetes/pages.ts'
import {
  BREAKGLASS_SESSIONS,
  type BreakglassSession,
  parseBreakglassSession,
} from '../../kubernetes/resources/breakglass-session.ts'
import { DEBUG_SESSIONS, parseDebugSession } from '../../kubernetes/resources/debug-session.ts'
import { placeOfKey, readAll } from '../../kubernetes/resources/fields.ts'
import type { Observation, Page } from '../../tick/reconciler.ts'
import { type Cursor, routeFrom } from './cursor.ts'
import { type GroupIndex, listGroups, openGroupIndex, readSessions } from './groups.ts'
import { type Candidate, isInScope, type Phase } from './plan.ts'
import { decideSession, type SessionPhase } from './rules/session.ts'

/** Groups of possible duplicates on one page; each costs one read per member. */
export const GROUPS_PER_PAGE = 50

type CleanupPage = Page<Candidate, Cursor>

/** The one state a phase asks the server for; phases without one look at everything. */
const STATE_OF: Readonly<Partial<Record<Phase, string>>> = {
  activate: 'WaitingForScheduledTime',
  timeout: 'Pending',
  expire: 'Approved',
  idle: 'Approved',
}

/**
 * Reads from a cursor to the end of the last phase; pages with nothing on them are left out, and an object that can't be
 * understood is told once.
 *
 * A tick that starts at the beginning collects possible duplicates while it lists the live states; one that was resumed,
 * or narrowed to a scope, lists them again for that. Approved sessions are listed a second time, for idle ones, only if
 * the first time showed one or was not wholly this tick's.
 *
 * @throws as `KubernetesApi.request`.
 */
export async function* observeCleanup(
  api: KubernetesApi,
  observation: Observation<Cursor>,
): AsyncGenerator<CleanupPage> {
  const route = routeFrom(observation.from)
  const pass = openPass(api, observation, route)
  const told = new Set<string>()
  for (const place of route) {
    if (place.phase === 'idle' && !pass.mayBeIdle) continue
    for await (const page of pagesOf(place, pass)) {
      const broken = page.broken.filter(
        ({ object, message }) => isInScope(pass.scope, placeOfKey(object)) && !told.has(message),
      )
      for (const { message } of broken) told.add(message)
      if (page.items.length + broken.length > 0) yield { ...page, broken }
    }
  }
}

/** What one pass through the phases has learnt. */
interface Pass extends Observation<Cursor> {
  readonly api: KubernetesApi
  /** Present as long as this tick's own lists can be relied on to show every live session. */
  readonly index: GroupIndex | undefined
  mayBeIdle: boolean
}

function openPass(api: KubernetesApi, observation: Observation<Cursor>, route: readonly Cursor[]): Pass {
  const { namespace, names } = observation.scope
  const seesWhole = (phase: Phase) => route.some(place => place.phase === phase && place.after === undefined)
  const seesEverything = seesWhole('activate') && namespace === undefined && names === undefined
  return { ...observation, api, index: seesEverything ? openGroupIndex() : undefined, mayBeIdle: !seesWhole('expire') }
}

function pagesOf(place: Cursor, pass: Pass): AsyncGenerator<CleanupPage> {
  const { phase } = place
  if (phase === 'duplicates') return duplicatePages(place, pass)
  if (phase === 'debug') {
    const parse = (raw: RawObject): Candidate => ({ phase, session: parseDebugSession(raw) })
    return listedPages({ resource: DEBUG_SESSIONS, parse }, place, pass)
  }
  const parse = (raw: RawObject): Candidate => {
    const session = parseBreakglassSession(raw)
    learn(phase, session, pass)
    return { phase, session }
  }
  return listedPages({ resource: BREAKGLASS_SESSIONS, parse }, place, pass)
}

function learn(phase: SessionPhase, session: BreakglassSession, pass: Pass): void {
  if (phase !== 'idle' && phase !== 'retention') pass.index?.add(session)
  if (phase === 'expire' && decideSession('idle', session, pass.nowMs)) pass.mayBeIdle = true
}

interface Source {
  readonly resource: Resource
  readonly parse: (raw: RawObject) => Candidate
}

async function* listedPages({ resource, parse }: Source, place: Cursor, pass: Pass): AsyncGenerator<CleanupPage> {
  const { api, scope, signal } = pass
  const state = STATE_OF[place.phase]
  let cursor = place
  for await (const raws of listPages(api, resource, {
    ...(scope.namespace !== undefined && { namespace: scope.namespace }),
    ...(state !== undefined && { field: { path: 'status.state', value: state } }),
    ...(place.after !== undefined && { after: place.after }),
    signal,
  })) {
    const { views, broken } = readAll(
      raws.filter(({ metadata }) => isInScope(scope, metadata)),
      parse,
    )
    yield { cursor, items: views, broken }
    cursor = { ...place, after: raws.map(keyOf).at(-1) }
  }
}

async function* duplicatePages(place: Cursor, pass: Pass): AsyncGenerator<CleanupPage> {
  const { after = '' } = place
  const { api, scope, signal } = pass
  const groups = (pass.index ?? (await listGroups(api, signal)))
    .groups()
    .filter(({ id, keys }) => id > after && keys.some(key => isInScope(scope, placeOfKey(key))))
  let cursor = place
  for (let at = 0; at < groups.length; at += GROUPS_PER_PAGE) {
    const batch = groups.slice(at, at + GROUPS_PER_PAGE)
    const readings = []
    for (const { keys } of batch) readings.push(await readSessions(api, keys, signal))
    const items = readings.map(({ views }) => ({ phase: 'duplicates' as const, sessions: views, scope }))
    yield {
      cursor,
      items: items.filter(({ sessions }) => sessions.length > 1),
      broken: readings.flatMap(({ broken }) => broken),
    }
    cursor = { ...place, after: batch.at(-1)?.id }
  }
}
