// The status a session gets, field by field as its API and webhook expect it: only keys that change, whole conditions,
// second precision.

import type { BreakglassSession } from '../../../kubernetes/resources/breakglass-session.ts'
import { withCondition } from '../../../kubernetes/resources/condition.ts'
import { toInstant } from '../../../time.ts'
import type { StatusPatch } from './decision.ts'
import type { CleanupReason } from './transitions.ts'

/** A change of a session's state. */
export interface StateChange {
  /** The state it gets; Approved is the only one that does not end it. */
  readonly to: string
  readonly reason: CleanupReason
  /** Type, reason and message of the one condition that becomes True. */
  readonly condition: readonly [type: string, reason: string, message: string]
  /** Leaves a `retainedUntil` that is already set; default false. */
  readonly keepsRetention?: boolean
}

/**
 * Builds the merge patch for a change of state.
 *
 * A state that ends the session also gets `reasonEnded` and `retainedUntil`, which is now + `spec.retainFor`.
 *
 * @param also further keys that change.
 */
export function patchFor(
  session: BreakglassSession,
  change: StateChange,
  nowMs: number,
  also: StatusPatch = {},
): StatusPatch {
  const { metadata, status } = session
  const [type, reason, message] = change.condition
  const observed = metadata.generation === undefined ? {} : { observedGeneration: metadata.generation }
  return {
    state: change.to,
    ...(change.to !== 'Approved' && { reasonEnded: change.reason, ...retentionOf(session, change, nowMs) }),
    ...also,
    conditions: withCondition(status.conditions, { type, status: 'True', reason, message, ...observed }, nowMs),
    ...observed,
  }
}

function retentionOf({ spec, status }: BreakglassSession, change: StateChange, nowMs: number): StatusPatch {
  if (change.keepsRetention && status.retainedUntilMs !== undefined) return {}
  return { retainedUntil: toInstant(nowMs + spec.retainForMs) }
}
