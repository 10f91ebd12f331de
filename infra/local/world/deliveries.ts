// Delivers events to functions over the invoke API, as the platform's schedule does, and knows which are still in flight.

import { randomUUID } from 'node:crypto'
import { toInstant } from '../terminal/units.ts'

/** Start of the period that an instant lies in, epoch ms: the tick that is due. */
export function tickAt(nowMs: number, periodMs: number): number {
  return Math.floor(nowMs / periodMs) * periodMs
}

/**
 * What EventBridge sends for a schedule that fired at an instant, epoch ms.
 * @see https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html
 */
export function scheduledEvent(atMs: number): object {
  return {
    version: '0',
    id: randomUUID(),
    'detail-type': 'Scheduled Event',
    source: 'aws.events',
    account: '000000000000',
    time: toInstant(atMs),
    region: 'eu-central-1',
    resources: [],
    detail: {},
  }
}

/** Delivers events. */
export interface Deliveries {
  /**
   * Invokes a function and waits for its answer.
   *
   * @param url see `invokeUrl`.
   * @throws Error – the function failed (with its message), or nobody answered.
   */
  deliver(url: string, event: object): Promise<void>
  /** How many are not answered yet. */
  inFlight(): number
}

/** Starts with none in flight. */
export function openDeliveries(): Deliveries {
  let inFlight = 0
  return {
    async deliver(url, event) {
      inFlight++
      try {
        const answer = await fetch(url, { method: 'POST', body: JSON.stringify(event) })
        const body = await answer.text()
        if (!answer.ok || answer.headers.has('x-amz-function-error')) throw new Error(reasonOf(body))
      } finally {
        inFlight--
      }
    },
    inFlight: () => inFlight,
  }
}

function reasonOf(body: string): string {
  try {
    const { errorMessage, Message } = JSON.parse(body) as { errorMessage?: string; Message?: string }
    return errorMessage ?? Message ?? body
  } catch {
    return body
  }
}
