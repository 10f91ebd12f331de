// The time budget of one tick, cut from what the platform leaves the invocation. The stages follow each other, each with
// its own bound, and their sum never exceeds the time left:
//
//   work ─► wait for what is in flight ─► drain what was aborted ─► shutdown handlers ─► release ─► flush ─► margin
//
// Work is what remains after the others; the settings of the three shutdown stages are wishes that shrink in proportion
// when the invocation is short.

import { setMaxListeners } from 'node:events'
import { SERVER_TIMEOUT_MS } from '../kubernetes/api.ts'
import { type Clock, SECOND_MS } from '../time.ts'

/** Kept for the one write that ends the term: a whole try that goes unanswered, the wait after it, and a repeat in 1.5 s. */
export const RELEASE_MS = SERVER_TIMEOUT_MS + 2 * SECOND_MS
/** Kept for writing out the last log lines and metrics. */
export const FLUSH_MS = 250
/** Kept for timer slack and the platform's own work around the handler. */
export const MARGIN_MS = 500
/** The least time for work that is worth taking the lease for: an acquire, a page and a write. */
export const LEAST_WORK_MS = SECOND_MS
/** The shutdown stages take at most this part of what release, flush and margin leave. */
export const SHUTDOWN_SHARE = 0.5

/** What people wish for the shutdown stages, ms; the defaults are those of the controllers this replaces (30, 10 and 5 s). */
export interface StageSettings {
  /** For actions in flight to end by themselves. */
  readonly waitMs: number
  /** For what was aborted to end. */
  readonly drainMs: number
  /** For each shutdown handler. */
  readonly handlerMs: number
}

/** The documented defaults. */
export const DEFAULT_STAGES: StageSettings = {
  waitMs: 30 * SECOND_MS,
  drainMs: 10 * SECOND_MS,
  handlerMs: 5 * SECOND_MS,
}

/** The length of every stage, ms; `handlerMs` is for each of `handlers`. */
export interface Stages extends StageSettings {
  readonly workMs: number
  readonly handlers: number
  readonly releaseMs: number
  readonly flushMs: number
  readonly marginMs: number
}

/**
 * Cuts the stages out of the time that is left.
 *
 * @param remainingMs what the platform leaves this invocation.
 * @param handlers how many shutdown handlers there are.
 * @returns undefined when less than `LEAST_WORK_MS` would be left for work.
 */
export function cutStages(remainingMs: number, settings: StageSettings, handlers: number): Stages | undefined {
  const usableMs = Math.floor(remainingMs) - RELEASE_MS - FLUSH_MS - MARGIN_MS
  const wishedMs = settings.waitMs + settings.drainMs + settings.handlerMs * handlers
  const scale = wishedMs === 0 ? 0 : Math.min(1, Math.max(0, usableMs * SHUTDOWN_SHARE) / wishedMs)
  const waitMs = Math.floor(settings.waitMs * scale)
  const drainMs = Math.floor(settings.drainMs * scale)
  const handlerMs = Math.floor(settings.handlerMs * scale)
  const workMs = usableMs - waitMs - drainMs - handlerMs * handlers
  if (!(workMs >= LEAST_WORK_MS)) return undefined
  return { workMs, waitMs, drainMs, handlerMs, handlers, releaseMs: RELEASE_MS, flushMs: FLUSH_MS, marginMs: MARGIN_MS }
}

/** Everything the stages take together, ms. */
export function sumOfStages(stages: Stages): number {
  const { workMs, waitMs, drainMs, handlerMs, handlers, releaseMs, flushMs, marginMs } = stages
  return workMs + waitMs + drainMs + handlerMs * handlers + releaseMs + flushMs + marginMs
}

/** A budget that is running. */
export interface Budget {
  readonly stages: Stages
  /** Aborted when the work's time is over or somebody stopped the tick: reads end at once, nothing more is admitted. */
  readonly work: AbortSignal
  /** True once nothing more may be admitted. */
  isSpent(): boolean
  /** What is left for work, ms; 0 when it is spent. */
  workLeftMs(): number
  /** What is left of the whole invocation, ms. */
  leftMs(): number
  /** Ends the work now, e.g. on SIGTERM; a second call changes nothing. */
  stop(reason: string): void
  /** Why the work was stopped from outside; undefined when it was not. */
  stoppedBy(): string | undefined
  /** Lets go of the budget's timer; the tick is over. */
  close(): void
}

/** Starts a budget now. Time is counted on whichever of the two clocks went further, so that a frozen sandbox wakes with nothing left. */
export function openBudget(stages: Stages, clock: Clock): Budget {
  const began = { wallMs: clock.wallMs(), monotonicMs: clock.monotonicMs() }
  const work = new AbortController()
  setMaxListeners(0, work.signal)
  const closed = new AbortController()
  let stoppedBy: string | undefined

  const elapsedMs = () => Math.max(clock.wallMs() - began.wallMs, clock.monotonicMs() - began.monotonicMs)
  const workLeftMs = () => (work.signal.aborted ? 0 : Math.max(0, stages.workMs - elapsedMs()))
  void clock.sleep(stages.workMs, closed.signal).then(() => {
    if (!closed.signal.aborted) work.abort()
  })
  return {
    stages,
    work: work.signal,
    workLeftMs,
    leftMs: () => Math.max(0, sumOfStages(stages) - elapsedMs()),
    isSpent: () => workLeftMs() === 0,
    stop: reason => {
      stoppedBy ??= reason
      work.abort()
    },
    stoppedBy: () => stoppedBy,
    close: () => closed.abort(),
  }
}
