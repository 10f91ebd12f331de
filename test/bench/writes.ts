// The sessions that throughput is measured on, stored through the API so that it works on any server, and the writes that
// the product would send for them, for a client that is not the product.

import type { ObjectWriter } from '../../lib/fence/writer.ts'
import { type KubernetesApi, type NamedObject, pathOf } from '../../lib/kubernetes/api.ts'
import { listPages } from '../../lib/kubernetes/pages.ts'
import { BREAKGLASS_SESSIONS, parseBreakglassSession } from '../../lib/kubernetes/resources/breakglass-session.ts'
import { EVENTS } from '../../lib/kubernetes/resources/event.ts'
import { createAnnouncer } from '../../lib/reconcilers/cleanup/announce.ts'
import { planCleanup } from '../../lib/reconcilers/cleanup/plan.ts'
import { DEFAULT_SETTINGS } from '../../lib/reconcilers/cleanup/rules/settings.ts'
import { createWorkers } from '../../lib/tick/workers.ts'
import { SESSIONS_NAMESPACE } from '../support/sessions.ts'
import { sessions } from './sessions.ts'

/** What is written when one session is changed. */
export interface SessionWrites {
  readonly name: string
  /** Merge patch of its status. */
  readonly patch: object
  readonly event: object
}

const { signal } = new AbortController()
const AT = { namespace: SESSIONS_NAMESPACE }
const PARALLEL = 8

/** Replaces all sessions and Events by `count` sessions that are due. */
export async function storeSessions(api: KubernetesApi, count: number, prefix: string): Promise<void> {
  for (const resource of [BREAKGLASS_SESSIONS, EVENTS])
    await api.request({ method: 'DELETE', path: pathOf(resource, AT), repeat: 'bound' })
  const path = pathOf(BREAKGLASS_SESSIONS, AT)
  const failures: unknown[] = []
  await createWorkers(PARALLEL).run(
    sessions('due', count, prefix, Date.now()) as (NamedObject & { status: object })[],
    async session => {
      const at = pathOf(BREAKGLASS_SESSIONS, { ...AT, name: session.metadata.name, subresource: 'status' })
      const body = { status: session.status }
      const contentType = 'application/merge-patch+json'
      await api
        .request({ method: 'POST', path, body: session, repeat: 'bound' })
        .then(() => api.request({ method: 'PATCH', path: at, body, contentType, repeat: 'bound' }))
        .catch(error => failures.push(error))
    },
    signal,
  )
  if (failures.length > 0) throw failures[0]
}

/** The writes that the product would send now, as data. */
export async function planWrites(api: KubernetesApi): Promise<SessionWrites[]> {
  const nowMs = Math.floor(Date.now() / 1_000) * 1_000
  const writes: SessionWrites[] = []
  for await (const raws of listPages(api, BREAKGLASS_SESSIONS, { signal })) {
    const items = raws.map(raw => ({ phase: 'expire' as const, session: parseBreakglassSession(raw) }))
    for (const action of planCleanup({ items }, nowMs, DEFAULT_SETTINGS)) {
      const { name, resourceVersion } = action.target
      const event = await eventOf(action, nowMs)
      writes.push({ name, patch: { metadata: { resourceVersion }, status: action.status }, event })
    }
  }
  return writes
}

/** The Event that the product would create, caught before it is sent. */
async function eventOf(action: Parameters<ReturnType<typeof createAnnouncer>>[0], nowMs: number): Promise<object> {
  let caught: object = {}
  const nothing = () => {}
  const announce = createAnnouncer(
    { debug: nothing, info: nothing, warn: nothing, error: nothing },
    { count: nothing, duration: nothing, flush: nothing },
  )
  const create: ObjectWriter['create'] = async (_resource, object) => {
    caught = object
    return { kind: 'created' }
  }
  const { resourceVersion } = action.target
  await announce(action, { writer: { create } as ObjectWriter, nowMs, signal, resourceVersion })
  return caught
}
