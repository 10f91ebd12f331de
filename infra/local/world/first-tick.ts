// The ticks that are due when a local run starts, one of each loop, then each of them again, as a schedule that promises «at
// least once» may do.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Journal } from '../terminal/journal.ts'
import { toInstant } from '../terminal/units.ts'
import { type Deliveries, scheduledEvent, tickAt } from './deliveries.ts'
import type { LocalLoop } from './loops.ts'

/** So close before the next tick the one that is due is not delivered any more: its repetition could come too late, ms. */
const TOO_CLOSE_MS = 10_000

/** What it takes. */
export interface FirstTicks {
  readonly loops: readonly LocalLoop[]
  readonly deliveries: Deliveries
  readonly journal: Journal
  /** The address that invokes a loop's function, see `invokeUrl`. */
  readonly urlOf: (loop: string) => string
  /** Says a line to people. */
  readonly tell: (line: string) => void
  readonly signal: AbortSignal
}

/** How long the ticks may take to come, ms. */
const LIMIT_MS = 90_000

/**
 * Delivers the tick that is due to each loop in turn, then the same ones again; resolves when the outcomes of all are shown.
 *
 * @returns an exit code: 0, or 1 when one of them failed.
 * @throws Error – a delivery failed or was not answered, or 90 s are over; `AbortError` when `signal` was aborted.
 */
export async function deliverFirstTicks(options: FirstTicks): Promise<number> {
  const late = new AbortController()
  const limit = sleep(LIMIT_MS, undefined, { signal: late.signal }).then(() => {
    throw new Error(`the first ticks did not come within ${LIMIT_MS / 1_000} s`)
  })
  try {
    return await Promise.race([deliver(options), limit])
  } finally {
    late.abort()
  }
}

async function deliver({ loops, deliveries, journal, urlOf, tell, signal }: FirstTicks): Promise<number> {
  const due: [loop: string, atMs: number][] = []
  let code = 0
  const deliverTick = async (loop: string, atMs: number, count: number) => {
    signal.throwIfAborted()
    await deliveries.deliver(urlOf(loop), scheduledEvent(atMs))
    const outcomes = await journal.outcomes(loop, toInstant(atMs), count)
    if (outcomes.some(({ kind }) => kind === 'failed')) code = 1
  }
  for (const { name, periodMs } of loops) {
    const leftMs = tickAt(Date.now(), periodMs) + periodMs - Date.now()
    if (leftMs < TOO_CLOSE_MS) await sleep(leftMs, undefined, { signal })
    const atMs = tickAt(Date.now(), periodMs)
    due.push([name, atMs])
    await deliverTick(name, atMs, 1)
  }
  signal.throwIfAborted()
  tell(`the same ${due.length === 1 ? 'tick is' : 'ticks are'} delivered again, as a schedule may do`)
  for (const [name, atMs] of due) await deliverTick(name, atMs, 2)
  return code
}
