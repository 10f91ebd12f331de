// Every change the cleanup loop can make, in one table: what the audit record, the counter and the Event about it say.
// `docs/events.md` shows this table; a test keeps the two in step. Notes are constant texts, so no text that a person
// wrote can get into an Event.

/** Why a change is made: for sessions that end, the word that stands in `status.reasonEnded`. */
export type CleanupReason =
  | 'activated'
  | 'missingScheduledStartTime'
  | 'scheduledSessionExpiredBeforeActivation'
  | 'approvalTimeout'
  | 'timeExpired'
  | 'withdrawn'
  | 'duplicateCleanup'
  | 'idleTimeout'
  | 'retentionElapsed'
  | 'orphanWithoutRetention'
  | 'debugTimeExpired'
  | 'debugApprovalTimeout'
  | 'debugRetentionElapsed'

/** How one kind of change is told. */
export interface Transition {
  /** When it is made, for the documents. */
  readonly when: string
  /** Type of the audit record; upstream's words where it has one. */
  readonly audit: string
  /** Name of the counter that goes up by one. */
  readonly counter: string
  readonly event: {
    readonly type: 'Normal' | 'Warning'
    readonly reason: string
    readonly action: string
    /** What happened; the Event adds what was judged, e.g. `ended 3 min ago`. */
    readonly note: string
  }
}

/** Changes by their reason, in the order of the phases that make them. */
export const TRANSITIONS: Readonly<Record<CleanupReason, Transition>> = {
  activated: {
    when: 'a waiting session has reached its scheduled start',
    audit: 'session.activated',
    counter: 'SessionsActivated',
    event: { type: 'Normal', reason: 'SessionActivated', action: 'Activate', note: 'The scheduled session is active' },
  },
  missingScheduledStartTime: {
    when: 'a waiting session has no scheduled start',
    audit: 'session.expired',
    counter: 'SessionsExpired',
    event: {
      type: 'Warning',
      reason: 'MissingScheduledStartTime',
      action: 'Expire',
      note: 'The session could never have started',
    },
  },
  scheduledSessionExpiredBeforeActivation: {
    when: 'a waiting session has reached its scheduled start and its end',
    audit: 'session.expired',
    counter: 'SessionsExpired',
    event: {
      type: 'Warning',
      reason: 'ScheduledSessionExpiredBeforeActivation',
      action: 'Expire',
      note: 'The session expired before it was activated',
    },
  },
  approvalTimeout: {
    when: 'a pending session has reached its approval deadline unanswered',
    audit: 'session.expired',
    counter: 'SessionsExpired',
    event: {
      type: 'Warning',
      reason: 'ApprovalTimeout',
      action: 'Expire',
      note: 'Nobody answered the request in time',
    },
  },
  timeExpired: {
    when: 'an approved session is past its end',
    audit: 'session.expired',
    counter: 'SessionsExpired',
    event: { type: 'Normal', reason: 'ExpiredByTime', action: 'Expire', note: 'The session expired' },
  },
  withdrawn: {
    when: 'a pending or waiting session has a better duplicate',
    audit: 'session.withdrawn',
    counter: 'SessionsWithdrawn',
    event: {
      type: 'Warning',
      reason: 'DuplicateSessionWithdrawn',
      action: 'Withdraw',
      note: 'The request was withdrawn',
    },
  },
  duplicateCleanup: {
    when: 'an approved session has a better duplicate',
    audit: 'session.expired',
    counter: 'SessionsExpired',
    event: { type: 'Warning', reason: 'DuplicateSessionTerminated', action: 'Expire', note: 'The session was ended' },
  },
  idleTimeout: {
    when: 'an approved session was last used its idle timeout ago, or longer',
    audit: 'session.idle_expired',
    counter: 'SessionsIdleExpired',
    event: { type: 'Normal', reason: 'IdleTimeout', action: 'Expire', note: 'The session ended for being idle' },
  },
  retentionElapsed: {
    when: 'an ended session is past its retention',
    audit: 'session.deleted',
    counter: 'SessionsDeleted',
    event: { type: 'Normal', reason: 'RetentionElapsed', action: 'Delete', note: 'The ended session was deleted' },
  },
  orphanWithoutRetention: {
    when: 'an ended session has neither an owner nor a retention',
    audit: 'session.deleted',
    counter: 'SessionsDeleted',
    event: {
      type: 'Normal',
      reason: 'OrphanWithoutRetention',
      action: 'Delete',
      note: 'The ended session was deleted',
    },
  },
  debugTimeExpired: {
    when: 'an active debug session is past its end, is not notify-only, and ending debug sessions is switched on',
    audit: 'debug_session.expired',
    counter: 'DebugSessionsExpired',
    event: { type: 'Normal', reason: 'ExpiredByTime', action: 'Expire', note: 'The debug session expired' },
  },
  debugApprovalTimeout: {
    when: 'a debug session has waited too long for its approval, and ending debug sessions is switched on',
    audit: 'debug_session.failed',
    counter: 'DebugSessionsFailed',
    event: {
      type: 'Warning',
      reason: 'ApprovalTimeout',
      action: 'Fail',
      note: 'Nobody approved the debug session in time',
    },
  },
  debugRetentionElapsed: {
    when: 'an ended debug session is past its retention',
    audit: 'debug_session.deleted',
    counter: 'DebugSessionsDeleted',
    event: {
      type: 'Normal',
      reason: 'RetentionElapsed',
      action: 'Delete',
      note: 'The ended debug session was deleted',
    },
  },
}
