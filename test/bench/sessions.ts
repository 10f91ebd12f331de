// BreakglassSessions of the size that real ones have, so that pages weigh what they weigh in a cluster.

import { toInstant } from '../../lib/time.ts'
import { SESSIONS_NAMESPACE } from '../support/sessions.ts'

/** What is to become of a session: it ended a minute ago, it has an hour left, or it ended yesterday and is kept. */
export type Fate = 'due' | 'live' | 'kept'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/** Builds `count` sessions, each for a user of its own, named `<prefix>-000000` and so on. */
export function sessions(fate: Fate, count: number, prefix: string, nowMs: number): object[] {
  return Array.from({ length: count }, (_, i) => session(fate, `${prefix}-${String(i).padStart(6, '0')}`, nowMs))
}

function session(fate: Fate, name: string, nowMs: number): object {
  const approvedAtMs = nowMs - (fate === 'kept' ? DAY_MS : HOUR_MS)
  const endsAtMs = { due: nowMs - 60_000, live: nowMs + HOUR_MS, kept: approvedAtMs + HOUR_MS }[fate]
  const at = toInstant(approvedAtMs)
  const condition = (type: string, reason: string, message: string) => ({
    type,
    status: 'True',
    reason,
    message,
    lastTransitionTime: at,
  })
  return {
    apiVersion: 'breakglass.t-caas.telekom.com/v1alpha1',
    kind: 'BreakglassSession',
    metadata: {
      name,
      namespace: SESSIONS_NAMESPACE,
      labels: { 'breakglass.t-caas.telekom.com/cluster': 'production' },
    },
    spec: {
      cluster: 'production',
      user: `${name}@platform.example.test`,
      grantedGroup: 'breakglass-cluster-admins',
      maxValidFor: '1h',
      retainFor: '720h',
      requestReason: 'ingress controllers of the shop do not come up after the upgrade; see the incident channel',
    },
    status: {
      state: fate === 'kept' ? 'Expired' : 'Approved',
      approvedAt: at,
      actualStartTime: at,
      expiresAt: toInstant(endsAtMs),
      retainedUntil: toInstant(endsAtMs + 30 * DAY_MS),
      approver: 'lead@platform.example.test',
      approvers: ['lead@platform.example.test', 'deputy@platform.example.test'],
      approvalReason: 'confirmed with the team on call',
      conditions: [
        condition('Requested', 'SessionRequested', 'The session was requested.'),
        condition('Approved', 'ApprovedByApprover', 'The session was approved by lead@platform.example.test.'),
        ...(fate === 'kept' ? [condition('Expired', 'ExpiredByTime', 'The session is past its end.')] : []),
      ],
    },
  }
}
