// Who stays when several live sessions are for the same (cluster, user, group): the approved before the waiting before
// the pending one; then the oldest; then by name, then by namespace. Everyone else goes.
// A session loses only to one that is better, so a loser among some of the duplicates is a loser among all of them:
// sessions that were missed, or created meanwhile, can only make fewer lose. Sessions that are to end by the clock take
// no part. See pkg/breakglass/cleanup_duplicate_sessions.go in telekom/k8s-breakglass.

import { keyOf } from '../../../kubernetes/api.ts'
import type { BreakglassSession } from '../../../kubernetes/resources/breakglass-session.ts'
import { toInstant } from '../../../time.ts'
import type { Decision } from './decision.ts'
import { isEnding } from './session.ts'
import { patchFor, type StateChange } from './session-patch.ts'

/** Live states, the best first. */
export const LIVE_STATES: readonly string[] = ['Approved', 'WaitingForScheduledTime', 'Pending']

const TERMINATED: StateChange = {
  to: 'Expired',
  reason: 'duplicateCleanup',
  condition: ['Expired', 'DuplicateSessionTerminated', 'The session was ended: another one for the same access stays.'],
  keepsRetention: true,
}

const WITHDRAWN: StateChange = {
  to: 'Withdrawn',
  reason: 'withdrawn',
  condition: [
    'Canceled',
    'DuplicateSessionWithdrawn',
    'The request was withdrawn: another one for the same access stays.',
  ],
  keepsRetention: true,
}

/** A text that is equal for two sessions exactly when they are for the same cluster, user and group. */
export function tripleOf({ spec }: BreakglassSession): string {
  return JSON.stringify([spec.cluster, spec.user, spec.grantedGroup])
}

/** Decides about sessions as they are now: one decision per loser, the winner of each triple left alone. */
export function decideDuplicates(
  sessions: readonly BreakglassSession[],
  nowMs: number,
): { session: BreakglassSession; decision: Decision }[] {
  const contenders = sessions.filter(session => mayContend(session, nowMs)).sort(compareBestFirst)
  const winners = new Map<string, BreakglassSession>()
  for (const session of contenders) if (!winners.has(tripleOf(session))) winners.set(tripleOf(session), session)
  return contenders.flatMap(session => {
    const winner = winners.get(tripleOf(session))
    return winner && winner !== session ? [{ session, decision: decideLoser(session, winner, nowMs) }] : []
  })
}

function decideLoser(loser: BreakglassSession, winner: BreakglassSession, nowMs: number): Decision {
  const isApproved = loser.status.state === 'Approved'
  const change = isApproved ? TERMINATED : WITHDRAWN
  const now = toInstant(nowMs)
  const status = patchFor(loser, change, nowMs, {
    ...(isApproved && { expiresAt: now }),
    ...(!isApproved && loser.status.withdrawnAtMs === undefined && { withdrawnAt: now }),
  })
  return { to: change.to, reason: change.reason, note: `duplicate of ${keyOf(winner)}`, status }
}

function mayContend(session: BreakglassSession, nowMs: number): boolean {
  return session.metadata.deletedAtMs === undefined && rankOf(session) >= 0 && !isEnding(session, nowMs)
}

function rankOf({ status }: BreakglassSession): number {
  return LIVE_STATES.indexOf(status.state)
}

function compareBestFirst(a: BreakglassSession, b: BreakglassSession): number {
  return (
    rankOf(a) - rankOf(b) ||
    (a.metadata.createdAtMs ?? 0) - (b.metadata.createdAtMs ?? 0) ||
    compareTexts(a.metadata.name, b.metadata.name) ||
    compareTexts(a.metadata.namespace ?? '', b.metadata.namespace ?? '')
  )
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}
