// One try of one request: HTTP over a pool of kept-alive connections. Nothing is judged here and nothing is tried again;
// a try ends with a whole answer, or with an error when its time is up, its signal aborts or the connection breaks.

import { Agent as HttpAgent, request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { type Clock, describeMs } from '../time.ts'
import type { Connection } from './connection.ts'

/** Parallel connections; as many as a tick may have workers, so that none waits for another. */
const MAX_CONNECTIONS = 16
/** Why a try's own timer ends; a reason that is given costs no error with a stack. */
const ENDED = 'the try has ended'

/** A request as it goes over the wire. */
export interface WireRequest {
  readonly method: string
  /** With the query. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  /** JSON. */
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

/** The way to one API server. */
export interface Exchange {
  /** Sends one request. @throws Error – there was no whole answer: broken, cut, too late, aborted, or no JSON. */
  send(request: WireRequest): Promise<WireAnswer>
  /** Closes idle and busy connections. */
  close(): void
}

/** Opens a pool of connections; nothing is sent before the first request. */
export function openExchange({ server, tls }: Connection, clock: Clock): Exchange {
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
          readJson(response).then(body => {
            end()
            resolve({ status: response.statusCode ?? 0, headers: response.headers, body })
          }, fail)
        })
        sent.end(payload)
      }),
    close: () => agent.destroy(),
  }
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
