// What can go wrong between a client and DynamoDB, done to one request. Whether the store was changed and what the client
// gets to know are independent of each other; these are the combinations that clients must survive.

import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'

/**
 * `reset-before-commit`   the connection breaks, nothing was done.
 * `reset-after-commit`    it was done, then the connection breaks without an answer.
 * `silence-after-commit`  it was done, and no answer ever comes; the connection stays open until somebody ends it.
 * `throttled`             refused with ProvisionedThroughputExceededException, nothing was done.
 * `unavailable`           refused with HTTP 500 InternalServerError, nothing was done.
 */
export type Fault = 'reset-before-commit' | 'reset-after-commit' | 'silence-after-commit' | 'throttled' | 'unavailable'

/** One received request, its body parsed. */
export interface DynamodbRequest {
  /** E.g. `UpdateItem`. */
  readonly operation: string
  /** The operation's input as JSON, e.g. `{ TableName, Key, UpdateExpression, … }`; null when it is not JSON. */
  readonly input: unknown
}

/** A request while it is being served. */
export interface Exchange {
  readonly request: IncomingMessage
  readonly body: Buffer
  readonly response: ServerResponse
}

/** The store's own way to answer. */
export type Serve = (request: IncomingMessage, response: ServerResponse) => void

/**
 * Answers one request as the fault says; without one, as the store does.
 * @returns what resolves when the store has done with the request.
 */
export async function answer(exchange: Exchange, fault: Fault | undefined, serve: Serve): Promise<void> {
  const { response } = exchange
  if (fault === 'reset-before-commit') response.destroy()
  else if (fault === 'throttled') refuse(response, 400, 'ProvisionedThroughputExceededException')
  else if (fault === 'unavailable') refuse(response, 500, 'InternalServerError')
  else await commit(exchange, serve, END[fault ?? 'none'])
}

/** What becomes of the store's answer. */
type End = (response: ServerResponse, send: () => void) => void

const END: Readonly<Record<'none' | 'reset-after-commit' | 'silence-after-commit', End>> = {
  none: (_response, send) => send(),
  'reset-after-commit': response => response.destroy(),
  'silence-after-commit': () => {},
}

/** Lets the store do its work; it is done when it ends the response. */
function commit(exchange: Exchange, serve: Serve, end: End): Promise<void> {
  const { response } = exchange
  const send = response.end.bind(response) as (body: unknown) => ServerResponse
  return new Promise(resolve => {
    response.end = ((body: unknown) => {
      end(response, () => send(body))
      resolve()
      return response
    }) as typeof response.end
    serve(again(exchange), response)
  })
}

function refuse(response: ServerResponse, status: number, name: string): void {
  const type = `com.amazonaws.dynamodb.v20120810#${name}`
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' })
  response.end(JSON.stringify({ __type: type, message: 'refused by a fault' }))
}

/** The request once more: its body was read to be judged, and a stream can be read only once. */
function again({ request, body }: Exchange): IncomingMessage {
  const { method, url, headers } = request
  return Object.assign(Readable.from([body]), { method, url, headers }) as unknown as IncomingMessage
}
