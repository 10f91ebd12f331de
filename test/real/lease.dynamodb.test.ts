// The lease contract on items of a real DynamoDB endpoint.

import { inject } from 'vitest'
import { DynamoDBClient } from '../../lib/lease/dynamodb-client.ts'
import { dynamodbBackend } from '../contract/lease.backends.ts'
import { describeLease } from '../contract/lease.contract.ts'
import { describeWith } from './world/left-out.ts'
import { openRealDynamodb } from './world/servers.ts'

describeWith(inject('realServers').dynamodb, 'a real DynamoDB endpoint', real => {
  describeLease('in DynamoDB', async () => {
    const server = await openRealDynamodb(real)
    const client = new DynamoDBClient({ endpoint: server.url, region: 'eu-central-1', maxAttempts: 3 })
    return dynamodbBackend({
      client,
      table: server.table,
      create: name => server.createLeaseItem(server.table, name),
      server,
      async close() {
        client.destroy()
        await server.close()
      },
    })
  })
})
