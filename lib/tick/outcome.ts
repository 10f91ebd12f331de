// What a tick came to, as one value: it is the function's answer, the one log line, the metrics, and the table people see.

import type { RefusalReason } from '../lease/lease.ts'
import type { Action, ObjectFailure } from './reconciler.ts'

/**
 * `completed`  everything was looked at and every action took effect.
 * `yielded`    the budget ended first; the checkpoint says where the next tick continues.
 * `skipped`    nothing was to do for this invocation; a success.
 * `fenced`     the lease was found overtaken: ledger and checkpoint are the successor's, which does the work; a success.
 * `failed`     something went wrong; the only outcome that throws.
 */
export type OutcomeKind = 'completed' | 'yielded' | 'skipped' | 'fenced' | 'failed'

/** Why a tick was skipped. `upstream-active`: another controller leads by the Lease that UPSTREAM_LEASE names. */
export type SkipReason = RefusalReason | 'too-late' | 'insufficient-time' | 'disabled' | 'upstream-active'

/** An action that took effect, as a dry run prints it. */
export type Change = Pick<Action, 'object' | 'from' | 'to' | 'reason' | 'note'>

/** The most changes and failures that an outcome lists; all of them are counted. */
export const LISTED = 100

/** What a tick came to. */
export interface TickOutcome {
  readonly kind: OutcomeKind
  readonly loop: string
  /** The tick's identity: an instant, or `manual/<id>`. */
  readonly tick: string
  readonly reason?: SkipReason
  /** Our fencing token; of a skipped tick, that of the term that holds the lease or did this very tick, if it is known. */
  readonly token?: number
  /** Of a tick that was skipped as held or upstream-active: who holds the lease, ours or upstream's. */
  readonly holder?: string
  readonly counts: TickCounts
  /** At most `LISTED`. */
  readonly changes: readonly Change[]
  /** At most `LISTED`; objects that could not be read or changed. */
  readonly failures: readonly ObjectFailure[]
  /** Whom the lease was taken over from, when its holder had not ended. */
  readonly tookOverFrom?: string
  /** Whether an unclean predecessor was waited out. */
  readonly settled?: boolean
  /** Scheduled ticks before this one that never completed. */
  readonly missedTicks: number
  readonly durationMs: number
  /** What was left of the budget's work, ms. */
  readonly budgetLeftMs: number
  /** Why the work was stopped from outside, e.g. `SIGTERM`. */
  readonly stoppedBy?: string
  /** What made the whole tick fail. */
  readonly error?: { readonly code: string; readonly message: string }
  /** One line per shutdown handler that failed or timed out. */
  readonly shutdownErrors: readonly string[]
  /** Actions that had not ended when the drain was over; their outcomes are unknown. */
  readonly abandoned: number
}

/** How many objects were looked at, and what became of them. */
export interface TickCounts {
  readonly observed: number
  readonly planned: number
  readonly changed: number
  readonly unchanged: number
  readonly failed: number
}

/** A tick that failed, thrown so that the platform counts it; the message says what failed and how often. */
export class TickFailedError extends Error {
  override readonly name = 'TickFailedError'
  readonly code = 'TickFailed'
  readonly outcome: TickOutcome

  constructor(outcome: TickOutcome) {
    super(describeFailure(outcome))
    this.outcome = outcome
  }
}

function describeFailure({ loop, tick, error, failures, counts, shutdownErrors }: TickOutcome): string {
  const parts = [`${loop} tick ${tick} failed`]
  if (error) parts.push(error.message)
  const [first] = failures
  if (first)
    parts.push(`${counts.failed} of ${counts.observed} objects failed, first ${first.object}: ${first.message}`)
  if (shutdownErrors.length > 0) parts.push(`shutdown: ${shutdownErrors.join(', ')}`)
  return parts.join('; ')
}
