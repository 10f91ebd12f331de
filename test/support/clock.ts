// Clocks for tests: time passes only when a test lets it.

import { type Clock, systemClock } from '../../lib/time.ts'

/** Saturday 2026-11-21 07:05:00 UTC, a whole period of every loop. */
export const T0 = Date.parse('2026-11-21T07:05:00Z')

/** A clock that stands until it is moved. */
export interface ManualClock extends Clock {
  /** Moves both clocks and wakes, in order, whoever slept until then. */
  advance(ms: number): Promise<void>
  /** Moves the wall clock alone, as an operator or NTP does. */
  stepWall(ms: number): void
  /** Runs a promise to its end, moving to the next sleeper's time whenever nothing else is left to do. */
  run<T>(promise: Promise<T>): Promise<T>
  /** Sleepers that were neither woken nor aborted. */
  pending(): number
}

/** Makes a clock that stands at `startAtMs`; for tests without sockets. */
export function manualClock(startAtMs = T0): ManualClock {
  let elapsedMs = 0
  let wallStepMs = 0
  const sleepers = new Set<{ dueMs: number; wake: () => void }>()

  async function settleMicrotasks() {
    for (let turn = 0; turn < 10; turn++) await new Promise(resolve => setImmediate(resolve))
  }

  async function advance(ms: number) {
    const targetMs = elapsedMs + ms
    for (;;) {
      await settleMicrotasks()
      const next = [...sleepers].sort((a, b) => a.dueMs - b.dueMs)[0]
      if (!next || next.dueMs > targetMs) break
      elapsedMs = Math.max(elapsedMs, next.dueMs)
      sleepers.delete(next)
      next.wake()
    }
    elapsedMs = targetMs
    await settleMicrotasks()
  }

  return {
    wallMs: () => startAtMs + elapsedMs + wallStepMs,
    monotonicMs: () => elapsedMs,
    sleep: (ms, signal) =>
      new Promise(resolve => {
        if (signal?.aborted) return resolve()
        const sleeper = { dueMs: elapsedMs + ms, wake: resolve }
        sleepers.add(sleeper)
        signal?.addEventListener('abort', () => {
          sleepers.delete(sleeper)
          resolve()
        })
      }),
    advance,
    stepWall: ms => {
      wallStepMs += ms
    },
    async run(promise) {
      let done = false
      const ended = promise.finally(() => {
        done = true
      })
      ended.catch(() => {})
      for (;;) {
        await settleMicrotasks()
        if (done) return await ended
        const dueMs = Math.min(...[...sleepers].map(sleeper => sleeper.dueMs))
        if (dueMs === Number.POSITIVE_INFINITY)
          throw new Error('nothing is left to wait for, and the promise is not settled')
        await advance(Math.max(0, dueMs - elapsedMs))
      }
    },
    pending: () => sleepers.size,
  }
}

/** A clock for ticks over real sockets. */
export interface ScenarioClock extends Clock {
  /** Moves both clocks. */
  advance(ms: number): void
  /** Ends every sleep of more than 15 s, as if its time had come: those are the deadlines of budgets. */
  endBudget(): void
}

/** The only sleeps of this length are settles. */
const SETTLE_SLEEP_MS = [10_000, 15_000] as const

/** Makes a clock that runs like the machine's from `startAtMs`, except that a settle passes at once and moves it on. */
export function scenarioClock(startAtMs = T0): ScenarioClock {
  const startedMs = performance.now()
  const deadlines = new Set<() => void>()
  let leaptMs = 0
  const elapsedMs = () => performance.now() - startedMs + leaptMs
  return {
    wallMs: () => startAtMs + elapsedMs(),
    monotonicMs: elapsedMs,
    async sleep(ms, signal) {
      const [from, to] = SETTLE_SLEEP_MS
      if (ms > from && ms <= to) leaptMs += ms
      else if (ms <= from) await systemClock.sleep(ms, signal)
      else
        await new Promise<void>(resolve => {
          const end = () => {
            deadlines.delete(end)
            resolve()
          }
          deadlines.add(end)
          signal?.addEventListener('abort', end, { once: true })
        })
    },
    advance: ms => {
      leaptMs += ms
    },
    endBudget: () => {
      for (const end of deadlines) end()
    },
  }
}
