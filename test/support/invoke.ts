// Functions as a platform calls them, in this process.

import type { Context } from 'aws-lambda'
import { cleanup } from '../../lib/runtime/loops/cleanup.ts'
import { manual } from '../../lib/runtime/manual.ts'
import { scheduled } from '../../lib/runtime/scheduled.ts'
import { openWiring } from '../../lib/runtime/wiring.ts'
import type { TickOutcome } from '../../lib/tick/outcome.ts'
import { type Clock, toInstant } from '../../lib/time.ts'

/** The functions of one sandbox. */
export interface Sandbox {
  /** Delivers a scheduled cleanup tick. */
  tick(atMs: number): Promise<TickOutcome>
  /** Invokes the manual function. */
  reconcile<Answer = TickOutcome>(event: object): Promise<Answer>
}

/** Starts a sandbox; every invocation gets `timeoutMs` and a request id of its own. */
export function startSandbox(environment: Record<string, string>, clock: Clock, timeoutMs = 60_000): Sandbox {
  const open = () => openWiring(environment, clock)
  const functions = { cleanup: scheduled(cleanup, open), reconcile: manual([cleanup], open) }
  let invocations = 0
  const context = () => {
    const startedMs = clock.monotonicMs()
    return {
      awsRequestId: `request-${invocations++}`,
      getRemainingTimeInMillis: () => timeoutMs - (clock.monotonicMs() - startedMs),
    } as Context
  }
  return {
    tick: async atMs => (await functions.cleanup({ time: toInstant(atMs) }, context())) as TickOutcome,
    reconcile: async <Answer>(event: object) => (await functions.reconcile(event, context())) as Answer,
  }
}
