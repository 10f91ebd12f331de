// What an installation may choose about the cleanup loop. Sessions have no settings: their own fields say everything.

import { DAY_MS, HOUR_MS } from '../../../time.ts'

/** Settings of the cleanup loop; all about debug sessions. */
export interface CleanupSettings {
  /** How long an ended debug session is kept after it expired, ms; default 168 h. */
  readonly debugRetentionMs: number
  /** How long a debug session may wait for its approval, ms, counted from its creation; default 24 h. */
  readonly debugApprovalTimeoutMs: number
  /**
   * Whether debug sessions are ended too; default false. Leave it off where upstream's own controller runs: that one also
   * removes the workload, and a debug session that only says Expired keeps its pods.
   */
  readonly expireDebugSessions: boolean
}

/** The settings of an installation that chose nothing. */
export const DEFAULT_SETTINGS: CleanupSettings = {
  debugRetentionMs: 7 * DAY_MS,
  debugApprovalTimeoutMs: 24 * HOUR_MS,
  expireDebugSessions: false,
}
