// A real Kubernetes API behind the hooks that the embedded one has: every request is recorded and may be cut, held or
// answered. Plain HTTP on 127.0.0.1 on this side, the server's own TLS and credentials on the other. The server's time of
// day is replaced by the world's clock in the `Date` header, and nowhere else.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { actingUser, readRequest } from '../../../infra/local/kubernetes/http/request.ts'
import type { Interception, KubernetesApi, RecordedRequest } from '../../../infra/local/kubernetes/server.ts'
import { endToEnd, type Upstream } from './upstream.ts'

/** What scenarios use of an API server, embedded or real. */
export type KubernetesHooks = Pick<KubernetesApi, 'url' | 'requests' | 'clearRequests' | 'intercept' | 'close'>

/** What is behind the proxy. */
export interface KubernetesProxyOptions {
  readonly upstream: Upstream
  /** The headers that authenticate a bearer token of this side on the other; a request's own headers win. */
  credentials(token: string): Promise<Record<string, string>>
  /** ms since the epoch; without it the server's own `Date` is passed on. */
  readonly clock?: (() => number) | undefined
}

/** Starts the proxy on a free port. */
export async function startKubernetesProxy(options: KubernetesProxyOptions): Promise<KubernetesHooks> {
  const { upstream, credentials, clock } = options
  const requests: RecordedRequest[] = []

  async function serve(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const read = await readRequest(message)
    const token = /^Bearer (.+)$/.exec(read.headers.authorization ?? '')?.[1] ?? ''
    const request = { ...read, user: actingUser(read.distinct, token) }
    const { method, path, query, user } = request
    const recorded = { method, path, query: query.toString(), status: 0, user: user.username }
    requests.push(recorded)
    const fault = await proxy.intercept?.(request)
    if (fault === 'hang') return
    if (fault === 'reset') return void message.socket.destroy()
    if (typeof fault === 'object') {
      recorded.status = fault.status
      return sendCanned(response, fault)
    }
    const { authorization: _, ...own } = read.headers
    const answer = await upstream.send({
      method,
      path: message.url ?? '/',
      headers: { ...(await credentials(token)), ...own },
      body: read.body,
      ...(query.has('watch') ? { signal: closing(response) } : {}),
    })
    if (fault === 'reset-after-commit') {
      await buffer(answer)
      return void message.socket.destroy()
    }
    recorded.status = answer.statusCode ?? 0
    const date = clock ? { date: new Date(clock()).toUTCString() } : {}
    response.writeHead(recorded.status, { ...endToEnd(answer.headers), ...date })
    response.flushHeaders()
    answer.on('error', () => response.destroy())
    answer.pipe(response)
  }

  const server = createServer({ keepAliveTimeout: 0, requestTimeout: 0 }, (message, response) => {
    // A connection to the server that breaks is passed on as what it is.
    serve(message, response).catch(() => message.socket.destroy())
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const proxy: KubernetesHooks = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    clearRequests: () => {
      requests.length = 0
    },
    intercept: undefined,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return proxy
}

function closing(response: ServerResponse): AbortSignal {
  const controller = new AbortController()
  response.once('close', () => controller.abort())
  return controller.signal
}

function sendCanned(
  response: ServerResponse,
  { status, headers, body = '' }: Exclude<Interception, undefined | string>,
) {
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(typeof body === 'string' ? body : JSON.stringify(body))
}
