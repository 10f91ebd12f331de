// The platform: a scheduler that delivers ticks at least once, late, twice and out of order, and sandboxes that invocations
// are put into, frozen between them, shared by two at once, and killed when their time is over, or not.

import { errorMessage } from '../../../lib/errors.ts'
import type { Scope } from '../../../lib/tick/reconciler.ts'
import { isTooLate, manualTick, type ScheduledTick, scheduledTick } from '../../../lib/tick/schedule.ts'
import type { Attempt, LeaseKind } from './attempt.ts'
import { runAttempt } from './invocation.ts'
import { BEGINNING_MS, createSandbox, type Sandbox } from './sandbox.ts'
import type { World } from './world.ts'

/** Time between two ticks, ms. */
export const PERIOD_MS = 300_000

/** What an installation is like in one seed. */
export interface Installation {
  leaseKind: LeaseKind
  readonly remainingMs: number
  /** How late a scheduled tick may begin, ms. */
  readonly deadlineMs: number
  readonly workers: number
  /** By how much clocks may be off, ms. */
  readonly skewMs: number
  /** Whether the platform kills an invocation at its end. */
  readonly doesKill: boolean
  /** The share of invocations that are told to stop before their time. */
  readonly stops: number
  /** Whether a sandbox may run two at once. */
  readonly isShared: boolean
}

/** One delivery. */
export interface Delivery {
  /** undefined: a run by hand. */
  readonly tickAt: number | undefined
  readonly requestId: string
  readonly scope: Scope
}

/** The platform of one world. */
export interface Platform {
  deliver(delivery: Delivery): void
  /** How many invocations were delivered and have not ended, and never will where their sandbox is dead. */
  running(): number
}

/** Opens the platform. */
export function openPlatform(world: World, installation: Installation): Platform {
  const { dice, timeline } = world
  const sandboxes: Sandbox[] = []
  const busy = new Map<Sandbox, number>()

  function sandboxFor(): Sandbox {
    const alive = world.isCalm() ? [] : sandboxes.filter(sandbox => !sandbox.isDead())
    const idle = alive.filter(sandbox => !busy.get(sandbox))
    if (installation.isShared && alive.length > 0 && dice.chance(0.4)) return dice.pick(alive)
    if (idle.length > 0 && dice.chance(0.7)) return dice.pick(idle)
    const skewMs = world.isCalm() ? 0 : dice.between(-installation.skewMs, installation.skewMs)
    const sandbox = createSandbox(sandboxes.length, timeline, skewMs)
    sandboxes.push(sandbox)
    return sandbox
  }

  function deliver({ tickAt, requestId, scope }: Delivery): void {
    const sandbox = sandboxFor()
    const tick = tickAt === undefined ? manualTick(requestId) : scheduledTick(BEGINNING_MS + tickAt, PERIOD_MS)
    const attempt: Attempt = {
      id: world.attempts.length,
      sandbox,
      tick,
      leaseKind: installation.leaseKind,
      isSpared: false,
      isOperator: false,
      isNarrowed: scope.names !== undefined,
      beganAt: world.store.log.length,
      beganMs: timeline.nowMs(),
      sent: new Map(),
      faults: 0,
      hasFailed: false,
      hasRaised: false,
    }
    world.attempts.push(attempt)
    world.trace(() => `deliver ${tick.id} to sandbox ${sandbox.index} as attempt ${attempt.id}`)
    if (!busy.get(sandbox)) sandbox.thaw()
    busy.set(sandbox, (busy.get(sandbox) ?? 0) + 1)
    sandbox.deliver(() => {
      run(attempt, tick, requestId, scope).then(
        () => leave(attempt),
        error => {
          world.misdeeds.push({
            invariant: 'skips-never-throw',
            detail: `attempt ${attempt.id}: ${errorMessage(error)}`,
          })
          leave(attempt)
        },
      )
    })
    if (!world.isCalm() && dice.chance(installation.stops))
      timeline.after(dice.magnitude(10, 20_000), () => sandbox.deliver(() => attempt.stop?.('SIGTERM')))
    if (installation.doesKill)
      timeline.after(installation.remainingMs, () => {
        if (!attempt.hasEnded && busy.get(sandbox) === 1) sandbox.kill()
      })
  }

  async function run(attempt: Attempt, tick: Attempt['tick'], requestId: string, scope: Scope): Promise<void> {
    const { remainingMs, deadlineMs, workers } = installation
    if (tick.isScheduled && mayNotAct(tick as ScheduledTick, deadlineMs, attempt.sandbox.clock.wallMs())) return
    attempt.outcome = await runAttempt(world, attempt, { requestId, scope, remainingMs, workers })
    attempt.endedAt = world.store.log.length
  }

  function leave(attempt: Attempt): void {
    const { sandbox, outcome } = attempt
    attempt.hasEnded = true
    world.trace(
      () =>
        `attempt ${attempt.id} ended ${outcome ? `${outcome.kind} ${outcome.reason ?? ''} ${JSON.stringify([outcome.error, outcome.failures])}` : 'too late'}`,
    )
    busy.set(sandbox, (busy.get(sandbox) ?? 1) - 1)
    // Whatever it left behind goes on when the sandbox is used again.
    if (!busy.get(sandbox)) sandbox.freeze(true)
  }

  return {
    deliver,
    running: () => world.attempts.filter(({ hasEnded, sandbox }) => !hasEnded && !sandbox.isDead()).length,
  }
}

/** As the handler finds out before anything else: it is too late, or the event is of a future that can't be. */
function mayNotAct(tick: ScheduledTick, deadlineMs: number, nowMs: number): boolean {
  try {
    return isTooLate(tick, PERIOD_MS, deadlineMs, nowMs)
  } catch {
    return true
  }
}
