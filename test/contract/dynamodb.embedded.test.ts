// The embedded DynamoDB behaves as DynamoDB does where the lease depends on it, and its faults do what their names say.

import {
  ConditionalCheckFailedException,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type EmbeddedDynamodb, type Fault, startDynamodb } from '../../infra/local/dynamodb/dynamodb.ts'

const TABLE = 'leases'
const LEASE = 'fencepost-cleanup'
const KEY = { TableName: TABLE, Key: { lease: { S: LEASE } } }

let dynamodb: EmbeddedDynamodb
let client: DynamoDBClient

beforeEach(async () => {
  dynamodb = await startDynamodb()
  client = openClient(dynamodb.url)
  await dynamodb.createLeaseTable(TABLE)
  await dynamodb.createLeaseItem(TABLE, LEASE, { drained: 0 })
})

afterEach(async () => {
  client.destroy()
  await dynamodb.close()
})

function openClient(endpoint: string): DynamoDBClient {
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }
  return new DynamoDBClient({ endpoint, region: 'eu-central-1', credentials, maxAttempts: 1 })
}

/** Takes the lease if its token is still `token`. */
function take(token: number, holder = 'me'): Promise<unknown> {
  return client.send(
    new UpdateItemCommand({
      ...KEY,
      UpdateExpression: 'SET fencingToken = fencingToken + :one, holderIdentity = :holder',
      ConditionExpression: 'attribute_exists(recordId) AND fencingToken = :token',
      ExpressionAttributeValues: { ':one': { N: '1' }, ':token': { N: String(token) }, ':holder': { S: holder } },
      ReturnValues: 'ALL_NEW',
    }),
  )
}

async function item() {
  const { Item } = await client.send(new GetItemCommand({ ...KEY, ConsistentRead: true }))
  return Item
}

const failsWith = (name: string) => expect.objectContaining({ name })

describe('the embedded DynamoDB', () => {
  it('creates a lease item that was never acquired, with an identity of its own', async () => {
    await dynamodb.createLeaseItem(TABLE, 'fencepost-other')

    const other = await client.send(new GetItemCommand({ TableName: TABLE, Key: { lease: { S: 'fencepost-other' } } }))

    expect(await item()).toEqual({
      lease: { S: LEASE },
      recordId: { S: expect.stringMatching(/^[0-9a-f-]{36}$/) },
      fencingToken: { N: '0' },
      drained: { N: '0' },
    })
    expect(other.Item).not.toHaveProperty('drained')
    expect(other.Item?.recordId?.S).not.toBe((await item())?.recordId?.S)
  })

  it('refuses to create a lease item twice', async () => {
    await expect(dynamodb.createLeaseItem(TABLE, LEASE)).rejects.toBeInstanceOf(ConditionalCheckFailedException)
  })

  it('updates an item whose condition holds and answers with it as it is then', async () => {
    await expect(take(0)).resolves.toMatchObject({
      Attributes: { fencingToken: { N: '1' }, holderIdentity: { S: 'me' } },
    })
  })

  it('changes nothing when a condition does not hold', async () => {
    await take(0)

    await expect(take(0, 'late')).rejects.toBeInstanceOf(ConditionalCheckFailedException)
    expect(await item()).toMatchObject({ fencingToken: { N: '1' }, holderIdentity: { S: 'me' } })
  })

  it('lets exactly one of 40 parallel conditional puts win', async () => {
    const puts = Array.from({ length: 40 }, (_, index) =>
      client.send(
        new PutItemCommand({
          TableName: TABLE,
          Item: { lease: { S: 'fencepost-race' }, recordId: { S: String(index) } },
          ConditionExpression: 'attribute_not_exists(lease)',
        }),
      ),
    )

    const results = await Promise.allSettled(puts)

    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect(
      results.filter(
        result => result.status === 'rejected' && result.reason instanceof ConditionalCheckFailedException,
      ),
    ).toHaveLength(39)
  })

  it('records every request with its operation and input', async () => {
    const before = dynamodb.requests.length

    await take(0)
    await item()

    expect(dynamodb.requests.slice(before)).toMatchObject([
      { operation: 'UpdateItem', input: { TableName: TABLE, Key: { lease: { S: LEASE } } } },
      { operation: 'GetItem', input: { ConsistentRead: true } },
    ])
  })

  it('names the port when it is taken', async () => {
    const port = Number(new URL(dynamodb.url).port)

    await expect(startDynamodb({ port })).rejects.toMatchObject({
      code: 'EADDRINUSE',
      message: `the embedded DynamoDB can't listen on port ${port}: it is taken`,
    })
  })

  it('forgets everything at its close, and its port is free again', async () => {
    const port = Number(new URL(dynamodb.url).port)
    await dynamodb.close()

    dynamodb = await startDynamodb({ port })

    await expect(item()).rejects.toEqual(failsWith('ResourceNotFoundException'))
  })

  it('closes while an answer is still awaited', async () => {
    dynamodb.intercept(() => 'silence-after-commit')
    const unanswered = expect(take(0)).rejects.toThrow()
    await eventually(() => dynamodb.requests.some(({ operation }) => operation === 'UpdateItem'))

    await dynamodb.close()

    await unanswered
    dynamodb = await startDynamodb()
  })
})

describe('a fault', () => {
  const rows: { fault: Fault; tokenAfter: string; error: string }[] = [
    { fault: 'reset-before-commit', tokenAfter: '0', error: 'TimeoutError' },
    { fault: 'reset-after-commit', tokenAfter: '1', error: 'TimeoutError' },
    { fault: 'throttled', tokenAfter: '0', error: 'ProvisionedThroughputExceededException' },
    { fault: 'unavailable', tokenAfter: '0', error: 'InternalServerError' },
  ]

  it.each(rows)('$fault leaves the token at $tokenAfter and gives the client no result', async row => {
    const remove = dynamodb.intercept(({ operation }) => (operation === 'UpdateItem' ? row.fault : undefined))

    await expect(take(0)).rejects.toEqual(failsWith(row.error))
    remove()

    expect((await item())?.fencingToken?.N).toBe(row.tokenAfter)
  })

  it('silence-after-commit changes the item and never answers', async () => {
    dynamodb.intercept(({ operation }) => (operation === 'UpdateItem' ? 'silence-after-commit' : undefined))
    const unanswered = expect(take(0)).rejects.toThrow()

    await eventually(async () => (await item())?.fencingToken?.N === '1')

    await dynamodb.close()
    await unanswered
    dynamodb = await startDynamodb()
  })

  it('is over when its interceptor is removed', async () => {
    const remove = dynamodb.intercept(() => 'unavailable')
    await expect(take(0)).rejects.toEqual(failsWith('InternalServerError'))

    remove()

    await expect(take(0)).resolves.toBeDefined()
  })

  it('may hold a request back until others have passed it', async () => {
    let letGo = () => {}
    const others = new Promise<void>(resolve => {
      letGo = resolve
    })
    dynamodb.intercept(async ({ input }) => {
      if (JSON.stringify(input).includes('held back')) await others
      return undefined
    })

    const late = take(0, 'held back')
    await take(0, 'first')
    letGo()

    await expect(late).rejects.toBeInstanceOf(ConditionalCheckFailedException)
    expect((await item())?.holderIdentity?.S).toBe('first')
  })
})

/** Asks until it is so; the test's own time limit ends it otherwise. */
async function eventually(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise(resolve => setImmediate(resolve))
}
