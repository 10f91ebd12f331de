// What the two functions act on: ended debug sessions that are kept for a while, and sessions that come to their end, or to
// their beginning, while the first function is frozen.

import { toInstant } from '../../terminal/units.ts'
import type { World } from '../world.ts'

const API_VERSION = 'breakglass.t-caas.telekom.com/v1alpha1'
const NAMESPACE = 'breakglass-system'
const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS

/** How long ended debug sessions are kept when the first function starts, days. */
export const KEPT_AT_FIRST_DAYS = 7
/** How long when the second one does: somebody changed the setting. */
export const KEPT_LATER_DAYS = 30

/** An object, as far as it is looked at here. */
interface Sample {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string; readonly namespace?: string }
  readonly spec?: object
  readonly status?: object
}

/** The namespace and three ended debug sessions: two that only the first function would delete, one that both would. */
export function objectsAtFirst(nowMs: number): Sample[] {
  const ended = (name: string, daysAgo: number): Sample => ({
    apiVersion: API_VERSION,
    kind: 'DebugSession',
    metadata: { name, namespace: NAMESPACE },
    spec: { cluster: 'prod', templateRef: 'netshoot', requestedBy: 'dan@example.test', requestedDuration: '1h' },
    status: {
      state: 'Expired',
      startsAt: toInstant(nowMs - (daysAgo + 1) * DAY_MS),
      expiresAt: before(nowMs, daysAgo),
    },
  })
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } },
    ended('prod-netshoot-v4d7', 8),
    ended('prod-tcpdump-h2c8', 12),
    ended('staging-netshoot-q6n1', 40),
  ]
}

const before = (nowMs: number, days: number) => toInstant(nowMs - days * DAY_MS)

/** Two sessions that are due: one has just ended, one is to begin. */
export function objectsMeanwhile(nowMs: number): Sample[] {
  const session = (name: string, spec: object, status: object): Sample => ({
    apiVersion: API_VERSION,
    kind: 'BreakglassSession',
    metadata: { name, namespace: NAMESPACE },
    spec: { cluster: 'prod', user: 'ann@example.test', grantedGroup: name, ...spec },
    status,
  })
  const hourAgo = toInstant(nowMs - 60 * MINUTE_MS)
  const approved = { approvedAt: hourAgo, actualStartTime: hourAgo }
  return [
    session('prod-admin-x7f2', {}, { state: 'Approved', ...approved, expiresAt: toInstant(nowMs - MINUTE_MS) }),
    session(
      'prod-dba-2k9q',
      { scheduledStartTime: toInstant(nowMs - 1_000) },
      { state: 'WaitingForScheduledTime', approvedAt: hourAgo, expiresAt: toInstant(nowMs + 60 * MINUTE_MS) },
    ),
  ]
}

/** The state of every session there is, by kind and name, e.g. `debugsessions/prod-netshoot-v4d7`. */
export async function readStates({ kubernetes }: Pick<World, 'kubernetes'>): Promise<Map<string, string>> {
  const states = new Map<string, string>()
  for (const plural of ['debugsessions', 'breakglasssessions']) {
    const answer = await fetch(`${kubernetes.url}/apis/${API_VERSION}/namespaces/${NAMESPACE}/${plural}`)
    const { items } = (await answer.json()) as { items: { metadata: { name: string }; status: { state: string } }[] }
    for (const { metadata, status } of items) states.set(`${plural}/${metadata.name}`, status.state)
  }
  return states
}
