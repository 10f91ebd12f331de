// Bounded parallel work on one page's actions. Nothing is started once admission has ended; what is in flight then goes on
// and is waited for by the shutdown stages.

/** Runs tasks, at most `limit` at a time. */
export interface Workers {
  /**
   * Starts the tasks in their order while `mayAdmit` holds.
   * @returns when all of them ended, or as soon as `ended` is aborted, with some perhaps still in flight.
   */
  run<T>(tasks: readonly T[], work: (task: T) => Promise<void>, ended: AbortSignal): Promise<void>
  /** How many tasks are in flight. */
  active(): number
  /** Resolves when nothing is in flight. */
  idle(): Promise<void>
}

/** Makes workers; `limit` from 1. A task's `work` must not reject. */
export function createWorkers(limit: number): Workers {
  const inFlight = new Set<Promise<void>>()

  async function lane<T>(queue: Iterator<T>, work: (task: T) => Promise<void>, ended: AbortSignal): Promise<void> {
    while (!ended.aborted) {
      const next = queue.next()
      if (next.done) return
      const task = work(next.value).finally(() => inFlight.delete(task))
      inFlight.add(task)
      await task
    }
  }

  return {
    async run(tasks, work, ended) {
      const queue = tasks[Symbol.iterator]()
      const lanes = Array.from({ length: Math.min(limit, tasks.length) }, () => lane(queue, work, ended))
      const listening = new AbortController()
      const admissionEnded = new Promise<void>(resolve => {
        if (ended.aborted) resolve()
        else ended.addEventListener('abort', () => resolve(), { signal: listening.signal })
      })
      await Promise.race([Promise.all(lanes), admissionEnded])
      listening.abort()
    },
    active: () => inFlight.size,
    idle: async () => {
      while (inFlight.size > 0) await Promise.all(inFlight)
    },
  }
}
