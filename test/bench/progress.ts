// Tells on stderr how far a part is: a bar that moves in a terminal, a plain line now and then where it is piped, and
// nothing of what takes less than two seconds.

import { createPaint, isColoured, type Paint } from '../../infra/local/terminal/paint.ts'
import type { Output } from '../../infra/local/terminal/screen.ts'

const PATIENCE_MS = 2_000
const FRAME_MS = 200
const PLAIN_EVERY_MS = 15_000
const BAR = 24

/** How far something is. */
export interface Progress {
  /** Begins something of `steps` steps; ends what was before. */
  begin(what: string, steps: number): void
  /** One more step is done. */
  step(): void
  end(): void
}

/** What a line tells. */
export interface Reached {
  readonly what: string
  readonly done: number
  readonly steps: number
  readonly elapsedMs: number
}

/** Opens the progress of a run. */
export function openProgress(output: Output, environment: Readonly<Record<string, string | undefined>>): Progress {
  const isTerminal = output.isTTY === true
  const paint = createPaint(isColoured(isTerminal, environment))
  let reached: Reached | undefined
  let startedMs = 0
  let timer: NodeJS.Timeout | undefined

  const show = () => {
    if (!reached) return
    reached = { ...reached, elapsedMs: performance.now() - startedMs }
    output.write(isTerminal ? `\r\u001b[K${barLine(reached, paint)}` : `${plainLine(reached)}\n`)
    timer = setTimeout(show, isTerminal ? FRAME_MS : PLAIN_EVERY_MS)
  }
  const end = () => {
    clearTimeout(timer)
    if (reached && reached.elapsedMs > 0 && isTerminal) output.write('\r\u001b[K')
    reached = undefined
  }
  return {
    begin(what, steps) {
      end()
      reached = { what, steps, done: 0, elapsedMs: 0 }
      startedMs = performance.now()
      timer = setTimeout(show, PATIENCE_MS)
    },
    step() {
      if (reached) reached = { ...reached, done: Math.min(reached.done + 1, reached.steps) }
    },
    end,
  }
}

/** `━━━━━━──────  3 of 8  cold start  12 s`. */
export function barLine({ what, done, steps, elapsedMs }: Reached, paint: Paint): string {
  const full = Math.round((done / steps) * BAR)
  const bar = `${paint.good('━'.repeat(full))}${paint.faint('─'.repeat(BAR - full))}`
  return `${bar}  ${done} of ${steps}  ${what}  ${paint.faint(`${Math.floor(elapsedMs / 1_000)} s`)}`
}

/** `cold start: 3 of 8, 12 s`. */
export function plainLine({ what, done, steps, elapsedMs }: Reached): string {
  return `${what}: ${done} of ${steps}, ${Math.floor(elapsedMs / 1_000)} s`
}
