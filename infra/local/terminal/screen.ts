// Where lines for people go, and a word about what takes long. Log lines that are asked for raw have stdout for themselves;
// everything said to people then goes to stderr.

import { createPaint, isColoured, type Paint } from './paint.ts'

/** How long something may take before it is told about, ms. */
const PATIENCE_MS = 2_000
const FRAME_MS = 100
/** Characters of a countdown's bar. */
const BAR = 30
const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']

/** A terminal, or a file or pipe in its place. */
export type Output = Pick<NodeJS.WriteStream, 'write' | 'isTTY'>

/** The output of a local run. */
export interface Screen {
  readonly paint: Paint
  /** Writes lines for people. */
  say(...lines: string[]): void
  /** Writes a line for programs, as it is, to stdout. */
  raw(line: string): void
  /** Tells what is being waited for, once it takes longer than two seconds; the next call, or `idle`, ends it. */
  busy(what: string): void
  /** On a terminal, shows how much of a wait of so many ms is over; the next call, or `idle`, ends it. */
  countdown(what: string, ms: number): void
  idle(): void
}

/**
 * Opens the screen.
 *
 * @param options `isJson`: stdout is for programs. `outputs` default to the process's own.
 */
export function openScreen(options: {
  isJson: boolean
  environment: Readonly<Record<string, string | undefined>>
  outputs?: { stdout: Output; stderr: Output }
}): Screen {
  const { stdout, stderr } = options.outputs ?? process
  const people = options.isJson ? stderr : stdout
  const paint = createPaint(isColoured(people.isTTY === true, options.environment))
  let timer: NodeJS.Timeout | undefined
  let isShown = false

  function clear(): void {
    if (isShown && people.isTTY) people.write('\r\u001b[K')
    isShown = false
  }

  function idle(): void {
    clearTimeout(timer)
    clear()
  }

  function spin(what: string, frame: number): void {
    people.write(`\r\u001b[K${paint.faint(`${FRAMES[frame % FRAMES.length]} ${what}`)}`)
    isShown = true
    timer = setTimeout(() => spin(what, frame + 1), FRAME_MS)
  }

  function count(what: string, ms: number, startedAtMs: number): void {
    const overMs = Math.min(performance.now() - startedAtMs, ms)
    const full = Math.floor((overMs / ms) * BAR)
    const bar = '█'.repeat(full) + '░'.repeat(BAR - full)
    people.write(`\r\u001b[K  ${bar}  ${paint.faint(`${Math.ceil((ms - overMs) / 1_000)} s ${what}`)}`)
    isShown = true
    timer = setTimeout(() => count(what, ms, startedAtMs), FRAME_MS)
  }

  return {
    paint,
    say(...lines) {
      clear()
      people.write(lines.map(line => `${line}\n`).join(''))
    },
    raw(line) {
      clear()
      stdout.write(`${line}\n`)
    },
    busy(what) {
      idle()
      timer = setTimeout(() => (people.isTTY ? spin(what, 0) : people.write(`${what} …\n`)), PATIENCE_MS)
    },
    countdown(what, ms) {
      idle()
      if (people.isTTY) count(what, ms, performance.now())
    },
    idle,
  }
}
