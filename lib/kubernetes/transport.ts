// Requests to one API server over one pool of kept-alive connections. Every request ends: each try has a time limit, on
// the server (`?timeout=`) and here, and all tries together have a deadline, cut to the end of the request's term, after
// which a write counts as unknown.
// 429, 5xx and broken connections are tried again while the deadline lasts: reads freely, writes because each of them is
// bound, so that twice has the effect of once. Retries wait a doubling time with jitter,
// or what the server asks (`Retry-After`) where that is longer.

import { AbortedError, errorMessage, OutcomeUnknownError, PermanentError, TransientError } from '../errors.ts'
import { type Exchange, openExchange, parseRetryAfter, type WireAnswer } from '../http/exchange.ts'
import { type Clock, describeMs, msUntil, SECOND_MS } from '../time.ts'
import { type ApiAnswer, type ApiRequest, type KubernetesApi, SERVER_TIMEOUT_MS } from './api.ts'
import type { Connection } from './connection.ts'
import { fromStatus, isTransientStatus } from './errors.ts'

/** The longest all tries of one request may take: three full tries and the waits between them. */
export const REQUEST_DEADLINE_MS = 20 * SECOND_MS
const FIRST_BACKOFF_MS = 100
const LONGEST_BACKOFF_MS = 5 * SECOND_MS

/** The clock, the dice and the wire; tests and the simulation give their own. */
export interface TransportOptions {
  readonly clock: Clock
  /** Jitter, 0 up to 1; default `Math.random`. */
  readonly random?: () => number
  /** Carries one try; default HTTP over a pool of connections. */
  readonly exchange?: Exchange
}

/** Opens a pool of connections to one API server; nothing is sent before the first request. */
export function openTransport(connection: Connection, options: TransportOptions): KubernetesApi {
  const { clock, random = Math.random } = options
  const exchange = options.exchange ?? openExchange(connection, clock)
  const prefix = connection.server.pathname.replace(/\/$/, '')
  let skewMs: number | undefined

  async function request(ask: ApiRequest, expected: readonly number[] = []): Promise<ApiAnswer> {
    const what = `${ask.method} ${ask.path}`
    const endsAtMs = clock.monotonicMs() + REQUEST_DEADLINE_MS
    const msLeft = () =>
      Math.min(endsAtMs - clock.monotonicMs(), ask.endsAt ? msUntil(ask.endsAt, clock) : Number.POSITIVE_INFINITY)
    let isUnanswered = false
    let failure: Error

    for (let tries = 0; ; tries++) {
      const credentials = await connection.headers().catch(error => {
        throw refused(ask, what, isUnanswered, error)
      })
      const leftMs = msLeft()
      if (ask.signal?.aborted || leftMs <= 0) throw stopped(ask, what, isUnanswered)
      let waitMs = backoffMs(tries, random())
      try {
        const answer = await send(ask, credentials, Math.min(SERVER_TIMEOUT_MS, leftMs))
        const { status, body } = answer
        if (status < 300 && body === undefined) throw new Error(`HTTP ${status} without JSON; is this an API server?`)
        if (status < 300 || (expected.includes(status) && !isTransientStatus(status)))
          return { status, body, repeated: isUnanswered }
        failure = fromStatus(what, status, body, answer.headers['retry-after'])
        if (!isTransientStatus(status)) throw refused(ask, what, isUnanswered, failure)
        // A server that gives up in the middle (500, 503, 504) may have stored the write all the same; 429 never started.
        isUnanswered ||= status !== 429
        waitMs = Math.max(waitMs, parseRetryAfter(answer.headers['retry-after']) ?? 0)
      } catch (error) {
        if (isFinal(error)) throw error
        if (isCertificateFailure(error)) throw refused(ask, what, isUnanswered, certificateFailure(what, error))
        isUnanswered ||= !isNeverSent(error)
        failure = new TransientError('Unavailable', `${what}: ${describeBreak(error)}`, { cause: error })
      }
      if (waitMs >= msLeft()) throw exhausted(ask, what, isUnanswered, failure)
      await clock.sleep(waitMs, ask.signal)
    }
  }

  /** One try: resolves with whatever was answered, rejects when there was no whole answer inside `limitMs`. */
  async function send(ask: ApiRequest, credentials: Record<string, string>, limitMs: number): Promise<WireAnswer> {
    const query = new URLSearchParams({ timeout: `${Math.max(1, Math.floor(limitMs / SECOND_MS))}s` })
    for (const [key, value] of Object.entries(ask.query ?? {})) if (value !== undefined) query.set(key, value)
    const payload = ask.body === undefined ? undefined : JSON.stringify(ask.body)
    const answer = await exchange.send({
      method: ask.method,
      path: `${prefix}${ask.path}?${query}`,
      headers: {
        accept: 'application/json',
        'user-agent': 'fencepost',
        ...(payload !== undefined && { 'content-type': ask.contentType ?? 'application/json' }),
        ...credentials,
        ...ask.headers,
      },
      payload,
      limitMs,
      signal: ask.signal,
    })
    noteSkew(answer.headers.date)
    return answer
  }

  function noteSkew(date: string | undefined): void {
    const serverMs = date === undefined ? Number.NaN : Date.parse(date)
    if (!Number.isNaN(serverMs)) skewMs = serverMs - Math.floor(clock.wallMs() / SECOND_MS) * SECOND_MS
  }

  return { request, clockSkewMs: () => skewMs, close: exchange.close }
}

function backoffMs(tries: number, dice: number): number {
  return Math.min(FIRST_BACKOFF_MS * 2 ** tries, LONGEST_BACKOFF_MS) * (0.5 + dice / 2)
}

/** Whether no byte of the request can have reached a server that acts on it. */
function isNeverSent(error: unknown): boolean {
  const { code } = error as { code?: string }
  return code === 'ECONNREFUSED' || code === 'ENOTFOUND' || code === 'EAI_AGAIN' || code === 'EHOSTUNREACH'
}

/** OpenSSL's verdicts on the server's certificate; no retry mends one. */
function isCertificateFailure(error: unknown): boolean {
  const { code } = error as { code?: string }
  return code !== undefined && /CERT|SELF_SIGNED|UNABLE_TO_(VERIFY|GET)_/.test(code)
}

function certificateFailure(what: string, error: unknown): PermanentError {
  const { code } = error as { code?: string }
  return new PermanentError(
    'InvalidConfiguration',
    `${what}: the API server's certificate is not trusted (${code}); check the cluster's CA and host name`,
    { cause: error },
  )
}

function describeBreak(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string }
  if (code === undefined) return message ?? 'the connection broke'
  return `the connection to the API server failed (${code})`
}

function stopped(ask: ApiRequest, what: string, isUnanswered: boolean): Error {
  if (isUnanswered && ask.repeat === 'bound')
    return new OutcomeUnknownError(`${what}: stopped before an answer came; it may have taken effect`)
  return new AbortedError(`${what}: stopped`)
}

/** A refusal speaks for its own try alone: what an earlier, unanswered try of a bound write did, or will do, stays unknown. */
function refused(ask: ApiRequest, what: string, isUnanswered: boolean, failure: Error): Error {
  if (!isUnanswered || ask.repeat !== 'bound') return failure
  return new OutcomeUnknownError(
    `${what}: an earlier try was never answered and may have taken effect (last: ${errorMessage(failure)})`,
    { cause: failure },
  )
}

/** Whether an error is a verdict of ours already, and no broken connection. */
function isFinal(error: unknown): boolean {
  return error instanceof PermanentError || error instanceof TransientError || error instanceof OutcomeUnknownError
}

function exhausted(ask: ApiRequest, what: string, isUnanswered: boolean, failure: Error): Error {
  if (isUnanswered && ask.repeat === 'bound')
    return new OutcomeUnknownError(
      `${what}: no definite answer within ${describeMs(REQUEST_DEADLINE_MS)}; it may have taken effect (last: ${failure.message})`,
      { cause: failure },
    )
  return failure
}
