// A real DynamoDB endpoint behind the hooks that the embedded one has, with the same faults. Requests are passed on as they
// were signed for this address, so that the endpoint must be one that checks no signature, as DynamoDB Local.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import type { EmbeddedDynamodb, Interceptor } from '../../../infra/local/dynamodb/dynamodb.ts'
import { answer, type DynamodbRequest, type Fault } from '../../../infra/local/dynamodb/faults.ts'
import { endToEnd, type Upstream } from './upstream.ts'

/** What scenarios use of a DynamoDB, embedded or real. */
export type DynamodbHooks = Pick<EmbeddedDynamodb, 'url' | 'requests' | 'intercept' | 'close'>

/** Starts the proxy on a free port. */
export async function startDynamodbProxy(upstream: Upstream): Promise<DynamodbHooks> {
  const requests: DynamodbRequest[] = []
  const interceptors: Interceptor[] = []

  async function judge(request: DynamodbRequest): Promise<Fault | undefined> {
    for (const interceptor of interceptors) {
      const fault = await interceptor(request)
      if (fault) return fault
    }
    return undefined
  }

  async function receive(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(message)
    const operation = String(message.headers['x-amz-target'] ?? '').replace(/^.*\./, '')
    const request = { operation, input: JSON.parse(body.toString('utf8')) as unknown }
    requests.push(request)
    const fault = await judge(request)
    await answer({ request: message, body, response }, fault, (again, to) => {
      pass(again, to).catch(() => response.destroy())
    })
  }

  async function pass(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'POST', url = '/' } = message
    const headers = endToEnd(message.headers) as Record<string, string>
    const answered = await upstream.send({ method, path: url, headers, body: await buffer(message) })
    const body = await buffer(answered)
    response.writeHead(answered.statusCode ?? 0, endToEnd(answered.headers))
    response.end(body)
  }

  const server = createServer((message, response) => {
    receive(message, response).catch(() => response.destroy())
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    intercept(interceptor) {
      interceptors.unshift(interceptor)
      return () => void interceptors.splice(interceptors.indexOf(interceptor), 1)
    },
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
