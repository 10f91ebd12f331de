// The embedded Kubernetes API: a small API server over HTTP for `npm start` and the tests. What it does and what it leaves out is
// listed in FIDELITY.md. It keeps everything in memory, checks no rights, and shares no code with the client.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ApiError, type JsonObject } from './errors.ts'
import { type Reply, refusal, text } from './http/reply.ts'
import { type ApiRequest, actingUser, impersonationError, readRequest } from './http/request.ts'
import { answer } from './http/routes.ts'
import { Registry } from './kinds/registry.ts'
import { loadObjects } from './load.ts'
import { judgePolicies } from './policies/admission.ts'
import { Store } from './store/store.ts'
import type { Api } from './verbs/api.ts'

/** How to start. `port` 0 takes a free one; `clock` gives ms since the epoch; `historyLimit` and `requestLimit` count. */
export interface KubernetesApiOptions {
  port?: number
  host?: string
  clock?: () => number
  /** CustomResourceDefinitions to serve from the start. */
  crds?: object[]
  /** Bearer tokens and their users; looked at on every request, so an entry may be removed. Without it anyone is let in. */
  tokens?: Record<string, string>
  /** How many past changes stay readable by continue tokens, exact lists and watches; default 50 000. */
  historyLimit?: number
  /** How many requests are remembered; default 50 000. */
  requestLimit?: number
}

/** A request as the tests may look at it. `status` is 0 until it is answered, and stays 0 when it never was. */
export interface RecordedRequest {
  method: string
  path: string
  query: string
  status: number
  user: string
}

/**
 * What a fault hook may do with a request: nothing (undefined), answer in the server's place, cut the connection, leave it
 * hanging, or do the work and then cut the connection without an answer.
 */
export type Interception =
  | undefined
  | { status: number; headers?: Record<string, string>; body?: string | JsonObject }
  | 'reset'
  | 'hang'
  | 'reset-after-commit'

/** A running embedded API. */
export interface KubernetesApi {
  readonly url: string
  readonly port: number
  /** Requests since the start or the last `clearRequests`, oldest first. */
  readonly requests: readonly RecordedRequest[]
  clearRequests: () => void
  /** Called with every authenticated request before it is served. */
  intercept: ((request: ApiRequest) => Interception | Promise<Interception>) | undefined
  /** Stores objects through the same path as a create, then their status. @throws Error – naming the object that is refused */
  load: (objects: readonly object[]) => void
  /** Makes every resourceVersion and continue token handed out so far too old. */
  compact: () => void
  /** A kubeconfig for this server, as YAML. */
  kubeconfig: (token?: string) => string
  /** Cuts every connection and stops listening. */
  close: () => Promise<void>
}

/**
 * Starts the embedded API on 127.0.0.1 (or `host`).
 * @throws Error – when the port is taken (the message names it, code EADDRINUSE), or a CRD is refused
 */
export async function startKubernetesApi(options: KubernetesApiOptions = {}): Promise<KubernetesApi> {
  const {
    port = 0,
    host = '127.0.0.1',
    clock = Date.now,
    tokens,
    historyLimit = 50_000,
    requestLimit = 50_000,
  } = options
  const api: Api = { store: new Store(historyLimit), registry: new Registry(), clock, admission: [] }
  api.admission.push(judgePolicies(api))
  loadObjects(api, ['default', 'kube-system', 'kube-public', 'kube-node-lease'].map(namespace))
  loadObjects(api, options.crds ?? [])

  const requests: RecordedRequest[] = []
  const record = (request: ApiRequest): RecordedRequest => {
    const { method, path, query, user } = request
    const recorded = { method, path, query: query.toString(), status: 0, user: user.username }
    requests.push(recorded)
    if (requests.length > requestLimit * 1.25) requests.splice(0, requests.length - requestLimit)
    return recorded
  }

  const serve = async (message: IncomingMessage, response: ServerResponse): Promise<void> => {
    const read = await readRequest(message)
    const username = authenticate(read.headers.authorization, tokens)
    const request: ApiRequest = { ...read, user: actingUser(read.distinct, username ?? 'system:anonymous') }
    const recorded = record(request)
    const send = (reply: Reply) => {
      recorded.status = reply.status
      respond(response, reply)
    }
    if (username === undefined) return send(refusal(new ApiError(401, 'Unauthorized', 'Unauthorized')))
    const nobody = impersonationError(read.distinct)
    if (nobody !== undefined)
      return send(text(500, `Internal Server Error: ${JSON.stringify(message.url)}: ${nobody}\n`))
    const fault = await started.intercept?.(request)
    if (fault === 'hang') return
    if (fault === 'reset') {
      message.socket.destroy()
      return
    }
    if (typeof fault === 'object') return send(toReply(fault))
    const reply = answer(api, request)
    if (fault === 'reset-after-commit') {
      message.socket.destroy()
      return
    }
    send(reply)
  }

  const server = createServer({ keepAliveTimeout: 0, requestTimeout: 0 }, (message, response) => {
    response.setHeader('date', new Date(clock()).toUTCString())
    serve(message, response).catch((error: Error) => {
      if (response.headersSent || message.socket.destroyed) message.socket.destroy()
      else respond(response, refusal(new ApiError(500, 'InternalError', `Internal error occurred: ${error.message}`)))
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', error => reject(explained(error, host, port)))
    server.listen(port, host, resolve)
  })
  const bound = (server.address() as AddressInfo).port
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${bound}`

  const started: KubernetesApi = {
    url,
    port: bound,
    requests,
    clearRequests: () => {
      requests.length = 0
    },
    intercept: undefined,
    load: objects => loadObjects(api, objects),
    compact: () => api.store.compact(),
    kubeconfig: token => toKubeconfig(url, token),
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return started
}

const namespace = (name: string) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })

function authenticate(
  authorization: string | undefined,
  tokens: Record<string, string> | undefined,
): string | undefined {
  if (tokens === undefined) return 'admin'
  const token = /^Bearer (.+)$/.exec(authorization ?? '')?.[1] ?? ''
  return Object.hasOwn(tokens, token) ? tokens[token] : undefined
}

function toReply({ status, headers = {}, body = '' }: Exclude<Interception, undefined | string>): Reply {
  const json = typeof body === 'string' ? body : JSON.stringify(body)
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: json }
}

function respond(response: ServerResponse, reply: Reply): void {
  response.writeHead(reply.status, { 'cache-control': 'no-cache, private', ...reply.headers })
  if ('body' in reply) {
    response.end(
      reply.body,
      'content-type' in reply.headers && String(reply.headers['content-type']).endsWith('+protobuf')
        ? 'latin1'
        : 'utf8',
    )
    return
  }
  response.flushHeaders()
  const stop = reply.watch.start(
    line => response.write(line),
    () => response.end(),
  )
  const timer = reply.timeoutMs === undefined ? undefined : setTimeout(() => response.end(), reply.timeoutMs)
  response.once('close', () => {
    stop()
    clearTimeout(timer)
  })
}

function explained(error: NodeJS.ErrnoException, host: string, port: number): Error {
  if (error.code !== 'EADDRINUSE') return error
  const message = `the embedded Kubernetes API cannot listen: port ${port} on ${host} is taken (EADDRINUSE)`
  return Object.assign(new Error(message, { cause: error }), { code: error.code })
}

function toKubeconfig(server: string, token = 'embedded'): string {
  return JSON.stringify(
    {
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'embedded',
      clusters: [{ name: 'embedded', cluster: { server } }],
      users: [{ name: 'embedded', user: { token } }],
      contexts: [{ name: 'embedded', context: { cluster: 'embedded', user: 'embedded', namespace: 'default' } }],
    },
    null,
    2,
  )
}
