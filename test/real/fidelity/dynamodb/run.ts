// One run: a table of its own on both servers, all rows on both, and what differs in status, error and answer.

import { randomBytes } from 'node:crypto'
import { startDynamodb } from '../../../../infra/local/dynamodb/dynamodb.ts'
import { ROWS, type Row } from './rows.ts'

/** A row with what differed: `status`, `error`, `message` or `body`, the embedded value first. */
export interface Compared {
  readonly row: Row
  readonly found: ReadonlyMap<string, readonly [unknown, unknown]>
}

// Neither server checks signatures, but both want the form of one.
const AUTHORIZATION =
  'AWS4-HMAC-SHA256 Credential=local/20201121/eu-central-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0'

interface Answer {
  readonly status: number
  readonly error: string | undefined
  readonly message: string | undefined
  readonly body: unknown
}

/** Whether an endpoint is DynamoDB Local; another one is no measure. */
export async function isDynamodbLocal(url: string): Promise<boolean> {
  const { headers } = await fetch(url)
  return headers.get('server')?.startsWith('Jetty') ?? false
}

/** Sends all rows to both servers. */
export async function compareDynamodb(url: string): Promise<Compared[]> {
  const embedded = await startDynamodb()
  const table = `fidelity-${randomBytes(4).toString('hex')}`
  try {
    const compared: Compared[] = []
    for (const row of ROWS) {
      const [one, other] = await Promise.all([send(embedded.url, table, row), send(url, table, row)])
      const found = new Map<string, readonly [unknown, unknown]>()
      for (const key of ['status', 'error', 'message', 'body'] as const)
        if (sorted(one[key]) !== sorted(other[key])) found.set(key, [one[key], other[key]])
      compared.push({ row, found })
    }
    return compared
  } finally {
    await ask(url, 'DeleteTable', { TableName: table })
    await embedded.close()
  }
}

async function send(url: string, table: string, { operation, input, part = body => body }: Row): Promise<Answer> {
  const whole = { TableName: table, Key: { lease: { S: 'fencepost-cleanup' } }, ...input }
  const sent = Object.fromEntries(Object.entries(whole).filter(([, value]) => value !== null))
  const { status, body } = await ask(url, operation, sent)
  const { __type, message, Message, ...rest } = body as Record<string, string>
  if (status === 200) return { status, error: undefined, message: undefined, body: part(body) }
  return { status, error: __type?.split('#').at(-1), message: message ?? Message, body: rest }
}

async function ask(url: string, operation: string, input: object): Promise<{ status: number; body: unknown }> {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      authorization: AUTHORIZATION,
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-date': '20201121T070500Z',
      'x-amz-target': `DynamoDB_20120810.${operation}`,
    },
    body: JSON.stringify(input),
  })
  return { status: response.status, body: await response.json() }
}

const sorted = (value: unknown): string | undefined =>
  JSON.stringify(value, (_key, inner) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([one], [other]) => (one < other ? -1 : 1)))
      : inner,
  )
