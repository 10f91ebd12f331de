// A warning or an error of a function in one line: its constant message, then what varies.

import type { LogLine } from './log-lines.ts'
import type { Paint } from './paint.ts'

type Problem = Extract<LogLine, { kind: 'problem' }>

/** The code of the error that only repeats a failed tick's own line. */
const TOLD_BY_TICK = 'TickFailed'

/** One line, or none for what a tick's table tells anyway. */
export function renderProblem({ level, message, fields }: Problem, paint: Paint): string[] {
  if (fields.code === TOLD_BY_TICK) return []
  const label = level === 'WARN' ? paint.careful('warning') : paint.bad('error')
  return [[label, message, paint.faint(rendered(fields))].join('  ').trimEnd()]
}

function rendered(fields: Problem['fields']): string {
  return Object.entries(fields)
    .map(([key, value]) => `${key}=${typeof value === 'string' && /^\S+$/.test(value) ? value : JSON.stringify(value)}`)
    .join(' ')
}
