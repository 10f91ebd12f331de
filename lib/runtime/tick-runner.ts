// One tick of one loop inside one invocation: builds its tools from the wiring, runs it, and tells about it.

import { openWriter } from '../fence/writer.ts'
import type { TickIdentity } from '../lease/lease.ts'
import { type Metrics, openMetrics } from '../telemetry/metrics.ts'
import { cutStages, openBudget, type Stages } from '../tick/budget.ts'
import { TickFailedError, type TickOutcome } from '../tick/outcome.ts'
import type { AnyReconciler, Scope } from '../tick/reconciler.ts'
import { runTick } from '../tick/run-tick.ts'
import type { ShutdownHandler } from '../tick/shutdown.ts'
import { openTally } from '../tick/tally.ts'
import { besideUpstream } from './beside-upstream.ts'
import type { Invocation } from './lambda.ts'
import type { Loop } from './loop.ts'
import { setExitCode, stopOnSignal } from './signals.ts'
import type { Wiring } from './wiring.ts'

/** A loop as one invocation uses it. */
export interface LoopRun {
  readonly loop: Loop
  readonly invocation: Invocation
  readonly wiring: Wiring
}

/** Runs one tick and tells about it in one log line and in metrics; never throws for what the tick itself came to. */
export async function runLoop(run: LoopRun, tick: TickIdentity, scope: Scope): Promise<TickOutcome> {
  const { loop, wiring } = run
  const metrics = openMetrics(wiring.config.LEADER_ELECT_ID, loop.name)
  try {
    const outcome = await tickOutcome(run, tick, scope, metrics)
    tell(outcome, wiring, metrics)
    if (outcome.stoppedBy && !wiring.config.isDeployed) setExitCode(outcome)
    return outcome
  } finally {
    metrics.flush()
  }
}

async function tickOutcome(run: LoopRun, tick: TickIdentity, scope: Scope, metrics: Metrics): Promise<TickOutcome> {
  const { loop, invocation, wiring } = run
  const { config, clock, log } = wiring
  const periodMs = loop.periodMs(config)
  const handlers: ShutdownHandler[] = [{ name: 'metrics', run: async () => metrics.flush() }]
  const stages = stagesOf(run, handlers.length)
  if (!stages) return openTally(loop.name, { tick, periodMs }, clock).skipped('insufficient-time')

  const budget = openBudget(stages, clock)
  const stopListening = stopOnSignal(signal => budget.stop(signal))
  try {
    const api = await wiring.api()
    const request = { tick, periodMs, requestId: invocation.requestId, scope, budget }
    const over = await besideUpstream(run, request)
    if (over) return over
    const fence = await wiring.fence(loop.name)
    if (fence.mode === 'advisory') log.warn('fence advisory', { fence: fence.name, consequence: UNPROVEN })
    return await runTick(loop.reconciler({ api, config, log, metrics, clock }), request, {
      lease: await wiring.lease(loop.name),
      fence,
      openWriter: grant => openWriter({ api, fence: fence.name, grant, mode: fence.mode, clock }),
      clockSkewMs: () => api.clockSkewMs(),
      handlers,
      workers: config.WORKERS,
      clock,
      log,
    })
  } finally {
    budget.close()
    stopListening()
  }
}

/** What FENCE=advisory costs. */
const UNPROVEN = 'nobody checks that the API server refuses overtaken writes'

function stagesOf({ invocation, wiring: { config } }: LoopRun, handlers: number): Stages | undefined {
  const settings = {
    waitMs: config.SHUTDOWN_TIMEOUT,
    drainMs: config.DRAIN_TIMEOUT,
    handlerMs: config.SHUTDOWN_HANDLER_TIMEOUT,
  }
  return cutStages(invocation.remainingMs(), settings, handlers)
}

function tell(outcome: TickOutcome, { config, log }: Wiring, metrics: Metrics): void {
  const { kind, counts } = outcome
  if (kind === 'failed') log.error('tick', { ...outcome })
  else log.info('tick', { ...outcome })
  // A run by hand must not keep the alarm quiet that waits for a scheduled tick.
  const what = outcome.tick.startsWith('manual/') ? 'Runs' : 'Ticks'
  metrics.count(`${what}${kind[0]?.toUpperCase()}${kind.slice(1)}`)
  metrics.duration('TickDuration', outcome.durationMs)
  if (config.FENCE === 'advisory') metrics.count('TicksAdvisory')
  if (outcome.tookOverFrom) metrics.count('TakeOvers')
  if (outcome.missedTicks > 0) metrics.count('TicksMissed', outcome.missedTicks)
  if (outcome.shutdownErrors.length > 0) metrics.count('ShutdownHandlersFailed', outcome.shutdownErrors.length)
  if (outcome.abandoned > 0) metrics.count('ActionsAbandoned', outcome.abandoned)
  if (kind === 'skipped') return
  metrics.count('ObjectsObserved', counts.observed)
  metrics.count('ObjectsChanged', counts.changed)
  metrics.count('ObjectsFailed', counts.failed)
}

/**
 * Gives an outcome back to the platform.
 * @throws TickFailedError – for `failed`, so that the platform counts an error and alarms see it.
 */
export function answer(outcome: TickOutcome): TickOutcome {
  if (outcome.kind === 'failed') throw new TickFailedError(outcome)
  return outcome
}

/** What a reconciler is, for runs that need no lease. */
export async function reconcilerOf({ loop, wiring }: LoopRun, metrics: Metrics): Promise<AnyReconciler> {
  const { config, log, clock } = wiring
  return loop.reconciler({ api: await wiring.api(), config, log, metrics, clock })
}
