// How a local run ends: by Ctrl-C or a signal, in order. A second Ctrl-C ends it at once.

/** One key press reaches a script both from the terminal and from npm, which passes it on; ms between the two. */
const SAME_PRESS_MS = 500
/** The shell's exit code for a process that Ctrl-C ended. */
const INTERRUPTED = 130

/** When it is to end. */
export interface Ending {
  /** Aborted when it is to end. */
  readonly signal: AbortSignal
  /** Resolves then. */
  readonly asked: Promise<void>
  /** Lets go of the signals. */
  close(): void
}

/** Listens for SIGINT, SIGTERM, SIGHUP, and for an output that nobody reads any more. */
export function openEnding(atOnce: () => void = () => process.exit(INTERRUPTED)): Ending {
  const controller = new AbortController()
  let askedAtMs: number | undefined
  const ask = () => {
    const nowMs = performance.now()
    if (askedAtMs !== undefined && nowMs - askedAtMs > SAME_PRESS_MS) return atOnce()
    askedAtMs ??= nowMs
    controller.abort()
  }
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const signal of signals) process.on(signal, ask)
  const unread = () => controller.abort()
  process.stdout.on('error', unread)
  return {
    signal: controller.signal,
    asked: new Promise(resolve => controller.signal.addEventListener('abort', () => resolve(), { once: true })),
    close() {
      for (const signal of signals) process.off(signal, ask)
      process.stdout.off('error', unread)
    },
  }
}
