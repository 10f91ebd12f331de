// The tick: acquire, raise, settle, observe, plan, apply, shut down, give the lease back. Everything else in this folder is
// a part of it. What must stay true: the fence is raised before the settle and nothing is read before its end, nothing is
// written without lease and fence, the writer is closed before the lease is given back, and a page that was not finished is
// seen again from the checkpoint.

import { AbortedError } from '../errors.ts'
import { watchSkew } from './clock-skew.ts'
import type { TickOutcome } from './outcome.ts'
import type { AnyReconciler } from './reconciler.ts'
import { walkStages } from './shutdown.ts'
import { openTally, type Tally } from './tally.ts'
import { endTerm, openTerm, raise, remembering, settle, type Term, wholeSecond } from './term.ts'
import type { TickRequest, TickTools } from './tick.ts'
import { TAIL_MS } from './times.ts'

/** Runs one tick of one loop. Never throws: what went wrong is in the outcome. */
export async function runTick(reconciler: AnyReconciler, request: TickRequest, tools: TickTools): Promise<TickOutcome> {
  const { tick, requestId, budget } = request
  const tally = openTally(reconciler.name, request, tools.clock)
  try {
    const termMs = budget.leftMs() + TAIL_MS
    const asked = await tools.lease.acquire({ tick, requestId, termMs, signal: budget.work })
    if (asked.kind === 'refused') return tally.skipped(asked.reason, asked.record)

    const term = openTerm(asked.grant, reconciler, request.scope, tools)
    tally.acquired(asked.grant)
    await act(reconciler, request, tools, term, tally).catch(error => {
      if (!budget.isSpent()) tally.fail(error)
    })
    const shutdown = await walkStages({ ...tools, ...term, stages: budget.stages })
    return await endTerm(term, request, tools, tally, shutdown)
  } catch (error) {
    // Stopped before the lease was asked for: nothing was taken and nothing done.
    if (error instanceof AbortedError && budget.isSpent()) return tally.outcome('yielded')
    tally.fail(error)
    return tally.outcome('failed')
  } finally {
    budget.close()
  }
}

/** Raises, settles, then observes, plans and applies page after page until all is seen or the budget ends. */
async function act(
  reconciler: AnyReconciler,
  request: TickRequest,
  tools: TickTools,
  term: Term,
  tally: Tally,
): Promise<void> {
  const { budget, scope } = request
  const writer = await raise(term, budget, tools).finally(() => tally.acquired(term.grant))
  if (!(await settle(term.grant, budget, tools.clock))) return
  tally.settled()
  const nowMs = wholeSecond(tools.clock.wallMs())
  const confirm = () => tools.lease.confirm(term.grant, term.writes)
  const application = { writer, nowMs, confirm, signal: term.writes }
  const { from, memory } = term
  const pages = reconciler.observe({ from, memory, scope, nowMs, signal: budget.work })
  for await (const page of remembering(pages, term)) {
    term.reached = page.cursor
    watchSkew(tools.clockSkewMs(), tools.log)
    const actions = reconciler.plan(page, nowMs)
    tally.observed(page, actions.length)
    await term.workers.run(actions, action => tally.apply(action, reconciler.apply(action, application)), budget.work)
    if (budget.isSpent()) return
  }
  term.isFinished = true
}
