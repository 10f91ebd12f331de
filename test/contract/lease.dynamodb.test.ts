import { DeleteItemCommand, GetItemCommand, PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb'
import { startDynamodb } from '../../infra/local/dynamodb/dynamodb.ts'
import { dynamodbStore, fromItem, toItem } from '../../lib/lease/dynamodb.ts'
import * as sdk from '../../lib/lease/dynamodb-client.ts'
import { describeLease } from './lease.contract.ts'

const TABLE = 'leases'

describeLease('in DynamoDB', async () => {
  const server = await startDynamodb()
  await server.createLeaseTable(TABLE)
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' }
  const client = new sdk.DynamoDBClient({ endpoint: server.url, region: 'eu-central-1', credentials, maxAttempts: 3 })
  const keyOf = (name: string) => ({ TableName: TABLE, Key: { lease: { S: name } } })
  const itemOf = async (name: string) => (await client.send(new GetItemCommand(keyOf(name)))).Item ?? {}
  let count = 0

  return {
    async fresh() {
      const name = `fencepost-${count++}`
      await server.createLeaseItem(TABLE, name)
      return { store: dynamodbStore({ sdk, client, table: TABLE, name }), name }
    },
    async plant(name, fields) {
      const Item = toItem({ ...fromItem(await itemOf(name)), ...fields })
      await client.send(new PutItemCommand({ TableName: TABLE, Item: { ...Item, lease: { S: name } } }))
    },
    async remove(name) {
      await client.send(new DeleteItemCommand(keyOf(name)))
    },
    recreate: name => server.createLeaseItem(TABLE, name),
    loseNextAnswer() {
      const stop = server.intercept(({ operation }) => {
        if (operation !== 'UpdateItem') return undefined
        stop()
        return 'reset-after-commit'
      })
    },
    async addForeign(name) {
      await client.send(
        new UpdateItemCommand({
          ...keyOf(name),
          UpdateExpression: 'SET team = :team',
          ExpressionAttributeValues: { ':team': { S: 'platform' } },
        }),
      )
    },
    async readForeign(name) {
      const { team } = await itemOf(name)
      return team ? { team } : {}
    },
    async close() {
      client.destroy()
      await server.close()
    },
  }
})
