// The Log port and its powertools implementation. Messages are constant texts; everything that varies is a field.
// No caller hands in a secret: errors are logged through `errorMessage`, objects by name, never by content.

import { Logger } from '@aws-lambda-powertools/logger'

/** What varies in a log line: plain JSON. */
export type LogFields = Readonly<Record<string, unknown>>

/** Where log lines go. */
export interface Log {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
}

/** Opens the log: one JSON object per line on stdout, its level from `level`. */
export function openLog(service: string, level: 'DEBUG' | 'INFO' | 'WARN' | 'ERROR'): Log {
  const logger = new Logger({ serviceName: service, logLevel: level })
  return {
    debug: (message, fields = {}) => logger.debug(message, fields),
    info: (message, fields = {}) => logger.info(message, fields),
    warn: (message, fields = {}) => logger.warn(message, fields),
    error: (message, fields = {}) => logger.error(message, fields),
  }
}
