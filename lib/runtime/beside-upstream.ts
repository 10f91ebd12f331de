// Beside a live upstream: what comes before a tick takes its own lease where UPSTREAM_LEASE is set, and the action `hold`.
// One look a tick: an upstream that begins to lead after it runs beside that tick until the tick's end.

import { AbortedError, PermanentError } from '../errors.ts'
import { UPSTREAM_SETTLE_MS } from '../lease/upstream/rules.ts'
import { type Upstream, type UpstreamAnswer, waitOut } from '../lease/upstream/upstream.ts'
import type { TickOutcome } from '../tick/outcome.ts'
import { openTally } from '../tick/tally.ts'
import type { TickRequest } from '../tick/tick.ts'
import { describeMs, SECOND_MS, within } from '../time.ts'
import type { LoopRun } from './tick-runner.ts'

/** The longest that taking upstream's Lease by hand may take, ms: its leader writes it every 2 s, each time a conflict. */
const TAKE_LIMIT_MS = 10 * SECOND_MS
/** What an answer by hand needs besides, ms: the status it is made of. */
const ANSWER_MS = 5 * SECOND_MS

/**
 * Asks upstream's Lease whether a tick may act, and waits until its last leader has stopped where it was taken just now.
 * Never throws.
 *
 * @returns undefined when the tick may act; else what it came to: skipped, yielded when the budget ended, or failed.
 */
export async function besideUpstream(run: LoopRun, request: TickRequest): Promise<TickOutcome | undefined> {
  const { loop, wiring } = run
  const { budget, periodMs } = request
  const tally = openTally(loop.name, request, wiring.clock)
  try {
    const upstream = await wiring.upstream()
    if (!upstream) return undefined
    const answer = await upstream.ask({ periodMs, isByHand: false }, budget.work)
    if (answer.kind === 'active') {
      tellActive(run, upstream, answer.holder)
      return { ...tally.skipped('upstream-active'), holder: answer.holder }
    }
    tellChange(run, upstream, answer)
    if (!answer.settleFrom || (await waitOut(answer.settleFrom, wiring.clock, budget.work))) return undefined
    return tally.outcome('yielded')
  } catch (error) {
    if (error instanceof AbortedError && budget.isSpent()) return tally.outcome('yielded')
    tally.fail(error)
    return tally.outcome('failed')
  }
}

/**
 * Takes upstream's Lease, from a live leader too, and returns when that leader has stopped.
 *
 * @returns whom it was taken from; null when it was free, or ours already.
 * @throws PermanentError – InvalidConfiguration, when it is not to be held, or the time left is too short; nothing was done.
 */
export async function holdByHand({ loop, invocation, wiring }: LoopRun): Promise<string | null> {
  const { clock, config, log } = wiring
  const upstream = await wiring.upstream()
  if (upstream?.mode !== 'hold')
    throw new PermanentError(
      'InvalidConfiguration',
      'the action hold needs UPSTREAM_LEASE=<namespace>/<name> and UPSTREAM_MODE=hold, here and in the scheduled functions, which keep what it takes',
    )
  const neededMs = TAKE_LIMIT_MS + UPSTREAM_SETTLE_MS + ANSWER_MS
  const leftMs = invocation.remainingMs()
  if (leftMs < neededMs)
    throw new PermanentError(
      'InvalidConfiguration',
      `the action hold needs ${describeMs(neededMs)} and this invocation has ${describeMs(leftMs)} left: give the function a longer timeout; nothing was changed`,
    )
  const claim = { periodMs: loop.periodMs(config), isByHand: true }
  const answer = await within(clock, TAKE_LIMIT_MS, signal => upstream.ask(claim, signal))
  if (answer.kind === 'active')
    throw new PermanentError('ForeignHolder', `${upstream.address} is held by "${answer.holder}"`)
  const takenFrom = answer.takenFrom ?? null
  log.warn('upstream lease held by hand', { lease: upstream.address, takenFrom })
  if (answer.settleFrom) await waitOut(answer.settleFrom, clock)
  return takenFrom
}

/** A holder that is not ours is what `refuse` waits for, and what `hold` did not expect. */
function tellActive({ loop, wiring: { log } }: LoopRun, { address, mode }: Upstream, holder: string): void {
  const fields = { loop: loop.name, lease: address, holder }
  if (mode === 'refuse') log.info('upstream active', fields)
  else log.warn('upstream lease not ours', { ...fields, mending: `{"loop":"${loop.name}","action":"hold"}` })
}

function tellChange({ loop, wiring: { log } }: LoopRun, { address }: Upstream, answer: UpstreamAnswer): void {
  if (answer.kind !== 'go') return
  const fields = { loop: loop.name, lease: address }
  // In the mode refuse it may be a name that was misspelt.
  if (answer.isMissing) log.warn('upstream lease missing', fields)
  if (answer.isTaken) log.warn('upstream lease taken', { ...fields, takenFrom: answer.takenFrom ?? null })
}
