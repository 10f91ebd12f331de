// Objects as an API server gives them: each factory makes a perfect one, and a test breaks what it is about.

import type { RawObject } from '../../../../lib/kubernetes/api.ts'
import { BREAKGLASS_SESSIONS } from '../../../../lib/kubernetes/resources/breakglass-session.ts'
import { DEBUG_SESSIONS } from '../../../../lib/kubernetes/resources/debug-session.ts'
import { HOUR_MS, MINUTE_MS, SECOND_MS, toInstant } from '../../../../lib/time.ts'

/** The `now` of every test. */
export const T = Date.parse('2026-09-01T08:00:00Z')
export const second = SECOND_MS
export const minute = MINUTE_MS
export const hour = HOUR_MS

/** An instant `offsetMs` away from T. */
export function at(offsetMs: number): string {
  return toInstant(T + offsetMs)
}

export interface Changes {
  readonly metadata?: Record<string, unknown>
  readonly spec?: Record<string, unknown>
  readonly status?: Record<string, unknown>
}

const OWNER = {
  apiVersion: 'breakglass.t-caas.telekom.com/v1alpha1',
  kind: 'BreakglassEscalation',
  name: 'ops',
  uid: 'e',
}

/** What upstream's API writes on a fresh session. */
export const FRESH_CONDITION = {
  type: 'Idle',
  status: 'True',
  reason: 'EditedByApprover',
  message: 'created',
  lastTransitionTime: at(-2 * HOUR_MS),
  observedGeneration: 1,
}

/** A session in namespace `team` that is approved for another hour, unless changed. */
export function rawSession(name: string, changes: Changes = {}): RawObject {
  return {
    apiVersion: 'breakglass.t-caas.telekom.com/v1alpha1',
    kind: BREAKGLASS_SESSIONS.kind,
    metadata: {
      namespace: 'team',
      name,
      uid: `uid-${name}`,
      resourceVersion: '7',
      generation: 2,
      creationTimestamp: at(-2 * HOUR_MS),
      ownerReferences: [OWNER],
      ...changes.metadata,
    },
    spec: {
      cluster: 'edge-7',
      user: `${name}@example.test`,
      grantedGroup: 'admins',
      maxValidFor: '2h',
      retainFor: '24h',
      requestReason: 'a text of a person',
      ...changes.spec,
    },
    status: { state: 'Approved', expiresAt: at(HOUR_MS), conditions: [FRESH_CONDITION], ...changes.status },
  } as RawObject
}

/** A session that is pending, its approval due in an hour. */
export function rawPending(name: string, changes: Changes = {}): RawObject {
  const status = { state: 'Pending', expiresAt: null, timeoutAt: at(HOUR_MS), ...changes.status }
  return rawSession(name, { ...changes, status })
}

/** A session that waits for a start in an hour, and ends an hour after it. */
export function rawWaiting(name: string, changes: Changes = {}): RawObject {
  return rawSession(name, {
    metadata: changes.metadata ?? {},
    spec: { scheduledStartTime: at(HOUR_MS), ...changes.spec },
    status: { state: 'WaitingForScheduledTime', expiresAt: at(2 * HOUR_MS), ...changes.status },
  })
}

/** A debug session that is active for another hour. */
export function rawDebug(name: string, changes: Changes = {}): RawObject {
  return {
    apiVersion: 'breakglass.t-caas.telekom.com/v1alpha1',
    kind: DEBUG_SESSIONS.kind,
    metadata: {
      namespace: 'team',
      name,
      uid: `uid-${name}`,
      resourceVersion: '7',
      creationTimestamp: at(-2 * HOUR_MS),
      ...changes.metadata,
    },
    spec: { cluster: 'edge-7', requestedBy: 'ann@example.test', templateRef: 'shell', ...changes.spec },
    status: { state: 'Active', expiresAt: at(HOUR_MS), ...changes.status },
  } as RawObject
}
