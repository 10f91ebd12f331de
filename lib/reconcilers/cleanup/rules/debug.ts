// What happens to one debug session. Deleting ended ones is always on. Ending them is opt-in: upstream's own controller
// does it together with the workload, and one that only says Expired would leave its pods behind. Where it is on, a
// template that asks for notify-only ends nothing. See pkg/breakglass/cleanup_task.go in telekom/k8s-breakglass.

import type { DebugSession } from '../../../kubernetes/resources/debug-session.ts'
import { describeMs } from '../../../time.ts'
import { ago, type Decision, isPast } from './decision.ts'
import type { CleanupSettings } from './settings.ts'

const ENDED_STATES: readonly string[] = ['Expired', 'Terminated', 'Failed']

/** Decides about one debug session; undefined when nothing is to be done. */
export function decideDebug(session: DebugSession, nowMs: number, settings: CleanupSettings): Decision | undefined {
  if (session.metadata.deletedAtMs !== undefined) return undefined
  if (ENDED_STATES.includes(session.status.state)) return decideRetention(session, nowMs, settings.debugRetentionMs)
  if (!settings.expireDebugSessions) return undefined
  return decideExpiry(session, nowMs) ?? decideApproval(session, nowMs, settings.debugApprovalTimeoutMs)
}

/** Counted from the end, or from the creation where there is no end; without either it is kept. */
function decideRetention({ metadata, status }: DebugSession, nowMs: number, retentionMs: number): Decision | undefined {
  const endedAtMs = status.expiresAtMs ?? metadata.createdAtMs
  if (endedAtMs === undefined || !isPast(endedAtMs + retentionMs, nowMs)) return undefined
  const note = `retention ended ${ago(endedAtMs + retentionMs, nowMs)}`
  return { to: 'deleted', reason: 'debugRetentionElapsed', note }
}

function decideExpiry({ status }: DebugSession, nowMs: number): Decision | undefined {
  if (status.state !== 'Active' || status.isNotifyOnly || !isPast(status.expiresAtMs, nowMs)) return undefined
  return {
    to: 'Expired',
    reason: 'debugTimeExpired',
    note: `ended ${ago(status.expiresAtMs, nowMs)}`,
    status: { state: 'Expired', message: 'Expired by the cleanup loop: the session is past its end.' },
  }
}

function decideApproval({ metadata, status }: DebugSession, nowMs: number, timeoutMs: number): Decision | undefined {
  if (status.state !== 'PendingApproval' || !status.hasApproval || metadata.createdAtMs === undefined) return undefined
  if (!isPast(metadata.createdAtMs + timeoutMs, nowMs)) return undefined
  const note = `not approved within ${describeMs(timeoutMs)}`
  return {
    to: 'Failed',
    reason: 'debugApprovalTimeout',
    note,
    status: { state: 'Failed', message: `Ended by the cleanup loop: ${note}.` },
  }
}
