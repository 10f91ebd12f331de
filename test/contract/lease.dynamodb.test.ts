import { startDynamodb } from '../../infra/local/dynamodb/dynamodb.ts'
import { DynamoDBClient } from '../../lib/lease/dynamodb-client.ts'
import { dynamodbBackend } from './lease.backends.ts'
import { describeLease } from './lease.contract.ts'

const TABLE = 'leases'

describeLease('in DynamoDB', async () => {
  const server = await startDynamodb()
  await server.createLeaseTable(TABLE)
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' }
  const client = new DynamoDBClient({ endpoint: server.url, region: 'eu-central-1', credentials, maxAttempts: 3 })
  return dynamodbBackend({
    client,
    table: TABLE,
    create: name => server.createLeaseItem(TABLE, name),
    server,
    async close() {
      client.destroy()
      await server.close()
    },
  })
})
