// A real HTTP server whose answers a test scripts, one per request: for what no well-behaved API server does.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What to do with one request. `hang` never answers; `reset` breaks the connection; `cut` breaks it inside the body. */
export type Script = { status: number; body?: unknown; headers?: Record<string, string> } | 'hang' | 'reset' | 'cut'

/** One request as it arrived. */
export interface Arrived {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: unknown
}

/** A running scripted server. */
export interface ScriptedServer {
  readonly url: string
  readonly arrived: Arrived[]
  /** Connections that were ever opened. */
  connections(): number
  close(): Promise<void>
}

/** Starts a server that answers with `scripts` in turn, then with the last one for ever. */
export async function scriptedServer(...scripts: Script[]): Promise<ScriptedServer> {
  const arrived: Arrived[] = []
  let connections = 0
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const text = Buffer.concat(chunks).toString()
    arrived.push({
      method: request.method ?? '',
      url: request.url ?? '',
      headers: request.headers,
      body: text === '' ? undefined : JSON.parse(text),
    })
    perform(scripts[Math.min(arrived.length, scripts.length) - 1] as Script, response)
  })
  server.on('connection', () => {
    connections++
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    arrived,
    connections: () => connections,
    close: async () => {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

function perform(script: Script, response: ServerResponse): void {
  if (script === 'hang') return
  if (script === 'reset') {
    response.destroy()
    return
  }
  response.setHeader('content-type', 'application/json')
  if (script === 'cut') {
    response.writeHead(200, { 'content-length': '1000' })
    response.write('{"kind":', () => response.destroy())
    return
  }
  response.writeHead(script.status, script.headers)
  response.end(JSON.stringify(script.body ?? {}))
}

/** A `Status` object as an API server refuses with. */
export function refusal(status: number, reason: string, message = `${reason} told`): Script {
  return { status, body: { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason, message, code: status } }
}
