// What happens to one session: per phase an ordered list of rules, of which the first that holds decides. The end of an
// approved session and a retention must be over (now > it), so that their last second still counts; a start, an approval
// deadline, an idle timeout and the end of a session that never started are due at their very second (now >= it). Each
// rule names the states it is for: '' and unknown states match none. An object that is being deleted is left alone.
// Facts: pkg/breakglass/{scheduled_activation,expire_pending_sessions,expire_approved_sessions,expire_idle_sessions,
// cleanup_task}.go in telekom/k8s-breakglass.
//
// | phase     | from                   | when                                                     | to              |
// |-----------|------------------------|----------------------------------------------------------|-----------------|
// | activate  | WaitingForScheduledTime| no scheduled start                                       | Expired         |
// |           |                        | now >= start, now >= end                                 | Expired         |
// |           |                        | now >= start                                             | Approved        |
// | timeout   | Pending                | now >= approval deadline, neither approved nor rejected  | ApprovalTimeout |
// | expire    | Approved               | now > end                                                | Expired         |
// | idle      | Approved               | now - last activity >= idle timeout                      | IdleExpired     |
// | retention | any ended              | now > retained until                                     | deleted         |
// |           |                        | no owner, no retention                                   | deleted         |

import type { BreakglassSession } from '../../../kubernetes/resources/breakglass-session.ts'
import { describeMs, toInstant } from '../../../time.ts'
import { ago, type Decision, isPast, isReached, type StatusPatch, timeOfDay } from './decision.ts'
import { patchFor, type StateChange } from './session-patch.ts'
import type { CleanupReason } from './transitions.ts'

/** The phases that judge sessions one by one. */
export type SessionPhase = 'activate' | 'timeout' | 'expire' | 'idle' | 'retention'

/** States that a session never leaves. */
export const ENDED_STATES: readonly string[] = ['Rejected', 'Withdrawn', 'Expired', 'IdleExpired', 'ApprovalTimeout']

interface Rule {
  readonly reason: CleanupReason
  readonly from: readonly string[]
  readonly holds: (session: BreakglassSession, nowMs: number) => boolean
  readonly note: (session: BreakglassSession, nowMs: number) => string
  /** Absent: the session is to be deleted. */
  readonly change?: Omit<StateChange, 'reason'>
  /** Further status keys that change. */
  readonly also?: (session: BreakglassSession, nowMs: number) => StatusPatch
}

const MISSING_START: Rule = {
  reason: 'missingScheduledStartTime',
  from: ['WaitingForScheduledTime'],
  holds: ({ spec }) => spec.scheduledStartAtMs === undefined,
  note: () => 'it has no scheduled start',
  change: {
    to: 'Expired',
    condition: ['Expired', 'MissingScheduledStartTime', 'The session waited without a scheduled start.'],
  },
  also: endNoLaterThanNow,
}

const OVER_BEFORE_ACTIVATION: Rule = {
  reason: 'scheduledSessionExpiredBeforeActivation',
  from: ['WaitingForScheduledTime'],
  holds: ({ spec, status }, nowMs) => isReached(spec.scheduledStartAtMs, nowMs) && isReached(status.expiresAtMs, nowMs),
  note: ({ status }, nowMs) => `ended ${ago(status.expiresAtMs, nowMs)}`,
  change: {
    to: 'Expired',
    condition: ['Expired', 'ScheduledSessionExpiredBeforeActivation', 'The session ended before it was activated.'],
  },
  also: endNoLaterThanNow,
}

const START_REACHED: Rule = {
  reason: 'activated',
  from: ['WaitingForScheduledTime'],
  holds: ({ spec }, nowMs) => isReached(spec.scheduledStartAtMs, nowMs),
  note: ({ spec }, nowMs) => `start ${timeOfDay(spec.scheduledStartAtMs ?? nowMs)} reached`,
  change: {
    to: 'Approved',
    condition: ['ScheduledStartTimeReached', 'ActivationTriggered', 'The scheduled start was reached.'],
  },
  also: (_session, nowMs) => ({ actualStartTime: toInstant(nowMs) }),
}

const UNANSWERED: Rule = {
  reason: 'approvalTimeout',
  from: ['Pending'],
  holds: ({ status }, nowMs) =>
    status.approvedAtMs === undefined && status.rejectedAtMs === undefined && isReached(status.timeoutAtMs, nowMs),
  note: ({ status }, nowMs) => `approval was due ${ago(status.timeoutAtMs, nowMs)}`,
  change: { to: 'ApprovalTimeout', condition: ['Expired', 'ApprovalTimeout', 'The session was not approved in time.'] },
}

const TIME_OVER: Rule = {
  reason: 'timeExpired',
  from: ['Approved'],
  holds: ({ status }, nowMs) => isPast(status.expiresAtMs, nowMs),
  note: ({ status }, nowMs) => `ended ${ago(status.expiresAtMs, nowMs)}`,
  change: { to: 'Expired', condition: ['Expired', 'ExpiredByTime', 'The session is past its end.'] },
}

const IDLE: Rule = {
  reason: 'idleTimeout',
  from: ['Approved'],
  holds: ({ spec, status }, nowMs) =>
    spec.idleTimeoutMs !== undefined &&
    status.lastActivityAtMs !== undefined &&
    nowMs - status.lastActivityAtMs >= spec.idleTimeoutMs,
  note: ({ spec, status }, nowMs) =>
    `last used ${ago(status.lastActivityAtMs, nowMs)}, may be idle for ${describeMs(spec.idleTimeoutMs ?? 0)}`,
  change: { to: 'IdleExpired', condition: ['Idle', 'IdleTimeout', 'The session was idle for longer than it may be.'] },
}

const RETENTION_OVER: Rule = {
  reason: 'retentionElapsed',
  from: ENDED_STATES,
  holds: ({ status }, nowMs) => isPast(status.retainedUntilMs, nowMs),
  note: ({ status }, nowMs) => `retention ended ${ago(status.retainedUntilMs, nowMs)}`,
}

const ORPHAN: Rule = {
  reason: 'orphanWithoutRetention',
  from: ENDED_STATES,
  holds: ({ metadata, status }) => !metadata.hasOwner && status.retainedUntilMs === undefined,
  note: () => 'it has neither an owner nor a retention',
}

const RULES: Readonly<Record<SessionPhase, readonly Rule[]>> = {
  activate: [MISSING_START, OVER_BEFORE_ACTIVATION, START_REACHED],
  timeout: [UNANSWERED],
  expire: [TIME_OVER],
  idle: [IDLE],
  retention: [RETENTION_OVER, ORPHAN],
}

/** Decides about one session in one phase; undefined when nothing is to be done. */
export function decideSession(phase: SessionPhase, session: BreakglassSession, nowMs: number): Decision | undefined {
  if (session.metadata.deletedAtMs !== undefined) return undefined
  const rule = RULES[phase].find(({ from, holds }) => from.includes(session.status.state) && holds(session, nowMs))
  if (!rule) return undefined
  const { reason } = rule
  const note = rule.note(session, nowMs)
  if (!rule.change) return { to: 'deleted', reason, note }
  const status = patchFor(session, { ...rule.change, reason }, nowMs, rule.also?.(session, nowMs))
  return { to: rule.change.to, reason, note, status }
}

/** Whether a session is to end by the clock, so that it can't be the one that stays among duplicates. */
export function isEnding(session: BreakglassSession, nowMs: number): boolean {
  return (['activate', 'timeout', 'expire'] as const).some(phase => {
    const decision = decideSession(phase, session, nowMs)
    return decision !== undefined && ENDED_STATES.includes(decision.to)
  })
}

function endNoLaterThanNow({ status }: BreakglassSession, nowMs: number): StatusPatch {
  return isReached(status.expiresAtMs, nowMs) ? {} : { expiresAt: toInstant(nowMs) }
}
