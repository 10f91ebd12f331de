// One OAuth 2 token request (RFC 6749), sent as a form. What a refusal means, and whether it is tried again, is judged by who asks.
// An error says the path, the status and at most a code of the standards: descriptions and bodies may quote what was sent.

import * as z from 'zod'
import { SECOND_MS } from '../time.ts'
import { type Exchange, parseRetryAfter, type WireAnswer } from './exchange.ts'

/** How long a token lives whose answer does not say it, s. */
const DEFAULT_LIFE_SECONDS = 300
/** What a token endpoint may refuse with; any other text could be one that was sent. */
const ERROR_CODES: readonly string[] = [
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
  'invalid_target',
]

/** A bearer token. */
export interface Token {
  readonly token: string
  /** From its answer on, ms; above 0. */
  readonly lifeMs: number
}

/** What is asked, and how long it is waited for. */
export interface TokenRequest {
  /** Of the token endpoint, on the exchange's server. */
  readonly path: string
  readonly form: Readonly<Record<string, string>>
  /** Of this one try, ms. */
  readonly limitMs: number
  readonly signal: AbortSignal | undefined
  /** The `Authorization` header, for clients that don't send their secret in the form. */
  readonly authorization?: string
}

/** The endpoint answered without giving a token. */
export class TokenRefused extends Error {
  override readonly name = 'TokenRefused'
  /** Of the answer; 200 when it held no token. */
  readonly status: number
  /** The `error` of the answer, if it is one of RFC 6749 §5.2 or RFC 8693 §2.2.2. */
  readonly error: string | undefined
  /** What the endpoint asked to wait, ms. */
  readonly retryAfterMs: number | undefined

  constructor(path: string, { status, headers, body }: WireAnswer) {
    const parsed = refusal.safeParse(body)
    const error = ERROR_CODES.find(code => code === parsed.data?.error)
    super(
      `POST ${path.split('?')[0]}: HTTP ${status}${status === 200 ? ' without a token' : ''}${error ? ` ${error}` : ''}`,
    )
    this.status = status
    this.error = error
    this.retryAfterMs = parseRetryAfter(headers['retry-after'])
  }
}

const refusal = z.object({ error: z.unknown() })
const granted = z.object({
  // Anything else could not be sent as a header.
  access_token: z.string().regex(/^[\x21-\x7e]+$/),
  expires_in: z.coerce.number().positive().catch(DEFAULT_LIFE_SECONDS),
})

/**
 * Asks once for a token. `expires_in` that is absent, 0 or unreadable is taken as 300 s.
 *
 * @throws TokenRefused – whatever was answered but 200 with a token. Error – as `Exchange.send`.
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-5
 * @see https://www.rfc-editor.org/rfc/rfc8693#section-2
 */
export async function requestToken(exchange: Exchange, request: TokenRequest): Promise<Token> {
  const { path, form, limitMs, signal, authorization } = request
  const answer = await exchange.send({
    method: 'POST',
    path,
    headers: {
      accept: 'application/json',
      'content-type': 'application/x-www-form-urlencoded',
      'user-agent': 'fencepost',
      ...(authorization !== undefined && { authorization }),
    },
    payload: new URLSearchParams(form).toString(),
    limitMs,
    signal,
  })
  const read = granted.safeParse(answer.body)
  if (answer.status !== 200 || !read.success) throw new TokenRefused(path, answer)
  return { token: read.data.access_token, lifeMs: read.data.expires_in * SECOND_MS }
}
