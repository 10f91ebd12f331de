// Virtual time: one queue of events, in the order of their times, then of their making. Between two events everything that
// the production code can do without waiting is done. No timer and no clock of the machine is involved.

/** The time line of one world. */
export interface Timeline {
  /** Virtual time, ms from the world's beginning. */
  nowMs(): number
  /** Runs something `delayMs` from now, at the earliest after everything that is due now. */
  after(delayMs: number, run: () => void): void
  /** Tells that an event gave production code something to go on with. */
  touch(): void
  /** Plays all events up to an instant. */
  playUntil(endMs: number): Promise<void>
}

interface TimedEvent {
  readonly atMs: number
  readonly order: number
  readonly run: () => void
}

/** Makes an empty time line. */
export function createTimeline(): Timeline {
  const heap: TimedEvent[] = []
  let nowMs = 0
  let order = 0
  let isTouched = false

  function isBefore(a: TimedEvent, b: TimedEvent): boolean {
    return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)
  }

  function push(event: TimedEvent): void {
    let at = heap.length
    heap.push(event)
    while (at > 0) {
      const parent = (at - 1) >> 1
      const above = heap[parent] as TimedEvent
      if (!isBefore(event, above)) break
      heap[at] = above
      at = parent
    }
    heap[at] = event
  }

  function pop(): TimedEvent {
    const first = heap[0] as TimedEvent
    const last = heap.pop() as TimedEvent
    if (heap.length === 0) return first
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      const right = child + 1
      if (right < heap.length && isBefore(heap[right] as TimedEvent, heap[child] as TimedEvent)) child = right
      if (!isBefore(heap[child] as TimedEvent, last)) break
      heap[at] = heap[child] as TimedEvent
      at = child
    }
    heap[at] = last
    return first
  }

  return {
    nowMs: () => nowMs,
    after: (delayMs, run) => push({ atMs: nowMs + Math.max(0, delayMs), order: order++, run }),
    touch: () => {
      isTouched = true
    },
    async playUntil(endMs) {
      for (;;) {
        // Promises settle before the event loop turns; nothing else is ever pending here.
        if (isTouched) {
          isTouched = false
          await new Promise(resolve => setImmediate(resolve))
          continue
        }
        const next = heap[0]
        if (!next || next.atMs > endMs) break
        pop()
        nowMs = next.atMs
        next.run()
      }
      nowMs = Math.max(nowMs, endMs)
    },
  }
}
