// The wire between the functions' processes and the API server: it passes everything on as it is, keeps who asked what with
// which token and what the server said, and can lose a request on its way. It changes nothing.

import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer, text } from 'node:stream/consumers'
import { HOST } from '../ports.ts'

/** A request on its way. */
export interface Request {
  /** The process: its bearer token. */
  readonly by: string
  readonly method: string
  /** E.g. `debugsessions/prod-netshoot-v4d7`; only the kind where no object is named. */
  readonly object: string
  /** As whom it wants to write; undefined under its own name. */
  readonly user: string | undefined
  /** The fencing token that it carries, as a write or as a raise of the Fence. */
  readonly token: number | undefined
  readonly holder: string | undefined
  readonly isDryRun: boolean
}

/** A request and what came of it. */
export interface Answered extends Request {
  /** 0: it was lost. */
  readonly status: number
  /** What the server said of a refusal; else ''. */
  readonly message: string
}

/** A running wire. */
export interface Wire {
  readonly url: string
  /** Everything so far, in the order of the answers. */
  readonly answered: readonly Answered[]
  /** Whether a request is to be lost before it reaches the server; asked once for each. */
  lose: (request: Request) => boolean
  /** Told of everything. */
  tell: (answered: Answered) => void
  close(): Promise<void>
}

/** Whether a request would change a work object for good if it were let through: as the virtual user, and no dry run. */
export function isWrite({ method, user, isDryRun }: Request): boolean {
  return method !== 'GET' && user !== undefined && !isDryRun
}

/** Whether it took effect. */
export function isAccepted({ status }: Answered): boolean {
  return status >= 200 && status < 300
}

/** Starts a wire to an API server that listens on a port of this machine. */
export async function startWire(port: number): Promise<Wire> {
  const answered: Answered[] = []
  const note = (one: Answered) => {
    answered.push(one)
    wire.tell(one)
  }
  const server = createServer((message, response) => {
    pass(message, response).catch(() => response.destroy())
  })

  async function pass(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const payload = await buffer(message)
    const request = describe(message, payload.toString('utf8'))
    if (wire.lose(request)) {
      note({ ...request, status: 0, message: '' })
      message.socket.destroy()
      return
    }
    const { statusCode: status = 0, headers, body } = await ask(port, message, payload)
    note({ ...request, status, message: status < 400 ? '' : messageOf(body) })
    response.writeHead(status, headers).end(body)
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, HOST, resolve)
  })
  const wire: Wire = {
    url: `http://${HOST}:${(server.address() as AddressInfo).port}`,
    answered,
    lose: () => false,
    tell: () => {},
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return wire
}

type Reply = Pick<IncomingMessage, 'statusCode' | 'headers'> & { readonly body: string }

function ask(port: number, { method, url, rawHeaders }: IncomingMessage, payload: Buffer): Promise<Reply> {
  return new Promise((resolve, reject) => {
    httpRequest({ host: HOST, port, method, path: url, headers: rawHeaders }, answer => {
      const { statusCode, headers } = answer
      text(answer).then(body => resolve({ statusCode, headers, body }), reject)
    })
      .on('error', reject)
      .end(payload)
  })
}

function describe({ method = '', url = '', headers }: IncomingMessage, payload: string): Request {
  const { pathname, searchParams } = new URL(url, 'http://api')
  const one = (name: string) => headers[name] as string | undefined
  const token = one('impersonate-extra-fencepost.dev%2ftoken') ?? raisedTo(payload)
  return {
    by: (headers.authorization ?? '').replace(/^Bearer /, ''),
    method,
    object: objectOf(pathname),
    user: one('impersonate-user'),
    token: token === undefined ? undefined : Number(token),
    holder: one('impersonate-extra-fencepost.dev%2fholder'),
    isDryRun: searchParams.get('dryRun') === 'All',
  }
}

/** Of `/apis/<group>/<version>[/namespaces/<namespace>]/<plural>[/<name>]`, what comes last. */
function objectOf(path: string): string {
  return path
    .replace(/\/namespaces\/[^/]+(?=\/)/, '')
    .split('/')
    .slice(4)
    .join('/')
}

/** The token in a Fence's patch. */
function raisedTo(payload: string): string | undefined {
  return /^\{"spec":\{"token":(\d+)/.exec(payload)?.[1]
}

/** What a `Status` says. */
function messageOf(body: string): string {
  return body.startsWith('{') ? ((JSON.parse(body) as { message?: string }).message ?? '') : body
}
