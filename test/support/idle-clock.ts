// A clock for whole invocations over real sockets, hung servers among them.

import type { Clock } from '../../lib/time.ts'

/** Real time without any sleep begun or ended after which nothing is under way any more, ms; loopback needs far less. */
const QUIET_MS = 8
/** Turns of the event loop that must be quiet as well, so that a process that was held up is not taken for an idle one. */
const QUIET_TURNS = 50

/**
 * Makes a clock that stands while work is under way, and moves to the next sleeper's time as soon as everybody waits.
 *
 * So back-offs, time limits and deadlines all come true in their order, and none costs real time. Whoever waits for
 * something else than a socket of this process (a child, a file) needs another clock.
 */
export function idleClock(startAtMs: number): Clock & { advance(ms: number): void } {
  const sleepers = new Set<{ dueMs: number; wake: () => void }>()
  let elapsedMs = 0
  let changes = 0
  let isWatching = false

  async function watch(): Promise<void> {
    isWatching = true
    while (sleepers.size > 0) {
      const before = changes
      await new Promise(resolve => setTimeout(resolve, QUIET_MS))
      for (let turn = 0; turn < QUIET_TURNS; turn++) await new Promise(resolve => setImmediate(resolve))
      const [next] = [...sleepers].sort((a, b) => a.dueMs - b.dueMs)
      if (changes !== before || !next) continue
      elapsedMs = Math.max(elapsedMs, next.dueMs)
      next.wake()
    }
    isWatching = false
  }

  return {
    wallMs: () => startAtMs + elapsedMs,
    monotonicMs: () => elapsedMs,
    sleep: (ms, signal) =>
      new Promise(resolve => {
        if (signal?.aborted) return resolve()
        const wake = () => {
          changes++
          sleepers.delete(sleeper)
          signal?.removeEventListener('abort', wake)
          resolve()
        }
        const sleeper = { dueMs: elapsedMs + ms, wake }
        changes++
        sleepers.add(sleeper)
        signal?.addEventListener('abort', wake, { once: true })
        if (!isWatching) void watch()
      }),
    advance: ms => {
      elapsedMs += ms
    },
  }
}
