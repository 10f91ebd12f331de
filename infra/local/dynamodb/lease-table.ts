// The table of lease items and its items as a deployment creates them, through the ordinary client.

import { randomUUID } from 'node:crypto'
import { CreateTableCommand, DescribeTableCommand, DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb'

/** Credentials and a region that the embedded DynamoDB accepts; it checks their form alone. */
export const DYNAMODB_ENVIRONMENT = {
  AWS_ACCESS_KEY_ID: 'embedded',
  AWS_SECRET_ACCESS_KEY: 'embedded',
  AWS_REGION: 'eu-central-1',
} as const

/** Opens a client of the embedded DynamoDB at `endpoint`; whoever opens it destroys it. */
export function openClient(endpoint: string): DynamoDBClient {
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION } = DYNAMODB_ENVIRONMENT
  const credentials = { accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY }
  return new DynamoDBClient({ endpoint, region: AWS_REGION, credentials })
}

/** Creates a table with the key `lease`, a string, on demand; resolves when it is active. */
export async function createLeaseTable(client: DynamoDBClient, table: string): Promise<void> {
  await client.send(
    new CreateTableCommand({
      TableName: table,
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: [{ AttributeName: 'lease', KeyType: 'HASH' }],
      AttributeDefinitions: [{ AttributeName: 'lease', AttributeType: 'S' }],
    }),
  )
  for (;;) {
    const { Table } = await client.send(new DescribeTableCommand({ TableName: table }))
    if (Table?.TableStatus === 'ACTIVE') return
  }
}

/** What item to create. */
export interface NewLeaseItem {
  readonly table: string
  /** The item's key. */
  readonly lease: string
  /** Default: absent. */
  readonly drained?: number
}

/**
 * Creates the item of a lease that was never acquired.
 * @throws ConditionalCheckFailedException – there is such an item already.
 */
export async function createLeaseItem(client: DynamoDBClient, { table, lease, drained }: NewLeaseItem): Promise<void> {
  await client.send(
    new PutItemCommand({
      TableName: table,
      ConditionExpression: 'attribute_not_exists(lease)',
      Item: {
        lease: { S: lease },
        recordId: { S: randomUUID() },
        fencingToken: { N: '0' },
        ...(drained === undefined ? {} : { drained: { N: String(drained) } }),
      },
    }),
  )
}
