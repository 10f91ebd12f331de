// The end of what is running: ticks in flight are waited for, some seconds long, before the functions are stopped.

import { setTimeout as sleep } from 'node:timers/promises'

/** How long ticks are waited for, ms. */
export const WAIT_MS = 10_000
const ASK_EVERY_MS = 100

/** What is in flight. */
export interface InFlight {
  /** Deliveries that were not answered yet. */
  deliveries(): number
  /** Leases that somebody holds: ticks that a schedule started. */
  leases(): Promise<string[]>
}

/** Time as it passes; tests give their own. */
export interface Time {
  /** A clock that never runs backwards, ms. */
  nowMs(): number
  sleep(ms: number): Promise<void>
}

const REAL_TIME: Time = { nowMs: () => performance.now(), sleep: ms => sleep(ms) }

/**
 * Waits until nothing is in flight.
 *
 * @param tell called once, with what is being waited for, unless there is nothing.
 * @throws Error – it still is after `WAIT_MS`.
 */
export async function waitForTicks(
  inFlight: InFlight,
  tell: (what: string) => void,
  time: Time = REAL_TIME,
): Promise<void> {
  const endsAtMs = time.nowMs() + WAIT_MS
  for (let isTold = false; ; isTold = true) {
    const what = await describe(inFlight)
    if (what === undefined) return
    if (time.nowMs() >= endsAtMs) throw new Error(`${what} did not end within ${WAIT_MS / 1_000} s`)
    if (!isTold) tell(what)
    await time.sleep(ASK_EVERY_MS)
  }
}

async function describe({ deliveries, leases }: InFlight): Promise<string | undefined> {
  const held = await leases()
  if (held.length > 0) return `the tick that holds ${held.join(' and ')}`
  const count = deliveries()
  if (count > 0) return count === 1 ? 'a delivery without an answer yet' : `${count} deliveries without an answer yet`
  return undefined
}
