// A process that runs the scheduled cleanup function on ticks it is told of, until it is killed.

import type { Context } from 'aws-lambda'
import { cleanup } from '../../lib/runtime/loops/cleanup.ts'
import { scheduled } from '../../lib/runtime/scheduled.ts'
import { openWiring } from '../../lib/runtime/wiring.ts'
import { systemClock, toInstant } from '../../lib/time.ts'

let nowMs = 0
const handler = scheduled(cleanup, () => openWiring(process.env, { ...systemClock, wallMs: () => nowMs }))

process.on('message', async ({ tickAtMs }: { tickAtMs: number }) => {
  nowMs = tickAtMs
  const context = { awsRequestId: 'actor', getRemainingTimeInMillis: () => 60_000 } as Context
  process.send?.(await handler({ time: toInstant(tickAtMs) }, context))
})
process.on('disconnect', () => process.exit(0))
process.send?.('ready')
