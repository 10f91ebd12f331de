// A one-off reconcile, by hand: run a loop now, see what it would do, look at its lease, suspend, resume or free it; take
// upstream's.

import { errorCode, errorMessage, PermanentError } from '../errors.ts'
import type { Lease, LeaseRecord } from '../lease/lease.ts'
import type { TickOutcome } from '../tick/outcome.ts'
import type { Scope } from '../tick/reconciler.ts'
import { manualTick } from '../tick/schedule.ts'
import { SECOND_MS, within } from '../time.ts'
import { holdByHand } from './beside-upstream.ts'
import { dryRun } from './dry-run.ts'
import { type ManualEvent, manualEvent } from './event.ts'
import { type Handler, lambda } from './lambda.ts'
import type { Loop } from './loop.ts'
import { fenceStatus, type LoopStatus, leaseStatus, type UpstreamStatus, upstreamStatus } from './status.ts'
import { answer, type LoopRun, runLoop } from './tick-runner.ts'
import type { Wiring } from './wiring.ts'

/** How often a held lease is asked for again while a manual run waits for it. */
const ASK_EVERY_MS = SECOND_MS
/** The longest that reading or changing the record by hand may take, ms. */
const RECORD_LIMIT_MS = 10 * SECOND_MS

/** Makes the handler of the manual function for the given loops. */
export function manual(loops: readonly Loop[], open?: () => Wiring): Handler {
  return lambda(
    manualEvent(loops.map(loop => loop.name)),
    async (event, invocation, wiring) => {
      const loop = loops.find(({ name }) => name === event.loop)
      if (!loop) throw new PermanentError('InvalidEvent', `loop: "${event.loop}" is not in this function`)
      const run: LoopRun = { loop, invocation, wiring }
      if (event.action === 'hold') return await hold(run)
      if (event.action !== 'run') return await operate(event.action, run)
      const scope = scopeOf(event)
      return event.dryRun ? await dryRun(run, scope) : answer(await runWaiting(run, event, scope))
    },
    open,
  )
}

function scopeOf({ names, namespace }: ManualEvent): Scope {
  return { ...(names ? { names } : {}), ...(namespace ? { namespace } : {}) }
}

/** Runs once; while the lease is held by another, asks again until `waitSeconds` are over. */
async function runWaiting(run: LoopRun, event: ManualEvent, scope: Scope): Promise<TickOutcome> {
  const { clock } = run.wiring
  const tick = manualTick(run.invocation.requestId)
  const endsAtMs = clock.monotonicMs() + (event.waitSeconds ?? 0) * SECOND_MS
  for (;;) {
    const outcome = await runLoop(run, tick, scope)
    const wasHeld = outcome.kind === 'skipped' && outcome.reason === 'held'
    if (!wasHeld || clock.monotonicMs() + ASK_EVERY_MS > endsAtMs) return outcome
    await clock.sleep(ASK_EVERY_MS)
  }
}

/** What changes or tells of the loop's own lease. */
type LeaseAction = Exclude<ManualEvent['action'], 'run' | 'hold'>

/** Takes upstream's Lease and then tells of both. */
async function hold(run: LoopRun): Promise<LoopStatus> {
  const takenFrom = await holdByHand(run)
  const status = await operate('status', run)
  return { ...status, ...(status.upstream && { upstream: { ...status.upstream, takenFrom } }) }
}

async function operate(action: LeaseAction, { loop, wiring }: LoopRun): Promise<LoopStatus> {
  const lease = await wiring.lease(loop.name)
  const record = await within(wiring.clock, RECORD_LIMIT_MS, signal => operateOn(lease, action, signal))
  if (action !== 'status')
    wiring.log.warn('lease changed by hand', { lease: lease.address, action, token: record.token })
  // The lease was read or changed already: an API server that does not answer must not make that look undone.
  const seen = await within(wiring.clock, RECORD_LIMIT_MS, async signal =>
    (await wiring.fence(loop.name)).read(signal),
  ).catch(error => {
    wiring.log.warn('fence not read', { code: errorCode(error), reason: errorMessage(error) })
    return 'unreadable' as const
  })
  const fence = { name: `${wiring.config.LEADER_ELECT_ID}-${loop.name}`, mode: wiring.config.FENCE }
  const upstream = await readUpstream(wiring)
  return {
    ...leaseStatus(loop.name, lease, record, wiring.clock.wallMs()),
    fence: fenceStatus(fence, seen, record),
    ...(upstream && { upstream }),
  }
}

async function readUpstream(wiring: Wiring): Promise<UpstreamStatus | undefined> {
  const upstream = await wiring.upstream()
  if (!upstream) return undefined
  const record = await within(wiring.clock, RECORD_LIMIT_MS, signal => upstream.read(signal)).catch(error => {
    wiring.log.warn('upstream lease not read', { code: errorCode(error), reason: errorMessage(error) })
    return 'unreadable' as const
  })
  return upstreamStatus(upstream, record, wiring.clock.wallMs())
}

async function operateOn(lease: Lease, action: LeaseAction, signal: AbortSignal): Promise<LeaseRecord> {
  switch (action) {
    case 'status':
      return await lease.read(signal)
    case 'suspend':
      return await lease.suspend(true, signal)
    case 'resume':
      return await lease.suspend(false, signal)
    case 'release':
      return await lease.free(signal)
  }
}
