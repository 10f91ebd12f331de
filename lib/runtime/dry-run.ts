// A dry run: observe and plan, and nothing else. It takes no lease and writes nothing, so that it may run beside a tick and
// what it prints may be overtaken by one.

import { openMetrics } from '../telemetry/metrics.ts'
import { cutStages, DEFAULT_STAGES, openBudget } from '../tick/budget.ts'
import { parseCheckpoint } from '../tick/checkpoint.ts'
import { watchSkew } from '../tick/clock-skew.ts'
import type { Change } from '../tick/outcome.ts'
import type { AnyReconciler, ObjectFailure, Scope } from '../tick/reconciler.ts'
import { changeOf } from '../tick/tally.ts'
import { isNarrowed, wholeSecond } from '../tick/term.ts'
import { type LoopRun, reconcilerOf } from './tick-runner.ts'

/** What a tick would do now. */
export interface DryRun {
  readonly kind: 'dry-run'
  readonly loop: string
  readonly observed: number
  readonly plan: readonly Change[]
  /** Objects that can't be understood; a tick would fail on each. */
  readonly broken: readonly ObjectFailure[]
  /** Everything was looked at; false when the time ended first. */
  readonly isComplete: boolean
}

/** Plans a whole pass from the beginning, whatever a checkpoint says. */
export async function dryRun(run: LoopRun, scope: Scope): Promise<DryRun> {
  const { loop, invocation, wiring } = run
  const { clock, config, log } = wiring
  const plan: Change[] = []
  const broken: ObjectFailure[] = []
  let observed = 0
  let isComplete = false
  const stages = cutStages(invocation.remainingMs(), DEFAULT_STAGES, 0)
  if (!stages) return { kind: 'dry-run', loop: loop.name, observed, plan, broken, isComplete }

  const budget = openBudget(stages, clock)
  try {
    const api = await wiring.api()
    const reconciler = await reconcilerOf(run, openMetrics(config.LEADER_ELECT_ID, loop.name))
    const nowMs = wholeSecond(clock.wallMs())
    const memory = await memoryOf(run, reconciler, scope, budget.work)
    for await (const page of reconciler.observe({ from: undefined, memory, scope, nowMs, signal: budget.work })) {
      watchSkew(api.clockSkewMs(), log)
      observed += page.items.length + page.broken.length
      broken.push(...page.broken)
      for (const action of reconciler.plan(page, nowMs)) if (!plannedAlready(plan, action)) plan.push(changeOf(action))
    }
    isComplete = true
  } catch (error) {
    if (!budget.isSpent()) throw error
  } finally {
    budget.close()
  }
  return { kind: 'dry-run', loop: loop.name, observed, plan, broken, isComplete }
}

/** What a tick would begin with: a loop without a memory costs no read of its lease. */
async function memoryOf(
  { loop, wiring }: LoopRun,
  { checkpoint }: AnyReconciler,
  scope: Scope,
  signal: AbortSignal,
): Promise<unknown> {
  if (!checkpoint.memory || isNarrowed(scope)) return undefined
  const record = await (await wiring.lease(loop.name)).read(signal)
  return parseCheckpoint(checkpoint, record.checkpoint).memory
}

/** An object's first action is the one that a tick would carry out; later pages would see its new state. */
function plannedAlready(plan: readonly Change[], { object }: Change): boolean {
  return plan.some(change => change.object === object)
}
