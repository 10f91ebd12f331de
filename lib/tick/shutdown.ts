// The end of a tick, in stages: nothing more is admitted, what is in flight may finish, then it is aborted and drained,
// then the shutdown handlers run one after the other. Each stage has its own bound from the budget and none can hold up the
// ones after it. The same stages end a tick that ran out of time, one that was signalled, and one that was done.

import { errorMessage } from '../errors.ts'
import type { Log } from '../telemetry/log.ts'
import { type Clock, SECOND_MS } from '../time.ts'
import type { Stages } from './budget.ts'
import type { Workers } from './workers.ts'

/** Something to be done before the lease is given back. */
export interface ShutdownHandler {
  readonly name: string
  /** `signal` is aborted when the handler's time is over; it then counts as failed and is not waited for. */
  run(signal: AbortSignal): Promise<void>
}

/** What the stages walk over. */
export interface Shutdown {
  readonly stages: Stages
  readonly workers: Workers
  /** Aborts the actions that are in flight. */
  readonly abort: () => void
  readonly handlers: readonly ShutdownHandler[]
  readonly clock: Clock
  readonly log: Log
}

/** What was left when the stages had ended. */
export interface ShutdownResult {
  /** Actions that were aborted and had not ended at the end of the drain. */
  readonly abandoned: number
  /** One line per handler that failed or timed out, in the handlers' order. */
  readonly errors: readonly string[]
}

const PROGRESS_EVERY_MS = 5 * SECOND_MS

/** Walks the stages; never throws. */
export async function walkStages(shutdown: Shutdown): Promise<ShutdownResult> {
  const { stages, workers, abort, handlers } = shutdown
  await waitUntilIdle(shutdown, 'waiting for active work', stages.waitMs)
  if (workers.active() > 0) {
    abort()
    await waitUntilIdle(shutdown, 'draining aborted work', stages.drainMs)
  }
  const errors: string[] = []
  for (const handler of handlers) {
    const error = await runHandler(handler, stages.handlerMs, shutdown.clock)
    if (error !== undefined) errors.push(`${handler.name}: ${error}`)
  }
  if (errors.length > 0) shutdown.log.error('shutdown handlers failed', { errors })
  return { abandoned: workers.active(), errors }
}

async function waitUntilIdle({ workers, clock, log }: Shutdown, stage: string, limitMs: number): Promise<void> {
  const idle = new AbortController()
  const whenIdle = workers.idle().then(() => idle.abort())
  const endsAtMs = clock.monotonicMs() + limitMs
  for (;;) {
    const leftMs = endsAtMs - clock.monotonicMs()
    if (workers.active() === 0 || leftMs <= 0) break
    log.info(stage, { active: workers.active(), leftMs: Math.round(leftMs) })
    await Promise.race([whenIdle, clock.sleep(Math.min(leftMs, PROGRESS_EVERY_MS), idle.signal)])
  }
  idle.abort()
}

async function runHandler(handler: ShutdownHandler, limitMs: number, clock: Clock): Promise<string | undefined> {
  const timeout = new AbortController()
  const finished = new AbortController()
  const run = Promise.resolve(timeout.signal)
    .then(signal => handler.run(signal))
    .then(() => undefined, errorMessage)
    .finally(() => finished.abort())
  const late = clock.sleep(limitMs, finished.signal).then(() => (finished.signal.aborted ? run : 'timed out'))
  const result = await Promise.race([run, late])
  timeout.abort()
  return result
}
