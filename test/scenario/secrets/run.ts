// A process in which both loops run as functions do: on their schedule, as a dry run, and asked for their status. What they
// answer or throw is a message; what they print stays where functions print it.

import type { Context } from 'aws-lambda'
import { configCheck } from '../../../lib/runtime/loops/config-check.ts'
import { statusSync } from '../../../lib/runtime/loops/status-sync.ts'
import { manual } from '../../../lib/runtime/manual.ts'
import { scheduled } from '../../../lib/runtime/scheduled.ts'
import { toInstant } from '../../../lib/time.ts'

const PERIOD_MS = 600_000
const loops = [statusSync, configCheck]
const context = { awsRequestId: 'one', getRemainingTimeInMillis: () => 60_000 } as Context
const time = toInstant(Math.floor(Date.now() / PERIOD_MS) * PERIOD_MS)

/** Everything an error carries, its causes and their stacks among it. */
function textOf(error: unknown): string {
  if (!(error instanceof Error)) return JSON.stringify(error)
  return [
    error.stack,
    JSON.stringify(error, Object.getOwnPropertyNames(error)),
    error.cause ? textOf(error.cause) : '',
  ].join('\n')
}

const told: string[] = []
async function keep(call: Promise<unknown>): Promise<void> {
  told.push(await call.then(answer => JSON.stringify(answer), textOf))
}

const reconcile = manual(loops)
for (const loop of loops) {
  await keep(Promise.resolve(scheduled(loop)({ time }, context)))
  await keep(Promise.resolve(reconcile({ loop: loop.name }, context)))
  await keep(Promise.resolve(reconcile({ loop: loop.name, dryRun: true }, context)))
  await keep(Promise.resolve(reconcile({ loop: loop.name, action: 'status' }, context)))
}
process.send?.(told, () => process.exit(0))
