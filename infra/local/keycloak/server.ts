// The embedded Keycloak: the token endpoint, discovery and group part of the admin API of one or more realms, over HTTP or HTTPS,
// for `npm start` and the tests. What it leaves out is listed in FIDELITY.md. It keeps everything in memory and shares no code
// with the client.
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { answerAdmin } from './admin.ts'
import { answerOidc } from './oidc.ts'
import { type Realm, toRealm } from './realm.ts'
import { type KeycloakRequest, type Reply, refusal, unparsable } from './reply.ts'
import { openTokens } from './tokens.ts'

/** How to start. `port` 0 takes a free one; `clock` gives ms since the epoch, tokens end by it. */
export interface KeycloakOptions {
  port?: number
  clock?: () => number
  /** Realm exports. */
  realms?: readonly object[]
  /** Key and certificate in PEM; without it plain HTTP. */
  tls?: { key: string | Buffer; cert: string | Buffer }
}

/** A request as the tests may look at it. `status` is 0 until it is answered, and stays 0 when it never was. */
export interface RecordedRequest {
  readonly method: string
  readonly path: string
  readonly query: string
  status: number
}

/**
 * What a fault hook may do: nothing (undefined), answer in the server's place, break the connection before an answer or inside
 * its body, or leave it hanging.
 */
export type Interception =
  | undefined
  | { status: number; headers?: Record<string, string>; body?: string | object }
  | 'reset'
  | 'cut'
  | 'hang'

/** A running embedded Keycloak. */
export interface EmbeddedKeycloak {
  /** Without a slash at its end. */
  readonly url: string
  readonly port: number
  /** Requests since the start or the last `clearRequests`, oldest first. */
  readonly requests: readonly RecordedRequest[]
  clearRequests: () => void
  /** Called with every request before it is served. */
  intercept: ((request: KeycloakRequest) => Interception | Promise<Interception>) | undefined
  /** Adds a realm, or puts one in the place of that of its name. @throws Error – naming what is wrong in the export */
  load: (realm: object) => void
  /** Ends every token that was issued until now. */
  revokeTokens: () => void
  /** Cuts every connection and stops listening. */
  close: () => Promise<void>
}

/**
 * Starts the embedded Keycloak on 127.0.0.1.
 * @throws Error – when the port is taken (the message names it, code EADDRINUSE), or a realm is refused
 */
export async function startKeycloak(options: KeycloakOptions = {}): Promise<EmbeddedKeycloak> {
  const { port = 0, clock = Date.now, tls } = options
  const scheme = tls === undefined ? 'http' : 'https'
  const realms = new Map<string, Realm>()
  const tokens = openTokens(clock)
  const requests: RecordedRequest[] = []
  const load = (given: object) => {
    const realm = toRealm(given)
    realms.set(realm.name, realm)
  }
  for (const realm of options.realms ?? []) load(realm)

  function answer(request: KeycloakRequest): Reply {
    const [, room, name = '', rest = ''] = /^\/(realms|admin\/realms)\/([^/]+)(.*)$/.exec(request.path) ?? []
    const realm = realms.get(decodeURIComponent(name))
    if (room === undefined) return refusal(404, 'Unable to find matching target resource method')
    if (room === 'realms')
      return realm === undefined
        ? refusal(404, 'Realm does not exist')
        : answerOidc(request, realm, rest.slice(1), tokens)
    const bearer = tokens.read(request.headers.authorization as string | undefined)
    const client = realms.get(bearer?.realm ?? '')?.clients.get(bearer?.clientId ?? '')
    if (bearer === undefined || client === undefined) return refusal(401)
    if (realm === undefined) return refusal(404, 'Realm not found.')
    return bearer.realm === realm.name ? answerAdmin(request, realm, client, rest) : refusal(403)
  }

  async function serve(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = await readRequest(message, scheme)
    const { method, path, query } = request
    const recorded: RecordedRequest = { method, path, query: query.toString(), status: 0 }
    requests.push(recorded)
    const fault = await started.intercept?.(request)
    if (fault === 'hang') return
    if (fault === 'reset') {
      message.socket.destroy()
      return
    }
    if (fault === 'cut') {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' })
      response.write('[{"id":', () => response.destroy())
      return
    }
    const reply = fault === undefined ? answer(request) : toReply(fault)
    recorded.status = reply.status
    respond(response, reply)
  }

  const listener: RequestListener = (message, response) => {
    response.setHeader('date', new Date(clock()).toUTCString())
    serve(message, response).catch((error: Error) => {
      if (response.headersSent || message.socket.destroyed) message.socket.destroy()
      else respond(response, unreadable(error))
    })
  }
  const server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener)
  await new Promise<void>((resolve, reject) => {
    server.once('error', error => reject(explained(error, port)))
    server.listen(port, '127.0.0.1', resolve)
  })
  const bound = (server.address() as AddressInfo).port

  const started: EmbeddedKeycloak = {
    url: `${scheme}://127.0.0.1:${bound}`,
    port: bound,
    requests,
    clearRequests: () => {
      requests.length = 0
    },
    intercept: undefined,
    load,
    revokeTokens: () => tokens.revoke(),
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return started
}

async function readRequest(message: IncomingMessage, scheme: string): Promise<KeycloakRequest> {
  const origin = `${scheme}://${message.headers.host}`
  const { pathname, searchParams } = new URL(message.url ?? '/', origin)
  const { method = 'GET', headers } = message
  return { method, path: pathname, query: searchParams, headers, body: await text(message), origin }
}

function respond(response: ServerResponse, { status, headers, body }: Reply): void {
  response.writeHead(status, headers).end(body)
}

function toReply({ status, headers = {}, body = '' }: Exclude<Interception, undefined | string>): Reply {
  const json = typeof body === 'string' ? body : JSON.stringify(body)
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: json }
}

/** Only what a client sent can't be read: a body, or a path that is badly encoded. */
const unreadable = (error: Error): Reply => (error instanceof SyntaxError ? unparsable() : refusal(400))

function explained(error: NodeJS.ErrnoException, port: number): Error {
  if (error.code !== 'EADDRINUSE') return error
  const message = `the embedded Keycloak cannot listen: port ${port} on 127.0.0.1 is taken (EADDRINUSE)`
  return Object.assign(new Error(message, { cause: error }), { code: error.code })
}
