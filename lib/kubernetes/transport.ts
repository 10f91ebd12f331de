// Requests to one API server over one pool of kept-alive connections. Every request ends: each try has a time limit, on
// the server (`?timeout=`) and here, and all tries together have a deadline, after which a write counts as unknown.
// 429, 5xx and broken connections are tried again while the deadline lasts: reads freely, writes because each of them is
// bound, so that twice has the effect of once. Retries wait a doubling time with jitter,
// or what the server asks (`Retry-After`) where that is longer.

import { type ClientRequest, Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { AbortedError, errorMessage, OutcomeUnknownError, PermanentError, TransientError } from '../errors.ts'
import { type Clock, describeMs, SECOND_MS } from '../time.ts'
import { type ApiAnswer, type ApiRequest, type KubernetesApi, SERVER_TIMEOUT_MS } from './api.ts'
import type { Connection } from './connection.ts'
import { fromStatus, isTransientStatus, parseRetryAfter } from './errors.ts'

/** The longest all tries of one request may take: three full tries and the waits between them. */
export const REQUEST_DEADLINE_MS = 20 * SECOND_MS
/** Parallel connections; as many as a tick may have workers, so that none waits for another. */
const MAX_CONNECTIONS = 16
const FIRST_BACKOFF_MS = 100
const LONGEST_BACKOFF_MS = 5 * SECOND_MS

/** Why a try's own timer ends; a reason that is given costs no error with a stack. */
const ENDED = 'the try has ended'

/** What an answer carried before it was judged. */
interface RawAnswer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: unknown
}

/** The clock and the dice; tests give their own. */
export interface TransportOptions {
  readonly clock: Clock
  /** Jitter, 0 up to 1; default `Math.random`. */
  readonly random?: () => number
}

/** Opens a pool of connections to one API server; nothing is sent before the first request. */
export function openTransport(connection: Connection, options: TransportOptions): KubernetesApi {
  const { clock, random = Math.random } = options
  const isTls = connection.server.protocol === 'https:'
  const pool = { keepAlive: true, maxSockets: MAX_CONNECTIONS }
  const agent = isTls ? new HttpsAgent({ ...pool, ...connection.tls }) : new HttpAgent(pool)
  let skewMs: number | undefined

  async function request(ask: ApiRequest, expected: readonly number[] = []): Promise<ApiAnswer> {
    const what = `${ask.method} ${ask.path}`
    const endsAtMs = clock.monotonicMs() + REQUEST_DEADLINE_MS
    let isUnanswered = false
    let failure: Error

    for (let tries = 0; ; tries++) {
      const credentials = await connection.headers().catch(error => {
        throw refused(ask, what, isUnanswered, error)
      })
      if (ask.signal?.aborted) throw stopped(ask, what, isUnanswered)
      const leftMs = endsAtMs - clock.monotonicMs()
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
      if (clock.monotonicMs() + waitMs >= endsAtMs) throw exhausted(ask, what, isUnanswered, failure)
      await clock.sleep(waitMs, ask.signal)
    }
  }

  /** One try: resolves with whatever was answered, rejects when there was no whole answer inside `limitMs`. */
  async function send(ask: ApiRequest, credentials: Record<string, string>, limitMs: number): Promise<RawAnswer> {
    const headers = { ...credentials, ...ask.headers }
    const query = new URLSearchParams({ timeout: `${Math.max(1, Math.floor(limitMs / SECOND_MS))}s` })
    for (const [key, value] of Object.entries(ask.query ?? {})) if (value !== undefined) query.set(key, value)
    const prefix = connection.server.pathname.replace(/\/$/, '')
    const url = new URL(`${prefix}${ask.path}?${query}`, connection.server)

    return await withLimit(limitMs, ask.signal, (resolve, reject) => {
      const payload = ask.body === undefined ? undefined : JSON.stringify(ask.body)
      const sent = (isTls ? httpsRequest : httpRequest)(url, {
        agent,
        method: ask.method,
        headers: {
          accept: 'application/json',
          'user-agent': 'fencepost',
          ...(payload === undefined
            ? {}
            : { 'content-type': ask.contentType ?? 'application/json', 'content-length': Buffer.byteLength(payload) }),
          ...headers,
        },
      })
      sent.on('error', reject)
      sent.on('response', response => {
        noteSkew(response.headers.date)
        readJson(response).then(
          body => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
          reject,
        )
      })
      sent.end(payload)
      return sent
    })
  }

  /** Runs one try and ends its connection when the time is up or the signal aborts. */
  function withLimit<T>(
    limitMs: number,
    signal: AbortSignal | undefined,
    start: (resolve: (value: T) => void, reject: (error: unknown) => void) => ClientRequest,
  ): Promise<T> {
    const settled = new AbortController()
    let abort: () => void = () => {}
    return new Promise<T>((resolve, reject) => {
      const sent = start(resolve, reject)
      abort = () => sent.destroy(new Error('aborted'))
      signal?.addEventListener('abort', abort)
      void clock.sleep(limitMs, settled.signal).then(() => {
        if (!settled.signal.aborted) sent.destroy(new Error(`no answer within ${describeMs(limitMs)}`))
      })
    }).finally(() => {
      signal?.removeEventListener('abort', abort)
      settled.abort(ENDED)
    })
  }

  function noteSkew(date: string | undefined): void {
    const serverMs = date === undefined ? Number.NaN : Date.parse(date)
    if (!Number.isNaN(serverMs)) skewMs = serverMs - Math.floor(clock.wallMs() / SECOND_MS) * SECOND_MS
  }

  return { request, clockSkewMs: () => skewMs, close: () => agent.destroy() }
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

async function readJson(response: IncomingMessage): Promise<unknown> {
  const text = await readText(response)
  if (text === '' || !response.headers['content-type']?.includes('json')) return undefined
  try {
    return JSON.parse(text) as unknown
  } catch {
    // The parser's own message quotes the body.
    throw new Error('the answer is not JSON')
  }
}

/** Reads a body by its events: an async iterator would cost several promises for each answer. */
function readText(response: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    response.on('data', (chunk: Buffer) => chunks.push(chunk))
    response.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')))
    response.on('error', reject)
    response.on('close', () => reject(new Error('the connection was closed in the middle of an answer')))
  })
}
