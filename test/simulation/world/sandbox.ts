// One sandbox of the runtime: a process with two clocks that the platform may freeze, thaw and kill at any await point. All
// that production code ever waits for comes through `deliver`, so that a frozen process hears everything when it wakes, and
// a dead one never hears anything again.

import type { Clock } from '../../../lib/time.ts'
import type { Timeline } from './timeline.ts'

/** One process. */
export interface Sandbox {
  readonly index: number
  readonly clock: Clock
  /** Runs something after `ms` of its monotonic time. @returns what stops it. */
  timer(ms: number, run: () => void): () => void
  /** Hands something to production code: now, when it thaws, or never. */
  deliver(run: () => void): void
  isFrozen(): boolean
  isDead(): boolean
  /** Stops everything; the wall clock goes on, the other one as told. */
  freeze(doesMonotonicStand: boolean): void
  thaw(): void
  kill(): void
  stepWall(byMs: number): void
  /** How much the wall clock is ahead, ms. */
  aheadMs(): number
}

/** The instant at which every world begins: a whole period of every loop. */
export const BEGINNING_MS = Date.parse('2026-11-21T07:00:00Z')

/** Starts a process whose wall clock is `skewMs` ahead of the world's. */
export function createSandbox(index: number, timeline: Timeline, skewMs: number): Sandbox {
  const waiting: (() => void)[] = []
  const startedMs = timeline.nowMs()
  let wallStepMs = skewMs
  let stoodMs = 0
  let frozenSinceMs: number | undefined
  let isStanding = false
  let isDead = false

  function monotonicMs(): number {
    const stands = frozenSinceMs !== undefined && isStanding
    return (stands ? (frozenSinceMs as number) : timeline.nowMs()) - stoodMs - startedMs
  }

  function deliver(run: () => void): void {
    if (isDead) return
    if (frozenSinceMs !== undefined) {
      waiting.push(run)
      return
    }
    timeline.touch()
    run()
  }

  function timer(ms: number, run: () => void): () => void {
    const dueMs = monotonicMs() + ms
    let isOver = false
    const look = () => {
      if (isOver) return
      const leftMs = dueMs - monotonicMs()
      if (leftMs > 0) return wait(leftMs)
      isOver = true
      run()
    }
    const wait = (leftMs: number) => timeline.after(leftMs, () => isOver || deliver(look))
    wait(ms)
    return () => {
      isOver = true
    }
  }

  function sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise(resolve => {
      if (signal?.aborted) return resolve()
      const end = () => {
        stop()
        signal?.removeEventListener('abort', end)
        resolve()
      }
      const stop = timer(ms, end)
      signal?.addEventListener('abort', end, { once: true })
    })
  }

  return {
    index,
    clock: { wallMs: () => BEGINNING_MS + timeline.nowMs() + wallStepMs, monotonicMs, sleep },
    timer,
    deliver,
    isFrozen: () => frozenSinceMs !== undefined,
    isDead: () => isDead,
    freeze(doesMonotonicStand) {
      if (frozenSinceMs !== undefined || isDead) return
      frozenSinceMs = timeline.nowMs()
      isStanding = doesMonotonicStand
    },
    thaw() {
      if (frozenSinceMs === undefined || isDead) return
      if (isStanding) stoodMs += timeline.nowMs() - frozenSinceMs
      frozenSinceMs = undefined
      // One after the other, as an event loop would; what they lead to may freeze it again.
      for (const run of waiting.splice(0)) deliver(run)
    },
    kill() {
      isDead = true
      waiting.length = 0
    },
    stepWall: byMs => {
      wallStepMs += byMs
    },
    aheadMs: () => wallStepMs,
  }
}
