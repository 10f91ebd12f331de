// What a tick counts while it runs, and the outcome made of it.

import { errorCode, errorMessage, FenceError, LeaseLostError } from '../errors.ts'
import type { Grant, LeaseRecord, TickIdentity } from '../lease/lease.ts'
import type { Clock } from '../time.ts'
import type { Budget } from './budget.ts'
import { type Change, LISTED, type OutcomeKind, type SkipReason, type TickOutcome } from './outcome.ts'
import type { Action, Applied, ObjectFailure, Page } from './reconciler.ts'
import { missedTicks } from './schedule.ts'
import type { ShutdownResult } from './shutdown.ts'

/** The running count of one tick. */
export interface Tally {
  /** The lease is ours; told again when the fence had to be healed. */
  acquired(grant: Grant): void
  settled(): void
  observed(page: Page<unknown, unknown>, planned: number): void
  /** Awaits one action and counts what became of it; never rejects. */
  apply(action: Action, applied: Promise<Applied>): Promise<void>
  /** What made the whole tick fail; the first one stays. */
  fail(error: unknown): void
  /** The lease was found overtaken. */
  isFenced(): boolean
  /** Something failed: the tick as a whole, or an object. */
  hasFailed(): boolean
  /** Makes the outcome. */
  outcome(kind: OutcomeKind, shutdown?: ShutdownResult): TickOutcome
  /** Makes the outcome of a tick that was not ours to do. */
  skipped(reason: SkipReason, record?: LeaseRecord): TickOutcome
}

/** Starts counting. */
export function openTally(
  loop: string,
  request: { tick: TickIdentity; periodMs: number; budget?: Budget },
  clock: Clock,
): Tally {
  const beganMs = clock.monotonicMs()
  const counts = { observed: 0, planned: 0, changed: 0, unchanged: 0, failed: 0 }
  const changes: Change[] = []
  const failures: ObjectFailure[] = []
  let grant: Grant | undefined
  let isSettled = false
  let error: TickOutcome['error']
  let isFenced = false

  function note(failure: ObjectFailure): void {
    counts.failed++
    if (failures.length < LISTED) failures.push(failure)
  }

  function fail(thrown: unknown): void {
    if (thrown instanceof LeaseLostError) isFenced = true
    else error ??= { code: errorCode(thrown), message: errorMessage(thrown) }
  }

  function base(kind: OutcomeKind): TickOutcome {
    const { tick, periodMs, budget } = request
    const stoppedBy = budget?.stoppedBy()
    return {
      kind,
      loop,
      tick: tick.id,
      counts,
      changes,
      failures,
      missedTicks: missedTicks(grant?.completedTick, tick, periodMs),
      durationMs: Math.round(clock.monotonicMs() - beganMs),
      budgetLeftMs: Math.round(budget?.workLeftMs() ?? 0),
      shutdownErrors: [],
      abandoned: 0,
      ...(stoppedBy === undefined ? {} : { stoppedBy }),
    }
  }

  return {
    acquired(given) {
      grant = given
    },
    settled() {
      isSettled = grant !== undefined && !grant.isClean
    },
    observed(page, planned) {
      counts.observed += page.items.length + page.broken.length
      counts.planned += planned
      for (const failure of page.broken) note(failure)
    },
    async apply(action, applied) {
      try {
        const result = await applied
        counts[result]++
        if (result === 'changed' && changes.length < LISTED) changes.push(changeOf(action))
      } catch (thrown) {
        if (thrown instanceof LeaseLostError) {
          isFenced = true
          request.budget?.stop('fenced')
        } else if (thrown instanceof FenceError) {
          fail(thrown)
          request.budget?.stop(thrown.code)
        } else note({ object: action.object, code: errorCode(thrown), message: errorMessage(thrown) })
      }
    },
    fail,
    isFenced: () => isFenced,
    hasFailed: () => error !== undefined || counts.failed > 0,
    outcome: (kind, shutdown) => ({
      ...base(kind),
      ...(grant ? { token: grant.token, settled: isSettled } : {}),
      ...(grant?.tookOverFrom ? { tookOverFrom: grant.tookOverFrom } : {}),
      ...(error ? { error } : {}),
      ...(shutdown ? { shutdownErrors: shutdown.errors, abandoned: shutdown.abandoned } : {}),
    }),
    skipped: (reason, record) => ({
      ...base('skipped'),
      reason,
      ...(record?.holder || record?.tick === request.tick.id ? { token: record.token } : {}),
      ...(record?.holder ? { holder: record.holder } : {}),
    }),
  }
}

/** The part of an action that people see. */
export function changeOf({ object, from, to, reason, note }: Action): Change {
  return { object, from, to, reason, note }
}
