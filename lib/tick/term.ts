// One term of a tick: what it began with, the settle after an unclean predecessor, and its end in one write to the record.

import { setMaxListeners } from 'node:events'
import { LeaseLostError } from '../errors.ts'
import type { ObjectWriter } from '../fence/writer.ts'
import type { Ending, Grant } from '../lease/lease.ts'
import { type Clock, msSince, SECOND_MS, toInstant, within } from '../time.ts'
import type { Budget } from './budget.ts'
import { type CheckpointCodec, formatCheckpoint, parseCheckpoint } from './checkpoint.ts'
import type { OutcomeKind, TickOutcome } from './outcome.ts'
import type { AnyReconciler, Scope } from './reconciler.ts'
import type { ShutdownResult } from './shutdown.ts'
import type { Tally } from './tally.ts'
import type { TickRequest, TickTools } from './tick.ts'
import { SETTLE_MS } from './times.ts'
import { createWorkers, type Workers } from './workers.ts'

/** A term while it runs. */
export interface Term {
  grant: Grant
  /** Opened once the fence is raised. */
  writer?: ObjectWriter
  readonly workers: Workers
  readonly codec: CheckpointCodec<unknown, unknown>
  /** Where the pass begins. */
  readonly from: unknown
  /** What the last whole pass saw; this term's own once it has taken its last page. */
  memory: unknown
  /** Cursor of the page that was begun last; the next tick sees it again unless the pass finished. */
  reached: unknown
  /** Every page was seen and every action on it ended. */
  isFinished: boolean
  /** Aborted by `abort`, at the beginning of the drain. */
  readonly writes: AbortSignal
  readonly abort: () => void
}

/** Begins a term; a checkpoint that can't be used is dropped with a warning, and a narrowed run never uses one. */
export function openTerm(grant: Grant, reconciler: AnyReconciler, scope: Scope, tools: TickTools): Term {
  const codec: CheckpointCodec<unknown, unknown> = reconciler.checkpoint
  const { cursor, memory, unusable } = parseCheckpoint(codec, isNarrowed(scope) ? undefined : grant.checkpoint)
  if (unusable !== undefined) tools.log.warn('checkpoint not used', { loop: reconciler.name, reason: unusable })
  const writes = new AbortController()
  setMaxListeners(0, writes.signal)
  return {
    grant,
    workers: createWorkers(tools.workers),
    codec,
    from: cursor,
    memory,
    reached: cursor,
    isFinished: false,
    writes: writes.signal,
    abort: () => writes.abort(),
  }
}

/** Publishes the term's token where its writes will land, and opens the writer that carries it. */
export async function raise(term: Term, budget: Budget, tools: TickTools): Promise<ObjectWriter> {
  const keep = (grant: Grant) => {
    term.grant = grant
  }
  keep(await tools.fence.raise(term.grant, budget.work, keep))
  term.writer = tools.openWriter(term.grant)
  return term.writer
}

/**
 * Waits out an unclean predecessor; returns at once after a clean one. Counts from the acknowledged raise.
 *
 * @returns whether it is over; false when the budget ended first, and then nothing may be read or written.
 */
export async function settle(grant: Grant, budget: Budget, clock: Clock): Promise<boolean> {
  while (!grant.isClean) {
    const waitedMs = msSince(grant.acknowledged, clock)
    if (waitedMs >= SETTLE_MS) return true
    if (budget.isSpent()) return false
    await clock.sleep(SETTLE_MS - waitedMs, budget.work)
  }
  return true
}

/** The pages of a pass; what it returns after the last one is kept in the term. */
export async function* remembering<P>(pages: AsyncIterable<P, unknown>, term: Term): AsyncGenerator<P> {
  term.memory = yield* pages
}

/** Ends a term: closes the writer, then writes ledger, checkpoint and release at once. Never throws. */
export async function endTerm(
  term: Term,
  request: TickRequest,
  tools: TickTools,
  tally: Tally,
  shutdown: ShutdownResult,
): Promise<TickOutcome> {
  // Who never raised the Fence does not know whether the record that it began with is that of the last term.
  const outcomesKnown = term.writer?.close().outcomesKnown ?? false
  const kind = outcomeOf(term, tally)
  if (kind === 'fenced') return tally.outcome(kind, shutdown)
  const end = kind === 'completed' ? tools.lease.complete : tools.lease.release
  const ending = endingOf(term, request, tools.clock, kind, tally, outcomesKnown)
  try {
    await within(tools.clock, request.budget.stages.releaseMs, signal => end(term.grant, ending, signal))
    return tally.outcome(kind, shutdown)
  } catch (error) {
    tally.fail(error)
    return tally.outcome(error instanceof LeaseLostError ? 'fenced' : 'failed', shutdown)
  }
}

function outcomeOf(term: Term, tally: Tally): OutcomeKind {
  if (tally.isFenced()) return 'fenced'
  if (tally.hasFailed()) return 'failed'
  return term.isFinished ? 'completed' : 'yielded'
}

/** A yielded pass leaves its place; a finished or failed one starts at the beginning next time. None forgets its memory. */
function endingOf(
  term: Term,
  request: TickRequest,
  clock: Clock,
  kind: OutcomeKind,
  tally: Tally,
  outcomesKnown: boolean,
): Ending {
  const { counts, settled } = tally.outcome(kind)
  const outcome = { kind, tick: request.tick.id, token: term.grant.token, at: toInstant(clock.wallMs()), counts }
  const cursor = term.isFinished || kind === 'failed' ? undefined : term.reached
  const checkpoint = formatCheckpoint(term.codec, { cursor, memory: term.memory })
  return {
    outcome: JSON.stringify(outcome),
    checkpoint: isNarrowed(request.scope) ? undefined : checkpoint,
    isDrained: (term.grant.isClean || settled === true) && outcomesKnown,
  }
}

/** Whether a run is for some objects only. */
export function isNarrowed(scope: Scope): boolean {
  return scope.names !== undefined || scope.namespace !== undefined
}

/** The tick's one `now`: Kubernetes' times are whole seconds, and a boundary must fall the same way on every read. */
export function wholeSecond(atMs: number): number {
  return Math.floor(atMs / SECOND_MS) * SECOND_MS
}
