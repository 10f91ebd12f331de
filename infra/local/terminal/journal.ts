// Shows what the functions and the serverless CLI write: a tick as its table, problems in one line, the rest on demand.

import { type LogLine, parseLine, type Tick } from './log-lines.ts'
import { renderProblem } from './problem-line.ts'
import type { Screen } from './screen.ts'
import { renderTick } from './tick-table.ts'

/** The shown lines. */
export interface Journal {
  /** Takes one line as it was written. */
  take(text: string): void
  /** Resolves with the first `count` outcomes of a loop's tick, e.g. `2026-11-21T07:05:00Z`, once they are shown. */
  outcomes(loop: string, tick: string, count: number): Promise<Tick[]>
}

/** Starts a journal. `isJson` shows the functions' lines as they are, `isVerbose` all the others too. */
export function openJournal(screen: Screen, { isJson, isVerbose }: { isJson: boolean; isVerbose: boolean }): Journal {
  const ticks: Tick[] = []
  const waiting = new Set<() => void>()

  function show(line: LogLine): void {
    if (isJson && line.kind !== 'chatter') screen.raw(line.text)
    else if (line.kind === 'tick') screen.say(...renderTick(line.tick, screen.paint))
    else if (line.kind === 'problem') screen.say(...renderProblem(line, screen.paint))
    else if (isVerbose) screen.say(screen.paint.faint(line.text))
  }

  return {
    take(text) {
      const line = parseLine(text)
      show(line)
      if (line.kind !== 'tick') return
      ticks.push(line.tick)
      for (const look of waiting) look()
    },
    outcomes: (loop, tick, count) =>
      new Promise(resolve => {
        const look = () => {
          const found = ticks.filter(outcome => outcome.loop === loop && outcome.tick === tick)
          if (found.length < count) return
          waiting.delete(look)
          resolve(found.slice(0, count))
        }
        waiting.add(look)
        look()
      }),
  }
}
