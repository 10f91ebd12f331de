// The lease contract on items of a real DynamoDB endpoint.

import { DeleteItemCommand, GetItemCommand, PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb'
import { inject } from 'vitest'
import { dynamodbStore, fromItem, toItem } from '../../lib/lease/dynamodb.ts'
import * as sdk from '../../lib/lease/dynamodb-client.ts'
import { describeLease } from '../contract/lease.contract.ts'
import { describeWith } from './world/left-out.ts'
import { openRealDynamodb } from './world/servers.ts'

describeWith(inject('realServers').dynamodb, 'a real DynamoDB endpoint', real => {
  describeLease('in DynamoDB', async () => {
    const server = await openRealDynamodb(real)
    const client = new sdk.DynamoDBClient({ endpoint: server.url, region: 'eu-central-1', maxAttempts: 3 })
    const keyOf = (name: string) => ({ TableName: server.table, Key: { lease: { S: name } } })
    const itemOf = async (name: string) => (await client.send(new GetItemCommand(keyOf(name)))).Item ?? {}
    let count = 0

    return {
      async fresh() {
        const name = `fencepost-${count++}`
        await server.createLeaseItem(server.table, name)
        return { store: dynamodbStore({ sdk, client, table: server.table, name }), name }
      },
      async plant(name, fields) {
        const Item = toItem({ ...fromItem(await itemOf(name)), ...fields })
        await client.send(new PutItemCommand({ TableName: server.table, Item: { ...Item, lease: { S: name } } }))
      },
      async remove(name) {
        await client.send(new DeleteItemCommand(keyOf(name)))
      },
      recreate: name => server.createLeaseItem(server.table, name),
      loseNextAnswer() {
        const stop = server.intercept(({ operation }) => {
          if (operation !== 'UpdateItem') return undefined
          stop()
          return 'reset-after-commit'
        })
      },
      async addForeign(name) {
        const UpdateExpression = 'SET team = :team'
        const ExpressionAttributeValues = { ':team': { S: 'platform' } }
        await client.send(new UpdateItemCommand({ ...keyOf(name), UpdateExpression, ExpressionAttributeValues }))
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
})
