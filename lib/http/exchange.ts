// One try of one request: HTTP over a pool of kept-alive connections. Nothing is judged here and nothing is tried again;
// a try ends with a whole answer, or with an error when its time is up, its signal aborts or the connection breaks.

import { Agent as HttpAgent, request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest, type RequestOptions } from 'node:https'
import { type Clock, describeMs, SECOND_MS } from '../time.ts'

/** Parallel connections; as many as a tick may have workers, so that none waits for another. */
const MAX_CONNECTIONS = 16
/** Why a try's own timer ends; a reason that is given costs no error with a stack. */
const ENDED = 'the try has ended'

/** Where a server is and how it is trusted. */
export interface Endpoint {
  /** `http:` or `https:`, host, port, and a path prefix if there is one. */
  readonly server: URL
  /** Certificates in PEM; `rejectUnauthorized: false` only where a kubeconfig says insecure-skip-tls-verify. */
  readonly tls: Pick<RequestOptions, 'ca' | 'cert' | 'key' | 'servername' | 'rejectUnauthorized'>
  /** The longest body that is read, bytes; a longer one ends the try. Default: none, for servers of our own. */
  readonly longestBody?: number
}

/** A request as it goes over the wire. */
export interface WireRequest {
  readonly method: string
  /** With the query. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  /** The body; `headers` say what it is. */
  readonly payload: string | undefined
  /** When the try ends without an answer, ms from now. */
  readonly limitMs: number
  readonly signal: AbortSignal | undefined
}

/** An answer before it was judged. */
export interface WireAnswer {
  readonly status: number
  readonly headers: Pick<IncomingHttpHeaders, 'date' | 'retry-after'>
  /** Parsed JSON; undefined when the answer is none. */
  readonly body: unknown
}

/** The way to one server. */
export interface Exchange {
  /** Sends one request. @throws Error – there was no whole answer: broken, cut, too late, aborted, or no JSON. */
  send(request: WireRequest): Promise<WireAnswer>
  /** Closes idle and busy connections. */
  close(): void
}

/** Opens a pool of connections; nothing is sent before the first request. */
export function openExchange({ server, tls, longestBody }: Endpoint, clock: Clock): Exchange {
  const isTls = server.protocol === 'https:'
  const pool = { keepAlive: true, maxSockets: MAX_CONNECTIONS }
  const agent = isTls ? new HttpsAgent({ ...pool, ...tls }) : new HttpAgent(pool)
  const open = isTls ? httpsRequest : httpRequest
  return {
    send: ({ method, path, headers, payload, limitMs, signal }) =>
      new Promise<WireAnswer>((resolve, reject) => {
        const length = payload === undefined ? {} : { 'content-length': Buffer.byteLength(payload) }
        const sent = open(new URL(path, server), { agent, method, headers: { ...headers, ...length } })
        const limit = new AbortController()
        const abort = () => sent.destroy(new Error('aborted'))
        const end = () => {
          signal?.removeEventListener('abort', abort)
          limit.abort(ENDED)
        }
        const fail = (error: unknown) => {
          end()
          reject(error)
        }
        signal?.addEventListener('abort', abort)
        void clock.sleep(limitMs, limit.signal).then(() => {
          if (!limit.signal.aborted) sent.destroy(new Error(`no answer within ${describeMs(limitMs)}`))
        })
        sent.on('error', fail)
        sent.on('response', response => {
          readJson(response, longestBody).then(body => {
            end()
            resolve({ status: response.statusCode ?? 0, headers: response.headers, body })
          }, fail)
        })
        sent.end(payload)
      }),
    close: () => agent.destroy(),
  }
}

/** Reads a `Retry-After` of whole seconds into ms; undefined for anything else. */
export function parseRetryAfter(header: string | undefined): number | undefined {
  return header !== undefined && /^\d{1,5}$/.test(header) ? Number(header) * SECOND_MS : undefined
}

async function readJson(response: IncomingMessage, longest: number | undefined): Promise<unknown> {
  const text = await readText(response, longest)
  if (text === '' || !response.headers['content-type']?.includes('json')) return undefined
  try {
    return JSON.parse(text) as unknown
  } catch {
    // The parser's own message quotes the body.
    throw new Error('the answer is not JSON')
  }
}

/** Reads a body by its events: an async iterator would cost several promises for each answer. */
function readText(response: IncomingMessage, longest = Number.POSITIVE_INFINITY): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let length = 0
    response.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      length += chunk.length
      if (length > longest) response.destroy(new Error(`the answer is longer than ${longest} bytes`))
    })
    response.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')))
    response.on('error', reject)
    response.on('close', () => reject(new Error('the connection was closed in the middle of an answer')))
  })
}
