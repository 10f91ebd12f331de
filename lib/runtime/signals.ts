// SIGTERM and SIGINT end a tick through the same stages as an ended budget. A deployed function sees a signal only when an
// extension is registered, and none when its time is up; nothing depends on it.

import type { TickOutcome } from '../tick/outcome.ts'

const SIGNALS = ['SIGTERM', 'SIGINT'] as const

/**
 * Calls `stop` at the first signal, instead of letting it end the process.
 * @returns what ends the listening.
 */
export function stopOnSignal(stop: (signal: string) => void): () => void {
  for (const signal of SIGNALS) process.on(signal, stop)
  return () => {
    for (const signal of SIGNALS) process.off(signal, stop)
  }
}

/** What a local process that was told to end ends with: 0, or 1 where the tick or a shutdown handler failed. */
export function setExitCode(outcome: TickOutcome): void {
  process.exitCode = outcome.kind === 'failed' || outcome.shutdownErrors.length > 0 ? 1 : 0
}
