// The middy stack around every function: open the wiring once, parse the event, run, log what failed. The one place that
// knows middy.

import middy from '@middy/core'
import type { Context } from 'aws-lambda'
import type * as z from 'zod'
import { errorCode, errorMessage } from '../errors.ts'
import { TickFailedError } from '../tick/outcome.ts'
import { parseEvent } from './event.ts'
import { openWiring, type Wiring } from './wiring.ts'

/** What the platform tells about one invocation. */
export interface Invocation {
  readonly requestId: string
  /** What the platform leaves this invocation, ms. */
  remainingMs(): number
}

/** What a function does with a parsed event. */
export type Run<Event> = (event: Event, invocation: Invocation, wiring: Wiring) => Promise<unknown>

/** A function as the platform calls it. */
export type Handler = (event: unknown, context: Context) => Promise<unknown>

/**
 * Makes a function's handler; the wiring is opened by the first invocation and kept.
 *
 * middy's own early time-out stays off: it would answer while the handler goes on, and the tick's budget ends the work in
 * time by itself.
 */
export function lambda<Event>(schema: z.ZodType<Event>, run: Run<Event>, open: () => Wiring = openWiring): Handler {
  let wiring: Wiring | undefined
  const handler = middy<unknown, unknown>({ timeoutEarlyInMillis: 0 })
    .onError(({ error }) => {
      wiring?.log.error('invocation failed', { code: errorCode(error), reason: reasonOf(error) })
    })
    .handler(async (event: unknown, context: Context) => {
      wiring ??= open()
      const invocation: Invocation = {
        requestId: context.awsRequestId,
        remainingMs: () => context.getRemainingTimeInMillis(),
      }
      return await run(parseEvent(schema, event), invocation, wiring)
    })
  return (event, context) => handler(event, context) as Promise<unknown>
}

/** A failed tick's message is made of messages that are safe to log. */
function reasonOf(error: unknown): string {
  return error instanceof TickFailedError ? error.message : errorMessage(error)
}
