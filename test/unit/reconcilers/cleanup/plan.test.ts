import { describe, expect, it } from 'vitest'
import type { RawObject } from '../../../../lib/kubernetes/api.ts'
import { parseBreakglassSession } from '../../../../lib/kubernetes/resources/breakglass-session.ts'
import { parseDebugSession } from '../../../../lib/kubernetes/resources/debug-session.ts'
import { type CleanupAction, PHASES, planCleanup } from '../../../../lib/reconcilers/cleanup/plan.ts'
import type { SessionPhase } from '../../../../lib/reconcilers/cleanup/rules/session.ts'
import { type CleanupSettings, DEFAULT_SETTINGS } from '../../../../lib/reconcilers/cleanup/rules/settings.ts'
import {
  at,
  FRESH_CONDITION,
  hour,
  minute,
  rawDebug,
  rawPending,
  rawSession,
  rawWaiting,
  second,
  T,
} from './fixtures.ts'

const SESSION_PHASES = PHASES.filter((phase): phase is SessionPhase => phase !== 'duplicates' && phase !== 'debug')

/** Plans one session in the phases of a tick until one has something to do. */
function planSession(raw: RawObject): CleanupAction | undefined {
  const session = parseBreakglassSession(raw)
  const items = SESSION_PHASES.map(phase => ({ phase, session }))
  return planCleanup({ items }, T, DEFAULT_SETTINGS)[0]
}

function outcomeOf(raw: RawObject): string {
  const action = planSession(raw)
  return action ? `${action.to}/${action.reason}` : 'unchanged'
}

const ended = (state: string, status = {}, metadata = {}) => rawSession('a', { status: { state, ...status }, metadata })

describe('planning one session', () => {
  const table: [title: string, session: RawObject, outcome: string][] = [
    [
      'times out a pending session at its deadline',
      rawPending('a', { status: { timeoutAt: at(0) } }),
      'ApprovalTimeout/approvalTimeout',
    ],
    [
      'leaves a pending session 1 s before its deadline',
      rawPending('a', { status: { timeoutAt: at(second) } }),
      'unchanged',
    ],
    ['leaves a pending session without a deadline', rawPending('a', { status: { timeoutAt: null } }), 'unchanged'],
    [
      'leaves a pending session that was approved',
      rawPending('a', { status: { timeoutAt: at(-hour), approvedAt: at(-hour) } }),
      'unchanged',
    ],
    [
      'leaves a pending session that was rejected',
      rawPending('a', { status: { timeoutAt: at(-hour), rejectedAt: at(-hour) } }),
      'unchanged',
    ],
    ['leaves an approved session in its last second', rawSession('a', { status: { expiresAt: at(0) } }), 'unchanged'],
    [
      'expires an approved session 1 s after its end',
      rawSession('a', { status: { expiresAt: at(-second) } }),
      'Expired/timeExpired',
    ],
    ['leaves an approved session without an end', rawSession('a', { status: { expiresAt: null } }), 'unchanged'],
    [
      'leaves an approved session with the zero time as its end',
      rawSession('a', { status: { expiresAt: '0001-01-01T00:00:00Z' } }),
      'unchanged',
    ],
    [
      'activates a waiting session at its start',
      rawWaiting('a', { spec: { scheduledStartTime: at(0) } }),
      'Approved/activated',
    ],
    [
      'leaves a waiting session 1 s before its start',
      rawWaiting('a', { spec: { scheduledStartTime: at(second) } }),
      'unchanged',
    ],
    [
      'activates a waiting session 1 s before its end',
      rawWaiting('a', { spec: { scheduledStartTime: at(-hour) }, status: { expiresAt: at(second) } }),
      'Approved/activated',
    ],
    [
      'expires a waiting session at its end',
      rawWaiting('a', { spec: { scheduledStartTime: at(-hour) }, status: { expiresAt: at(0) } }),
      'Expired/scheduledSessionExpiredBeforeActivation',
    ],
    [
      'activates a waiting session without an end',
      rawWaiting('a', { spec: { scheduledStartTime: at(0) }, status: { expiresAt: null } }),
      'Approved/activated',
    ],
    [
      'expires a waiting session without a start',
      rawWaiting('a', { spec: { scheduledStartTime: null } }),
      'Expired/missingScheduledStartTime',
    ],
    [
      'leaves a waiting session whose end is before its coming start',
      rawWaiting('a', { status: { expiresAt: at(-hour) } }),
      'unchanged',
    ],
    [
      'ends a session that was last used its idle timeout ago',
      rawSession('a', { spec: { idleTimeout: '20m' }, status: { lastActivity: at(-20 * minute) } }),
      'IdleExpired/idleTimeout',
    ],
    [
      'leaves a session that was used 1 s later than that',
      rawSession('a', { spec: { idleTimeout: '20m' }, status: { lastActivity: at(second - 20 * minute) } }),
      'unchanged',
    ],
    ['leaves a session that was never used', rawSession('a', { spec: { idleTimeout: '20m' } }), 'unchanged'],
    [
      'leaves an unused session whose idle timeout is 0s',
      rawSession('a', { spec: { idleTimeout: '0s' }, status: { lastActivity: at(-hour) } }),
      'unchanged',
    ],
    [
      'leaves an unused session whose idle timeout is no duration',
      rawSession('a', { spec: { idleTimeout: 'soon' }, status: { lastActivity: at(-hour) } }),
      'unchanged',
    ],
    [
      'leaves a session that was used in the future',
      rawSession('a', { spec: { idleTimeout: '20m' }, status: { lastActivity: at(hour) } }),
      'unchanged',
    ],
    [
      'expires by time what is idle as well',
      rawSession('a', { spec: { idleTimeout: '20m' }, status: { expiresAt: at(-second), lastActivity: at(-hour) } }),
      'Expired/timeExpired',
    ],
    [
      'keeps a rejected session in the last second of its retention',
      ended('Rejected', { retainedUntil: at(0) }),
      'unchanged',
    ],
    [
      'deletes a rejected session 1 s after its retention',
      ended('Rejected', { retainedUntil: at(-second) }),
      'deleted/retentionElapsed',
    ],
    [
      'deletes a withdrawn session after its retention',
      ended('Withdrawn', { retainedUntil: at(-second) }),
      'deleted/retentionElapsed',
    ],
    [
      'deletes an expired session after its retention',
      ended('Expired', { retainedUntil: at(-second) }),
      'deleted/retentionElapsed',
    ],
    [
      'deletes an idle-expired session after its retention',
      ended('IdleExpired', { retainedUntil: at(-second) }),
      'deleted/retentionElapsed',
    ],
    [
      'deletes a timed-out session after its retention',
      ended('ApprovalTimeout', { retainedUntil: at(-second) }),
      'deleted/retentionElapsed',
    ],
    [
      'keeps a pending session whose retention is over',
      rawPending('a', { status: { retainedUntil: at(-hour) } }),
      'unchanged',
    ],
    [
      'keeps an approved session whose retention is over',
      rawSession('a', { status: { retainedUntil: at(-hour) } }),
      'unchanged',
    ],
    [
      'deletes an ended session with neither owner nor retention',
      ended('Expired', {}, { ownerReferences: null }),
      'deleted/orphanWithoutRetention',
    ],
    ['keeps an ended session without retention that has an owner', ended('Expired'), 'unchanged'],
    [
      'keeps an ended session without owner inside its retention',
      ended('Expired', { retainedUntil: at(hour) }, { ownerReferences: [] }),
      'unchanged',
    ],
    [
      'keeps an approved session with neither owner nor retention',
      rawSession('a', { metadata: { ownerReferences: [] } }),
      'unchanged',
    ],
    [
      'leaves a session without a state',
      ended('', { expiresAt: at(-hour), timeoutAt: at(-hour), retainedUntil: at(-hour) }),
      'unchanged',
    ],
    [
      'leaves a session with an unknown state',
      ended('Suspended', { expiresAt: at(-hour), retainedUntil: at(-hour) }, { ownerReferences: [] }),
      'unchanged',
    ],
    [
      'leaves a session that is being deleted',
      rawSession('a', { metadata: { deletionTimestamp: at(-minute) }, status: { expiresAt: at(-hour) } }),
      'unchanged',
    ],
  ]
  it.each(table)('%s', (_title, session, outcome) => expect(outcomeOf(session)).toBe(outcome))
})

describe('the patch of a session', () => {
  const expired = (reason: string, message: string) => ({
    type: 'Expired',
    status: 'True',
    reason,
    message,
    observedGeneration: 2,
    lastTransitionTime: at(0),
  })

  it('activates with the actual start and leaves the end alone', () => {
    const action = planSession(rawWaiting('a', { spec: { scheduledStartTime: at(-30 * second) } }))
    expect(action).toEqual({
      phase: 'activate',
      object: 'team/a',
      from: 'WaitingForScheduledTime',
      to: 'Approved',
      reason: 'activated',
      note: 'start 07:59:30Z reached',
      target: {
        resource: expect.objectContaining({ plural: 'breakglasssessions' }),
        namespace: 'team',
        name: 'a',
        uid: 'uid-a',
        resourceVersion: '7',
      },
      status: {
        state: 'Approved',
        actualStartTime: at(0),
        observedGeneration: 2,
        conditions: [
          FRESH_CONDITION,
          {
            type: 'ScheduledStartTimeReached',
            status: 'True',
            reason: 'ActivationTriggered',
            message: 'The scheduled start was reached.',
            observedGeneration: 2,
            lastTransitionTime: at(0),
          },
        ],
      },
    })
  })

  it('times out with a retention and without an end', () => {
    const action = planSession(rawPending('a', { status: { timeoutAt: at(-3 * minute) } }))
    expect(action?.note).toBe('approval was due 3 min ago')
    expect(action?.status).toEqual({
      state: 'ApprovalTimeout',
      reasonEnded: 'approvalTimeout',
      retainedUntil: at(24 * hour),
      observedGeneration: 2,
      conditions: [FRESH_CONDITION, expired('ApprovalTimeout', 'The session was not approved in time.')],
    })
  })

  it('expires by time with a retention and without touching the end', () => {
    const action = planSession(rawSession('a', { status: { expiresAt: at(-3 * minute) } }))
    expect(action?.note).toBe('ended 3 min ago')
    expect(action?.status).toEqual({
      state: 'Expired',
      reasonEnded: 'timeExpired',
      retainedUntil: at(24 * hour),
      observedGeneration: 2,
      conditions: [FRESH_CONDITION, expired('ExpiredByTime', 'The session is past its end.')],
    })
  })

  it.each([
    ['sets the end when there is none', null, { expiresAt: at(0) }],
    ['brings an end in the future forward', at(hour), { expiresAt: at(0) }],
    ['leaves an end that was reached', at(0), {}],
  ])('of a waiting session without a start %s', (_title, expiresAt, end) => {
    const action = planSession(rawWaiting('a', { spec: { scheduledStartTime: null }, status: { expiresAt } }))
    expect(action?.status).toEqual({
      state: 'Expired',
      reasonEnded: 'missingScheduledStartTime',
      retainedUntil: at(24 * hour),
      ...end,
      observedGeneration: 2,
      conditions: [
        FRESH_CONDITION,
        expired('MissingScheduledStartTime', 'The session waited without a scheduled start.'),
      ],
    })
  })

  it('of a waiting session that is over keeps its end', () => {
    const action = planSession(
      rawWaiting('a', { spec: { scheduledStartTime: at(-hour) }, status: { expiresAt: at(-minute) } }),
    )
    expect(action?.status).toEqual({
      state: 'Expired',
      reasonEnded: 'scheduledSessionExpiredBeforeActivation',
      retainedUntil: at(24 * hour),
      observedGeneration: 2,
      conditions: [
        FRESH_CONDITION,
        expired('ScheduledSessionExpiredBeforeActivation', 'The session ended before it was activated.'),
      ],
    })
  })

  it('replaces a retention from before, so that what just ended is not deleted at once', () => {
    const action = planSession(rawSession('a', { status: { expiresAt: at(-second), retainedUntil: at(-hour) } }))
    expect(action?.status).toMatchObject({ retainedUntil: at(24 * hour) })
  })

  it('ends an idle session by replacing its Idle condition, whose transition time stays', () => {
    const action = planSession(
      rawSession('a', { spec: { idleTimeout: '20m' }, status: { lastActivity: at(-25 * minute) } }),
    )
    expect(action?.note).toBe('last used 25 min ago, may be idle for 20 min')
    expect(action?.status).toEqual({
      state: 'IdleExpired',
      reasonEnded: 'idleTimeout',
      retainedUntil: at(24 * hour),
      observedGeneration: 2,
      conditions: [
        {
          ...FRESH_CONDITION,
          reason: 'IdleTimeout',
          message: 'The session was idle for longer than it may be.',
          observedGeneration: 2,
        },
      ],
    })
  })

  it('of a deletion is none, and the target names uid and resourceVersion', () => {
    const action = planSession(ended('Rejected', { retainedUntil: at(-second) }))
    expect(action).not.toHaveProperty('status')
    expect(action?.target).toMatchObject({ uid: 'uid-a', resourceVersion: '7' })
  })

  it('leaves observedGeneration out when the object has no generation', () => {
    const action = planSession(rawSession('a', { metadata: { generation: undefined }, status: { expiresAt: at(-1) } }))
    expect(action?.status).not.toHaveProperty('observedGeneration')
  })

  it.each([
    ['14d', at(14 * 24 * hour)],
    ['soon', at(720 * hour)],
    ['', at(720 * hour)],
    ['0s', at(720 * hour)],
    ['366d', at(720 * hour)],
    ['300y', at(720 * hour)],
    [null, at(720 * hour)],
  ])('with retainFor %j is kept until %s', (retainFor, retainedUntil) => {
    const action = planSession(rawSession('a', { spec: { retainFor }, status: { expiresAt: at(-second) } }))
    expect(action?.status).toMatchObject({ retainedUntil })
  })
})

describe('planning one debug session', () => {
  const on = { ...DEFAULT_SETTINGS, expireDebugSessions: true }
  const pendingApproval = { state: 'PendingApproval', expiresAt: null, approval: {} }
  const day = 24 * hour
  const old = { creationTimestamp: at(-day - second) }
  const table: [title: string, session: RawObject, settings: CleanupSettings, outcome: string][] = [
    [
      'deletes an expired one 1 s after its retention',
      rawDebug('d', { status: { state: 'Expired', expiresAt: at(-7 * day - second) } }),
      DEFAULT_SETTINGS,
      'deleted/debugRetentionElapsed',
    ],
    [
      'keeps an expired one in the last second of its retention',
      rawDebug('d', { status: { state: 'Expired', expiresAt: at(-7 * day) } }),
      DEFAULT_SETTINGS,
      'unchanged',
    ],
    [
      'deletes a terminated one after its retention',
      rawDebug('d', { status: { state: 'Terminated', expiresAt: at(-8 * day) } }),
      DEFAULT_SETTINGS,
      'deleted/debugRetentionElapsed',
    ],
    [
      'counts the retention from the creation where there is no end',
      rawDebug('d', { metadata: { creationTimestamp: at(-8 * day) }, status: { state: 'Failed', expiresAt: null } }),
      DEFAULT_SETTINGS,
      'deleted/debugRetentionElapsed',
    ],
    [
      'keeps an ended one that has neither end nor creation',
      rawDebug('d', { metadata: { creationTimestamp: null }, status: { state: 'Failed', expiresAt: null } }),
      DEFAULT_SETTINGS,
      'unchanged',
    ],
    [
      'keeps an active one past its retention',
      rawDebug('d', { status: { expiresAt: at(-8 * day) } }),
      DEFAULT_SETTINGS,
      'unchanged',
    ],
    [
      'expires an active one 1 s after its end when switched on',
      rawDebug('d', { status: { expiresAt: at(-second) } }),
      on,
      'Expired/debugTimeExpired',
    ],
    ['leaves an active one in its last second', rawDebug('d', { status: { expiresAt: at(0) } }), on, 'unchanged'],
    ['leaves an active one without an end', rawDebug('d', { status: { expiresAt: null } }), on, 'unchanged'],
    [
      'leaves an active one past its end that is notify-only',
      rawDebug('d', { status: { expiresAt: at(-second), resolvedTemplate: { expirationBehavior: 'notify-only' } } }),
      on,
      'unchanged',
    ],
    [
      'fails one that waited 24 h and 1 s for its approval when switched on',
      rawDebug('d', { metadata: old, status: pendingApproval }),
      on,
      'Failed/debugApprovalTimeout',
    ],
    [
      'leaves one that waited 24 h for its approval',
      rawDebug('d', { metadata: { creationTimestamp: at(-day) }, status: pendingApproval }),
      on,
      'unchanged',
    ],
    [
      'leaves one that waits for an approval it has no record of',
      rawDebug('d', { metadata: old, status: { ...pendingApproval, approval: null } }),
      on,
      'unchanged',
    ],
    [
      'leaves one that waits for its approval when switched off',
      rawDebug('d', { metadata: old, status: pendingApproval }),
      DEFAULT_SETTINGS,
      'unchanged',
    ],
    ['leaves one without a state', rawDebug('d', { status: { state: '', expiresAt: at(-8 * day) } }), on, 'unchanged'],
    [
      'leaves one that is being deleted',
      rawDebug('d', { metadata: { deletionTimestamp: at(0) }, status: { state: 'Expired', expiresAt: at(-8 * day) } }),
      on,
      'unchanged',
    ],
  ]
  it.each(table)('%s', (_title, raw, settings, outcome) => {
    const [action] = planCleanup({ items: [{ phase: 'debug', session: parseDebugSession(raw) }] }, T, settings)
    expect(action ? `${action.to}/${action.reason}` : 'unchanged').toBe(outcome)
  })

  it('patches state and message only', () => {
    const session = parseDebugSession(rawDebug('d', { status: { expiresAt: at(-second) } }))
    const [action] = planCleanup({ items: [{ phase: 'debug', session }] }, T, on)
    expect(action?.status).toEqual({
      state: 'Expired',
      message: 'Expired by the cleanup loop: the session is past its end.',
    })
  })
})
