// Events about changes that took effect. One that can't be written never undoes or fails the change: it is logged and
// counted. Only what ends the whole term goes on to the caller.

import { errorCode, errorMessage, FenceError, LeaseLostError } from '../errors.ts'
import { EVENTS, type EventContent, toEvent } from '../kubernetes/resources/event.ts'
import type { Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { ObjectWriter } from './writer.ts'

/** Counts Events that could not be written. */
export const EVENTS_FAILED = 'EventsFailed'

/** What an Event is told with. */
export interface Telling {
  readonly writer: ObjectWriter
  readonly signal: AbortSignal
  readonly log: Log
  readonly metrics: Metrics
}

/**
 * Writes an Event.
 * @throws LeaseLostError – another one has taken over. FenceError. What the Event tells of stands.
 */
export async function tell(content: EventContent, { writer, signal, log, metrics }: Telling): Promise<void> {
  try {
    await writer.create(EVENTS, toEvent(content), signal)
  } catch (error) {
    if (error instanceof LeaseLostError || error instanceof FenceError) throw error
    const { namespace, name } = content.regarding
    metrics.count(EVENTS_FAILED)
    log.warn('event not written', {
      object: namespace === undefined ? name : `${namespace}/${name}`,
      code: errorCode(error),
      error: errorMessage(error),
    })
  }
}
