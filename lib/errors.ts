// The failure classes of Fencepost. Expected results (a lease held elsewhere, a tick already completed) are values,
// never errors. Client libraries' errors are translated into these once, in the room that owns the client, and without
// bodies or headers, since those carry secrets. Only `OutcomeUnknownError` says that a write may have taken effect.

/** Why a transient failure happened; a later try may succeed without any change by people. */
export type TransientCode = 'Throttled' | 'Unavailable' | 'Timeout' | 'Conflict' | 'Expired'

/** Why a permanent failure happened; it stays until somebody mends what the message names. */
export type PermanentCode =
  | 'InvalidConfiguration'
  | 'InvalidEvent'
  | 'InvalidResource'
  | 'Unauthorized'
  | 'Forbidden'
  | 'NotFound'
  | 'LeaseMissing'
  | 'ForeignHolder'

/** A failure that may be gone at the next try: throttling, an unavailable server, a timeout, a conflict, an expired page. */
export class TransientError extends Error {
  override readonly name = 'TransientError'
  readonly code: TransientCode
  /** What the server asked to wait before the next try, in ms; absent when it named nothing. */
  readonly retryAfterMs?: number

  constructor(code: TransientCode, message: string, options: ErrorOptions & { retryAfterMs?: number } = {}) {
    super(message, options)
    this.code = code
    if (options.retryAfterMs !== undefined) this.retryAfterMs = options.retryAfterMs
  }
}

/** A failure that no retry mends: bad configuration, a missing right, an invalid resource, a missing lease. */
export class PermanentError extends Error {
  override readonly name = 'PermanentError'
  readonly code: PermanentCode

  constructor(code: PermanentCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** The lease is no longer this attempt's: another one took over, or an operator freed it. Nothing may be written after it. */
export class LeaseLostError extends Error {
  override readonly name = 'LeaseLostError'
  readonly code = 'LeaseLost'
}

/** Why a fence can't be relied on. */
export type FenceCode = 'FenceMissing' | 'FenceNotInForce' | 'FenceLagging' | 'FenceForbidden'

/** The API server is not shown to refuse overtaken writes, so that nothing may be written: the whole tick ends. */
export class FenceError extends Error {
  override readonly name = 'FenceError'
  readonly code: FenceCode

  constructor(code: FenceCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** A write was sent and no answer came inside its deadline: it may or may not have taken effect, now or later. */
export class OutcomeUnknownError extends Error {
  override readonly name = 'OutcomeUnknownError'
  readonly code = 'OutcomeUnknown'
}

/** The work was stopped by its own budget or by a signal before it was finished. */
export class AbortedError extends Error {
  override readonly name = 'AbortedError'
  readonly code = 'Aborted'
}

/**
 * Gives the stable code of anything that was thrown.
 *
 * Fencepost's own errors carry theirs; of foreign errors only the class name is told, never the message.
 */
export function errorCode(error: unknown): string {
  if (error instanceof Error) {
    const code = (error as { code?: unknown }).code
    return typeof code === 'string' ? code : error.name
  }
  return 'Unknown'
}

/**
 * Gives a message that is safe to log for anything that was thrown.
 *
 * Fencepost's own messages name things, values and units and never carry bodies or headers; a foreign error may quote
 * either, so that only its class and code are told.
 */
export function errorMessage(error: unknown): string {
  if (isFencepostError(error)) return error.message
  if (error instanceof Error) return `unexpected ${error.name} (${errorCode(error)})`
  return 'something that is not an Error was thrown'
}

function isFencepostError(error: unknown): error is Error {
  return [TransientError, PermanentError, LeaseLostError, FenceError, OutcomeUnknownError, AbortedError].some(
    known => error instanceof known,
  )
}
