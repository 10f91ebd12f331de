// One realm of one Keycloak, for one tick: a client-credentials token that is fetched once and renewed before it ends, and reads of
// the admin API. Every try has the provider's own time limit, and everything together a deadline, so that a provider that
// hangs costs its own share of the tick and nobody else's. Nothing is ever written.

import type * as z from 'zod'
import { AbortedError, PermanentError, TransientError } from '../errors.ts'
import { type Exchange, parseRetryAfter, type WireAnswer } from '../http/exchange.ts'
import { requestToken, TokenRefused } from '../http/token-request.ts'
import { type Clock, describeMs, type Moment, momentIn, msUntil, SECOND_MS } from '../time.ts'
import { fromBreak, fromStatus, fromTokenRefused, unreadable } from './errors.ts'
import { missingSchema } from './resources.ts'

/** Tries of one request. */
const MAX_TRIES = 3
const FIRST_BACKOFF_MS = 200
/** A token is renewed this long before its end, or when half its life is over if that is later. */
const RENEW_BEFORE_MS = 10 * SECOND_MS

/** What a Keycloak is opened with. */
export interface KeycloakOptions {
  /** The provider's name, for messages. */
  readonly provider: string
  /** With a context path where there is one. */
  readonly baseUrl: URL
  readonly realm: string
  readonly clientId: string
  readonly clientSecret: string
  /** Of one try, ms. */
  readonly requestTimeoutMs: number
  /** Of everything that is asked, ms from now. */
  readonly deadlineMs: number
  /** To the server of `baseUrl`; closed with this. */
  readonly exchange: Exchange
  readonly clock: Clock
}

/** One realm of one Keycloak. */
export interface Keycloak {
  /** The provider's name, for messages. */
  readonly provider: string
  /**
   * Reads a path below `/admin/realms/<realm>`.
   *
   * @returns undefined for Keycloak's own 404.
   * @throws TransientError – throttled, unavailable, or out of time. PermanentError – refused, or no answer of a Keycloak.
   * AbortedError – `signal` was aborted.
   */
  read<T>(
    path: string,
    query: Readonly<Record<string, string>>,
    schema: z.ZodType<T>,
    signal: AbortSignal,
  ): Promise<T | undefined>
  /** HTTP requests that were sent, tokens and retries included. */
  calls(): number
  /** Closes all connections. */
  close(): void
}

/** A token, and until when it may be used. */
interface Held {
  readonly token: string
  readonly renewAt: Moment
}

/** Opens a realm; nothing is sent before the first read. */
export function openKeycloak(options: KeycloakOptions): Keycloak {
  const { provider, realm, exchange, clock } = options
  const prefix = options.baseUrl.pathname.replace(/\/+$/, '')
  const endsAt = momentIn(options.deadlineMs, clock)
  let calls = 0
  /** Shared by reads that run beside each other; a refusal that no retry mends is kept as well. */
  let held: Promise<Held> | undefined

  /** Tries a request until it is answered, refused for good, or out of tries or time. */
  async function tried<T>(what: string, signal: AbortSignal, send: (limitMs: number) => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      const leftMs = msUntil(endsAt, clock)
      if (signal.aborted) throw new AbortedError(`${what}: stopped`)
      if (leftMs <= 0) throw new TransientError('Timeout', `${what}: ${describeDeadline()}`)
      const limitMs = Math.min(options.requestTimeoutMs, leftMs)
      const startedMs = clock.monotonicMs()
      let failure: Error
      try {
        calls++
        return await send(limitMs)
      } catch (error) {
        if (signal.aborted) throw new AbortedError(`${what}: stopped`)
        const isJudged = error instanceof TransientError || error instanceof PermanentError
        failure = isJudged ? error : fromBreak(what, error, clock.monotonicMs() - startedMs >= limitMs)
      }
      if (!(failure instanceof TransientError) || tries === MAX_TRIES) throw failure
      const waitMs = Math.max(FIRST_BACKOFF_MS * 2 ** (tries - 1), failure.retryAfterMs ?? 0)
      if (waitMs >= msUntil(endsAt, clock)) throw failure
      await clock.sleep(waitMs, signal)
    }
  }

  const describeDeadline = () => `the ${describeMs(options.deadlineMs)} that the provider may take in a tick are over`

  async function fetchToken(signal: AbortSignal): Promise<Held> {
    const path = `${prefix}/realms/${encodeURIComponent(realm)}/protocol/openid-connect/token`
    const what = `IdentityProvider ${provider}: POST ${path}`
    const form = {
      grant_type: 'client_credentials',
      client_id: options.clientId,
      client_secret: options.clientSecret,
    }
    return await tried(what, signal, async limitMs => {
      const askedAt = momentIn(0, clock)
      const { token, lifeMs } = await requestToken(exchange, { path, form, limitMs, signal }).catch(error => {
        throw error instanceof TokenRefused ? fromTokenRefused(what, error) : error
      })
      const usableMs = Math.max(lifeMs - RENEW_BEFORE_MS, lifeMs / 2)
      return { token, renewAt: { wallMs: askedAt.wallMs + usableMs, monotonicMs: askedAt.monotonicMs + usableMs } }
    })
  }

  /** A token that may be used now, other than `refused`; waits for one that is on its way. */
  async function currentToken(signal: AbortSignal, refused?: Held): Promise<Held> {
    for (;;) {
      const isOwn = held === undefined
      held ??= fetchToken(signal)
      const asked = held
      const forget = () => {
        if (held === asked) held = undefined
      }
      try {
        const current = await asked
        if (isOwn || (current !== refused && msUntil(current.renewAt, clock) > 0)) return current
        forget()
      } catch (error) {
        if (!(error instanceof PermanentError)) forget()
        // Whoever asked first may have been stopped, while this read goes on.
        if (!(error instanceof AbortedError) || signal.aborted) throw error
      }
    }
  }

  async function readWith(path: string, token: string, what: string, signal: AbortSignal): Promise<WireAnswer> {
    const headers = { accept: 'application/json', authorization: `Bearer ${token}`, 'user-agent': 'fencepost' }
    return await tried(what, signal, async limitMs => {
      const answer = await exchange.send({ method: 'GET', path, headers, payload: undefined, limitMs, signal })
      const { status } = answer
      if (status === 200 || status === 401 || status === 404) return answer
      throw fromStatus({ what, status, retryAfterMs: parseRetryAfter(answer.headers['retry-after']) })
    })
  }

  return {
    provider,
    async read(path, query, schema, signal) {
      const way = `${prefix}/admin/realms/${encodeURIComponent(realm)}${path}`
      const what = `IdentityProvider ${provider}: GET ${way}`
      const whole = `${way}?${new URLSearchParams(query)}`
      let current = await currentToken(signal)
      let answer = await readWith(whole, current.token, what, signal)
      if (answer.status === 401) {
        // A token may end early: its key was changed, or its session was closed.
        current = await currentToken(signal, current)
        answer = await readWith(whole, current.token, what, signal)
      }
      const { status, body } = answer
      if (status === 401) throw fromStatus({ what, status, retryAfterMs: undefined })
      if (status === 404 && missingSchema.safeParse(body).success) return undefined
      const parsed = schema.safeParse(body)
      if (status === 404 || !parsed.success) throw unreadable(what)
      return parsed.data
    },
    calls: () => calls,
    close: () => exchange.close(),
  }
}
