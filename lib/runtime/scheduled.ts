// A loop on a schedule: one invocation, one tick.

import { isTooLate, scheduledTick } from '../tick/schedule.ts'
import { openTally } from '../tick/tally.ts'
import { scheduledEvent } from './event.ts'
import { type Handler, lambda } from './lambda.ts'
import type { Loop } from './loop.ts'
import { answer, runLoop } from './tick-runner.ts'
import type { Wiring } from './wiring.ts'

/**
 * Makes the handler of a loop's scheduled function. It answers a `TickOutcome` and throws only for a failed one.
 *
 * @param open tests give their own wiring; default is the process environment's.
 */
export function scheduled(loop: Loop, open?: () => Wiring): Handler {
  return lambda(
    scheduledEvent,
    async ({ scheduledAtMs }, invocation, wiring) => {
      const { config, clock, log } = wiring
      const periodMs = loop.periodMs(config)
      const tick = scheduledTick(scheduledAtMs, periodMs)
      const skipped = (reason: 'disabled' | 'too-late') => {
        const outcome = openTally(loop.name, { tick, periodMs }, clock).skipped(reason)
        log.info('tick', { ...outcome })
        return outcome
      }
      if (!loop.isEnabled(config)) return skipped('disabled')
      if (isTooLate(tick, periodMs, config.TICK_DEADLINE || periodMs, clock.wallMs())) return skipped('too-late')
      return answer(await runLoop({ loop, invocation, wiring }, tick, {}))
    },
    open,
  )
}
