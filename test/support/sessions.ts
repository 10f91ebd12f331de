// BreakglassSessions as scenarios load them into an embedded API.

import { toInstant } from '../../lib/time.ts'

/** Namespace of all of them. */
export const SESSIONS_NAMESPACE = 'breakglass-system'

/** One session; `status` is merged over an approved one that has an hour left. */
export function session(name: string, nowMs: number, status: Record<string, unknown> = {}): object {
  return {
    apiVersion: 'breakglass.t-caas.telekom.com/v1alpha1',
    kind: 'BreakglassSession',
    metadata: { name, namespace: SESSIONS_NAMESPACE },
    spec: { cluster: 'prod', user: `${name}@example.test`, grantedGroup: 'admins' },
    status: {
      state: 'Approved',
      approvedAt: toInstant(nowMs - 3_600_000),
      expiresAt: toInstant(nowMs + 3_600_000),
      ...status,
    },
  }
}

/** `count` approved sessions that ended a minute ago, named `due-00`, `due-01`, … */
export function dueSessions(count: number, nowMs: number): object[] {
  return Array.from({ length: count }, (_, i) =>
    session(`due-${String(i).padStart(2, '0')}`, nowMs, { expiresAt: toInstant(nowMs - 60_000) }),
  )
}
