// The tick that is due when a local run starts, delivered twice, as a schedule that promises «at least once» may do.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Journal } from '../terminal/journal.ts'
import { toInstant } from '../terminal/units.ts'
import { type Deliveries, PERIOD_MS, scheduledEvent, tickAt } from './deliveries.ts'

/** So close before the next tick the one that is due is not delivered any more: it could come too late, ms. */
const TOO_CLOSE_MS = 3_000

/** What it takes. */
export interface FirstTick {
  readonly deliveries: Deliveries
  readonly journal: Journal
  /** See `invokeUrl`. */
  readonly url: string
  /** Says a line to people. */
  readonly tell: (line: string) => void
  readonly signal: AbortSignal
}

/** How long the tick may take to come, ms. */
const LIMIT_MS = 90_000

/**
 * Delivers the tick that is due, then the same one again; resolves when the outcomes of both are shown.
 *
 * @returns an exit code: 0, or 1 when one of them failed.
 * @throws Error – a delivery failed or was not answered, or 90 s are over; `AbortError` when `signal` was aborted.
 */
export async function deliverFirstTick(options: FirstTick): Promise<number> {
  const late = new AbortController()
  const limit = sleep(LIMIT_MS, undefined, { signal: late.signal }).then(() => {
    throw new Error(`the first tick did not come within ${LIMIT_MS / 1_000} s`)
  })
  try {
    return await Promise.race([deliver(options), limit])
  } finally {
    late.abort()
  }
}

async function deliver({ deliveries, journal, url, tell, signal }: FirstTick): Promise<number> {
  const leftMs = tickAt(Date.now()) + PERIOD_MS - Date.now()
  if (leftMs < TOO_CLOSE_MS) await sleep(leftMs, undefined, { signal })
  const atMs = tickAt(Date.now())
  await deliveries.deliver(url, scheduledEvent(atMs))
  await journal.outcomes(toInstant(atMs), 1)
  signal.throwIfAborted()
  tell('the same tick is delivered again, as a schedule may do')
  await deliveries.deliver(url, scheduledEvent(atMs))
  const outcomes = await journal.outcomes(toInstant(atMs), 2)
  return outcomes.some(({ kind }) => kind === 'failed') ? 1 : 0
}
