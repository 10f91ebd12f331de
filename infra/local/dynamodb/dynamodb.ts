// DynamoDB embedded in this process: dynalite, in memory, on 127.0.0.1. Every request is recorded and may be given a fault.
// Like DynamoDB: conditional writes of one item, consistent reads, error names. Not like it: no transactions, no TTL, and
// a failed condition never returns the item (ReturnValuesOnConditionCheckFailure is ignored). Measured: FIDELITY.md.

import { once } from 'node:events'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import dynalite from 'dynalite'
import { answer, type DynamodbRequest, type Fault, type Serve } from './faults.ts'
import { createLeaseItem, createLeaseTable, openClient } from './lease-table.ts'

export type { DynamodbRequest, Fault } from './faults.ts'
export { DYNAMODB_ENVIRONMENT } from './lease-table.ts'

/** Judges one request before the store sees it; a promise holds the request back until it resolves. */
export type Interceptor = (request: DynamodbRequest) => Fault | undefined | Promise<Fault | undefined>

/** A running embedded DynamoDB. */
export interface EmbeddedDynamodb {
  /** E.g. `http://127.0.0.1:8000`. */
  readonly url: string
  /** Every request so far, in the order of arrival, repeats of a client and those of the methods below included. */
  readonly requests: readonly DynamodbRequest[]
  /** Creates a table of lease items (key `lease`, a string; on demand), ready when it resolves. */
  createLeaseTable(table: string): Promise<void>
  /**
   * Creates the item of a lease that was never acquired: token 0, a new record id.
   *
   * @param lease its key, e.g. `fencepost-cleanup`.
   * @param options `drained: 0` says that nobody can have acted before, so that the first term needs no settle. Default:
   *   absent, as a record of unknown past.
   * @throws ConditionalCheckFailedException – there is such an item already.
   */
  createLeaseItem(table: string, lease: string, options?: { drained?: number }): Promise<void>
  /** Puts an interceptor in front of the ones before it; the first fault any of them gives counts. Returns what removes it. */
  intercept(interceptor: Interceptor): () => void
  /** Breaks every connection, stops listening and forgets all tables. */
  close(): Promise<void>
}

/**
 * Starts an embedded DynamoDB on 127.0.0.1.
 *
 * @param options `port`: 0, the default, takes a free one.
 * @throws Error – code EADDRINUSE, naming the port, when it is taken.
 */
export async function startDynamodb({ port = 0 }: { port?: number } = {}): Promise<EmbeddedDynamodb> {
  const server = dynalite({ createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 })
  const requests: DynamodbRequest[] = []
  const interceptors: Interceptor[] = []
  const drain = serveThrough(server, async request => {
    requests.push(request)
    for (const interceptor of interceptors) {
      const fault = await interceptor(request)
      if (fault) return fault
    }
    return undefined
  })
  await listen(server, port)
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const client = openClient(url)
  return {
    url,
    requests,
    createLeaseTable: table => createLeaseTable(client, table),
    createLeaseItem: (table, lease, options) => createLeaseItem(client, { table, lease, ...options }),
    intercept(interceptor) {
      interceptors.unshift(interceptor)
      return () => void interceptors.splice(interceptors.indexOf(interceptor), 1)
    },
    async close() {
      client.destroy()
      await drain()
      const closed = new Promise<void>((resolve, reject) => {
        server.close(error => (error ? reject(error) : resolve()))
      })
      server.closeAllConnections()
      await closed
    },
  }
}

/**
 * Puts `judge` between the server's connections and the store's own handler.
 * @returns what waits for the requests inside the store and admits no more: it must not be closed under them.
 */
function serveThrough(
  server: Server,
  judge: (request: DynamodbRequest) => Promise<Fault | undefined>,
): () => Promise<void> {
  const [serve] = server.listeners('request') as Serve[]
  if (!serve) throw new Error('dynalite has no request handler; this version works otherwise')
  const inside = new Set<Promise<void>>()
  let isClosing = false

  async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(request)
    const fault = await judge({ operation: operationOf(request), input: parsed(body) })
    if (isClosing) return
    const answered = answer({ request, body, response }, fault, serve as Serve)
    inside.add(answered)
    await answered
    inside.delete(answered)
  }
  server.removeAllListeners('request')
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    receive(request, response).catch(() => response.destroy())
  })
  return async () => {
    isClosing = true
    await Promise.all(inside)
  }
}

function operationOf(request: IncomingMessage): string {
  return String(request.headers['x-amz-target'] ?? '')
    .split('.')
    .at(-1) as string
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    return null
  }
}

async function listen(server: Server, port: number): Promise<void> {
  server.listen(port, '127.0.0.1')
  try {
    await once(server, 'listening')
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    const why = code === 'EADDRINUSE' ? 'it is taken' : message
    throw Object.assign(new Error(`the embedded DynamoDB can't listen on port ${port}: ${why}`, { cause }), { code })
  }
}
