// New sample sessions, so that every tick of the cleanup has something to do: some appear a minute before each tick and are due at it.
// What appears follows from the tick's instant alone.

import { timeOfDay, toInstant } from '../terminal/units.ts'
import { tickAt } from './deliveries.ts'
import { LOOPS } from './loops.ts'

const MINUTE_MS = 60_000
/** The cleanup's. */
const PERIOD_MS = LOOPS[0].periodMs
/** How long before its tick a newcomer appears, ms. */
const AHEAD_MS = MINUTE_MS
/** How many appear for each tick. */
const PER_TICK = 2
/** Where the samples are. */
const NAMESPACE = 'breakglass-system'
const GROUPS = ['cluster-admin', 'dba', 'network-ops', 'read-secrets', 'debug-nodes']
const CLUSTERS = ['prod', 'staging', 'edge']

/** A BreakglassSession, as far as it is looked at here. */
interface Session {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string; readonly namespace: string }
  readonly spec: {
    readonly cluster: string
    readonly user: string
    readonly grantedGroup: string
    readonly retainFor: string
  }
  readonly status: object
}

/** A session that appears, and what its tick is expected to make of it. */
export interface Newcomer {
  readonly object: Session
  /** E.g. `starts at 07:10:00Z`. */
  readonly what: string
}

/** Spec and status that a session needs to be due at a tick, epoch ms. */
interface Kind {
  readonly what: string
  readonly spec: (dueAtMs: number) => object
  readonly status: (dueAtMs: number) => object
}

const KINDS: readonly Kind[] = [
  {
    what: 'is to start',
    spec: due => ({ scheduledStartTime: toInstant(due) }),
    status: due => ({
      state: 'WaitingForScheduledTime',
      approvedAt: toInstant(due - 30 * MINUTE_MS),
      expiresAt: toInstant(due + 60 * MINUTE_MS),
    }),
  },
  {
    what: 'is to end',
    spec: () => ({}),
    status: due => ({
      state: 'Approved',
      approvedAt: toInstant(due - 60 * MINUTE_MS),
      actualStartTime: toInstant(due - 60 * MINUTE_MS),
      expiresAt: toInstant(due - 1_000),
    }),
  },
  {
    what: 'waits for an approval that is due',
    spec: () => ({}),
    status: due => ({ state: 'Pending', timeoutAt: toInstant(due) }),
  },
  {
    what: 'is idle for too long',
    spec: () => ({ idleTimeout: '10m' }),
    status: due => ({
      state: 'Approved',
      approvedAt: toInstant(due - 20 * MINUTE_MS),
      actualStartTime: toInstant(due - 20 * MINUTE_MS),
      expiresAt: toInstant(due + 40 * MINUTE_MS),
      lastActivity: toInstant(due - 10 * MINUTE_MS),
    }),
  },
]

/** The sessions that appear for the tick at an instant, epoch ms. Ended ones are kept for ten minutes. */
export function newcomersFor(dueAtMs: number): Newcomer[] {
  const tick = Math.round(dueAtMs / PERIOD_MS)
  return Array.from({ length: PER_TICK }, (_, index) => {
    const serial = tick * PER_TICK + index
    return newcomer(serial, dueAtMs)
  })
}

function newcomer(serial: number, dueAtMs: number): Newcomer {
  const kind = pick(KINDS, serial)
  const cluster = pick(CLUSTERS, serial)
  const grantedGroup = pick(GROUPS, serial)
  const id = (serial % 36 ** 4).toString(36).padStart(4, '0')
  return {
    what: `${kind.what} at ${timeOfDay(dueAtMs)}`,
    object: {
      apiVersion: 'breakglass.t-caas.telekom.com/v1alpha1',
      kind: 'BreakglassSession',
      metadata: { name: `${cluster}-${grantedGroup}-${id}`, namespace: NAMESPACE },
      spec: { cluster, user: `${id}@example.test`, grantedGroup, retainFor: '10m', ...kind.spec(dueAtMs) },
      status: kind.status(dueAtMs),
    },
  }
}

function pick<T>(list: readonly T[], serial: number): T {
  return list[serial % list.length] as T
}

/** Lets newcomers appear a minute before each coming tick, or at once when that is over. Returns what ends it. */
export function scheduleNewcomers(appear: (newcomers: Newcomer[]) => void): () => void {
  let timer: NodeJS.Timeout
  function wait(dueAtMs: number): void {
    timer = setTimeout(
      () => {
        appear(newcomersFor(dueAtMs))
        wait(dueAtMs + PERIOD_MS)
      },
      Math.max(0, dueAtMs - AHEAD_MS - Date.now()),
    )
  }
  wait(tickAt(Date.now(), PERIOD_MS) + PERIOD_MS)
  return () => clearTimeout(timer)
}
