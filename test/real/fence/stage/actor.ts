// A process that runs the scheduled cleanup function on ticks it is told of. It answers with the outcome and with what it
// counted in metrics. Its wall clock stands, so that it never learns how late it is; it may be stopped or killed at any time.

import type { Context } from 'aws-lambda'
import { cleanup } from '../../../../lib/runtime/loops/cleanup.ts'
import { scheduled } from '../../../../lib/runtime/scheduled.ts'
import { openWiring } from '../../../../lib/runtime/wiring.ts'
import type { TickFailedError, TickOutcome } from '../../../../lib/tick/outcome.ts'
import { systemClock, toInstant } from '../../../../lib/time.ts'

/** What an actor answers. */
export interface Acted {
  readonly outcome: TickOutcome
  /** Sums of what was counted, by name. */
  readonly metrics: Readonly<Record<string, number>>
}

let nowMs = 0
let said = ''
process.stdout.write = (chunk: string | Uint8Array) => {
  said += String(chunk)
  return true
}
const handler = scheduled(cleanup, () => openWiring(process.env, { ...systemClock, wallMs: () => nowMs }))

/** Reads the lines of embedded metrics that were written since the last call. */
function counted(): Record<string, number> {
  const sums: Record<string, number> = {}
  for (const line of said.split('\n').filter(text => text.includes('"_aws"'))) {
    const fields = JSON.parse(line) as Record<string, unknown>
    for (const [name, value] of Object.entries(fields))
      for (const one of [value].flat()) if (typeof one === 'number') sums[name] = (sums[name] ?? 0) + one
  }
  said = ''
  return sums
}

process.on('message', async ({ tickAtMs }: { tickAtMs: number }) => {
  nowMs = tickAtMs
  const context = { awsRequestId: 'actor', getRemainingTimeInMillis: () => 60_000 } as Context
  const ticking = handler({ time: toInstant(tickAtMs) }, context) as Promise<TickOutcome>
  const outcome = await ticking.catch((error: TickFailedError) => error.outcome)
  process.send?.({ outcome, metrics: counted() } satisfies Acted)
})
process.on('disconnect', () => process.exit(0))
process.send?.('ready')
