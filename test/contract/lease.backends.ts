// The two shared stores as the lease suite uses them, over embedded or real servers.

import {
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb'
import type { EmbeddedDynamodb } from '../../infra/local/dynamodb/dynamodb.ts'
import type { KubernetesApi as EmbeddedKubernetes } from '../../infra/local/kubernetes/server.ts'
import { type KubernetesApi, pathOf, type RawObject } from '../../lib/kubernetes/api.ts'
import { readObject } from '../../lib/kubernetes/pages.ts'
import { dynamodbStore, fromItem, toItem } from '../../lib/lease/dynamodb.ts'
import * as sdk from '../../lib/lease/dynamodb-client.ts'
import { fromLease, kubernetesStore, LEASE, toLease } from '../../lib/lease/kubernetes.ts'
import type { LeaseBackend } from './lease.contract.ts'

/** What is different between an embedded and a real server. */
interface Surroundings {
  /** Makes a record that was never acquired. */
  readonly create: (name: string) => Promise<void>
  readonly close: () => Promise<void>
}

const { signal } = new AbortController()

/** Names of leases, one for each test. */
function names(prefix: string): () => string {
  let count = 0
  return () => `${prefix}-${count++}`
}

/** Leases of one namespace; `api` may do with them whatever it likes. */
export function kubernetesBackend(
  given: Surroundings & {
    readonly server: Pick<EmbeddedKubernetes, 'intercept'>
    readonly api: KubernetesApi
    readonly namespace: string
    readonly prefix: string
  },
): LeaseBackend {
  const { server, api, namespace, prefix, create, close } = given
  const nextName = names(prefix)
  const leaseOf = async (name: string) => (await readObject(api, LEASE, { namespace, name }, signal)) as RawObject
  async function replace(name: string, body: RawObject): Promise<void> {
    await api.request({ method: 'PUT', path: pathOf(LEASE, { namespace, name }), body, repeat: 'bound' })
  }
  return {
    async fresh() {
      const name = nextName()
      await create(name)
      return { store: kubernetesStore(api, { namespace, name }), name }
    },
    async plant(name, fields) {
      const lease = await leaseOf(name)
      await replace(name, toLease(lease, { ...fromLease(lease, name), ...fields }))
    },
    async remove(name) {
      await api.request({ method: 'DELETE', path: pathOf(LEASE, { namespace, name }), repeat: 'bound' })
    },
    recreate: create,
    loseNextAnswer() {
      server.intercept = ({ method }) => {
        if (method !== 'PUT') return undefined
        server.intercept = undefined
        return 'reset-after-commit'
      }
    },
    async addForeign(name) {
      const lease = await leaseOf(name)
      const annotations = { ...(lease.metadata.annotations as object), 'team.example/owner': 'platform' }
      await replace(name, { ...lease, metadata: { ...lease.metadata, annotations, labels: { app: 'x' } } })
    },
    async readForeign(name) {
      const { labels, annotations = {} } = (await leaseOf(name)).metadata
      return { labels, owner: (annotations as Record<string, string>)['team.example/owner'] }
    },
    close,
  }
}

/** Items of one table. */
export function dynamodbBackend(
  given: Surroundings & {
    readonly server: Pick<EmbeddedDynamodb, 'intercept'>
    readonly client: DynamoDBClient
    readonly table: string
  },
): LeaseBackend {
  const { server, client, table, create, close } = given
  const nextName = names('fencepost')
  const keyOf = (name: string) => ({ TableName: table, Key: { lease: { S: name } } })
  const itemOf = async (name: string) => (await client.send(new GetItemCommand(keyOf(name)))).Item ?? {}
  return {
    async fresh() {
      const name = nextName()
      await create(name)
      return { store: dynamodbStore({ sdk, client, table, name }), name }
    },
    async plant(name, fields) {
      const Item = toItem({ ...fromItem(await itemOf(name)), ...fields })
      await client.send(new PutItemCommand({ TableName: table, Item: { ...Item, lease: { S: name } } }))
    },
    async remove(name) {
      await client.send(new DeleteItemCommand(keyOf(name)))
    },
    recreate: create,
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
    close,
  }
}
