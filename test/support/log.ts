// A log that tests can read.

import type { Log, LogFields } from '../../lib/telemetry/log.ts'

/** One line as it was logged. */
export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly message: string
  readonly fields: LogFields
}

/** A log that keeps its lines. */
export function recordingLog(): Log & { lines: LogLine[]; messages(): string[] } {
  const lines: LogLine[] = []
  const at =
    (level: LogLine['level']) =>
    (message: string, fields: LogFields = {}) => {
      lines.push({ level, message, fields })
    }
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    lines,
    messages: () => lines.map(line => line.message),
  }
}
