// A server that requests are passed on to, over kept-alive connections. Nothing is tried again: who asks sees what happens.

import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest, type RequestOptions } from 'node:https'

/** One request as it is sent. */
export interface Passed {
  readonly method: string
  /** With its query. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer | string
  /** Breaks the request off. */
  readonly signal?: AbortSignal
}

/** A way to a server. */
export interface Upstream {
  /** @throws Error – when the connection breaks before the head of the answer. */
  send(request: Passed): Promise<IncomingMessage>
  close(): void
}

/** These speak of one connection alone. */
const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'transfer-encoding', 'upgrade', 'host', 'content-length'])

/** Opens the way to `server`; nothing is sent before the first request. */
export function openUpstream(server: URL, tls: Pick<RequestOptions, 'ca' | 'cert' | 'key'> = {}): Upstream {
  const isTls = server.protocol === 'https:'
  const agent = isTls ? new HttpsAgent({ keepAlive: true, ...tls }) : new HttpAgent({ keepAlive: true })
  const prefix = server.pathname.replace(/\/$/, '')
  return {
    send: ({ method, path, headers, body, signal }) =>
      new Promise((resolve, reject) => {
        const length = body.length === 0 ? {} : { 'content-length': Buffer.byteLength(body) }
        const url = new URL(prefix + path, server)
        const options = { agent, method, headers: { ...endToEnd(headers), ...length }, ...(signal ? { signal } : {}) }
        const sent = isTls ? httpsRequest(url, options) : httpRequest(url, options)
        sent.on('error', reject)
        sent.on('response', resolve)
        sent.end(body)
      }),
    close: () => agent.destroy(),
  }
}

/** The headers that are meant for both ends. */
export function endToEnd<Value>(headers: Readonly<Record<string, Value>>): Record<string, Value> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP_BY_HOP.has(name)))
}
