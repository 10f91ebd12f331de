// A process that runs the scheduled cleanup function on ticks it is told of, until it is killed. It tells when a settle
// begins, and in the end what the tick came to and what was counted in metrics. Its wall clock stands, so that it never
// learns how late it is.

import type { Context } from 'aws-lambda'
import { cleanup } from '../../lib/runtime/loops/cleanup.ts'
import { scheduled } from '../../lib/runtime/scheduled.ts'
import { openWiring } from '../../lib/runtime/wiring.ts'
import type { TickFailedError, TickOutcome } from '../../lib/tick/outcome.ts'
import { SETTLE_MS } from '../../lib/tick/times.ts'
import { type Clock, DAY_MS, SECOND_MS, systemClock, toInstant } from '../../lib/time.ts'

/** What an actor is told. */
export interface Act {
  readonly tickAtMs: number
  /** Its time stands, as in a frozen sandbox: whatever it waits for a second or more never ends by itself. */
  readonly isFrozen?: boolean
}

/** What an actor answers. */
export interface Acted {
  readonly outcome: TickOutcome
  /** Sums of what was counted, by name. */
  readonly metrics: Readonly<Record<string, number>>
}

const LONGEST_STAGE_MS = 10_000

let nowMs = 0
let isStanding = false
let said = ''
process.stdout.write = (chunk: string | Uint8Array) => {
  said += String(chunk)
  return true
}
const clock: Clock = {
  ...systemClock,
  wallMs: () => nowMs,
  sleep: (ms, signal) => {
    // Requests, pauses between them and stages of a shutdown wait for less, budgets for more.
    if (ms > LONGEST_STAGE_MS && ms <= SETTLE_MS) process.send?.('settling')
    return systemClock.sleep(isStanding && ms >= SECOND_MS ? DAY_MS : ms, signal)
  },
}
const handler = scheduled(cleanup, () => openWiring(process.env, clock))

/** Sums what was written as embedded metrics. */
function counted(): Record<string, number> {
  const sums: Record<string, number> = {}
  for (const line of said.split('\n').filter(text => text.includes('"_aws"')))
    for (const [name, value] of Object.entries(JSON.parse(line) as object))
      for (const one of [value].flat()) if (typeof one === 'number') sums[name] = (sums[name] ?? 0) + one
  said = ''
  return sums
}

process.on('message', async ({ tickAtMs, isFrozen = false }: Act) => {
  nowMs = tickAtMs
  isStanding = isFrozen
  const context = { awsRequestId: 'actor', getRemainingTimeInMillis: () => 60_000 } as Context
  const ticking = handler({ time: toInstant(tickAtMs) }, context) as Promise<TickOutcome>
  const outcome = await ticking.catch((error: TickFailedError) => error.outcome)
  process.send?.({ outcome, metrics: counted() } satisfies Acted)
})
process.on('disconnect', () => process.exit(0))
process.send?.('ready')
