// A process that is told to deliver one tick several times at once, and answers with what became of each delivery.

import type { Context } from 'aws-lambda'
import * as z from 'zod'
import type { Loop } from '../../lib/runtime/loop.ts'
import { scheduled } from '../../lib/runtime/scheduled.ts'
import { openWiring } from '../../lib/runtime/wiring.ts'
import type { TickOutcome } from '../../lib/tick/outcome.ts'
import type { Action, Reconciler } from '../../lib/tick/reconciler.ts'
import { systemClock, toInstant } from '../../lib/time.ts'

/** What the parent asks for. */
export interface Round {
  readonly tickAtMs: number
  readonly deliveries: number
}

/** What became of a round here. */
export interface RoundResult {
  readonly acts: number
  readonly outcomes: readonly string[]
}

let acts = 0
let nowMs = 0

const reconciler: Reconciler<string, Action, null> = {
  name: 'contention',
  checkpoint: { version: 1, schema: z.null() },
  async *observe() {
    yield { cursor: null, items: ['thing'], broken: [] }
  },
  plan: () => [{ object: 'thing', from: 'a', to: 'b', reason: 'due', note: '' }],
  async apply() {
    acts++
    return 'changed'
  },
}
const loop: Loop = {
  name: 'contention',
  periodMs: () => 300_000,
  isEnabled: () => true,
  reconciler: () => reconciler,
}
const wiring = openWiring(process.env, { ...systemClock, wallMs: () => nowMs })
const handler = scheduled(loop, () => wiring)

async function deliver(tickAtMs: number, i: number): Promise<string> {
  const context = { awsRequestId: `${process.pid}-${tickAtMs}-${i}`, getRemainingTimeInMillis: () => 60_000 } as Context
  const outcome = (await handler({ time: toInstant(tickAtMs) }, context)) as TickOutcome
  return outcome.reason ?? outcome.kind
}

process.on('message', async ({ tickAtMs, deliveries }: Round) => {
  acts = 0
  nowMs = tickAtMs
  const outcomes = await Promise.all(
    Array.from({ length: deliveries }, (_, i) =>
      deliver(tickAtMs, i).catch((error: Error) => `failed: ${error.message}`),
    ),
  )
  process.send?.({ acts, outcomes } satisfies RoundResult)
})
process.on('disconnect', () => process.exit(0))
// Eight cold starts at once on a busy machine would take their time out of the first tick's budget.
await Promise.all([wiring.api(), wiring.lease(loop.name)])
process.send?.('ready')
