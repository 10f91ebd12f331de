// A process that runs one scheduled cleanup tick, as `serverless invoke local` does, and ends by itself. It tells of each
// signal once everybody who listens has heard it, and what the tick came to.

import type { Context } from 'aws-lambda'
import { cleanup } from '../../lib/runtime/loops/cleanup.ts'
import { scheduled } from '../../lib/runtime/scheduled.ts'
import { openWiring } from '../../lib/runtime/wiring.ts'
import type { TickOutcome } from '../../lib/tick/outcome.ts'
import { systemClock } from '../../lib/time.ts'

const time = process.env.TICK_TIME ?? ''
const clock = { ...systemClock, wallMs: () => Date.parse(time) }
const context = { awsRequestId: 'one-tick', getRemainingTimeInMillis: () => 60_000 } as Context

for (const signal of ['SIGTERM', 'SIGINT'] as const)
  process.on(signal, () => setImmediate(() => process.send?.({ signal })))

scheduled(cleanup, () => openWiring(process.env, clock))({ time }, context).then(
  outcome => process.send?.({ outcome }),
  ({ outcome }: { outcome: TickOutcome }) => process.send?.({ outcome }),
)
