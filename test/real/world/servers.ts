// The real servers as one scenario uses them: behind proxies with the hooks of the embedded ones, with Leases, items and
// sessions that are gone when the scenario has ended. Scenarios on the same servers come one after the other.

import { randomBytes } from 'node:crypto'
import { DeleteTableCommand } from '@aws-sdk/client-dynamodb'
import type { EmbeddedDynamodb } from '../../../infra/local/dynamodb/dynamodb.ts'
import { createLeaseItem, createLeaseTable, openClient } from '../../../infra/local/dynamodb/lease-table.ts'
import { SESSIONS_NAMESPACE } from '../../support/sessions.ts'
import type { KubernetesServer, Servers } from '../../support/world.ts'
import { type DynamodbHooks, startDynamodbProxy } from '../proxy/dynamodb.ts'
import { startKubernetesProxy } from '../proxy/kubernetes.ts'
import { openUpstream } from '../proxy/upstream.ts'
import { openAdministrator } from './administrator.ts'
import { functionHeaders } from './cluster.ts'
import type { RealDynamodb, RealKubernetes, RealServers } from './provided.ts'

/** Bearer tokens of the proxy; any other one stands for the functions, so that tests can tell processes apart by it. */
export const ADMINISTRATOR_TOKEN = 'administrator'
const BREAKGLASS = `/apis/breakglass.t-caas.telekom.com/v1alpha1/namespaces/${SESSIONS_NAMESPACE}`

/** Puts hooks before the API server. */
export async function openRealKubernetes(real: RealKubernetes, clock?: () => number): Promise<KubernetesServer> {
  const administrator = await openAdministrator(real.kubeconfig)
  let created: string[] = []
  const hooks = await startKubernetesProxy({
    upstream: administrator.upstream,
    clock,
    credentials: async token =>
      token === ADMINISTRATOR_TOKEN
        ? await administrator.connection.headers()
        : await functionHeaders(administrator, real),
  })
  const { close } = hooks
  return Object.assign(hooks, {
    async load(objects: readonly object[]) {
      created = created.concat(await administrator.create(objects))
    },
    kubeconfig: (token = 'function') => toKubeconfig(hooks.url, token),
    async close() {
      await close()
      const own = created.filter(path => /\/(leases|fences)\//.test(path))
      const sessions = ['breakglasssessions', 'debugsessions'].map(plural => `${BREAKGLASS}/${plural}`)
      const gone = [...own, ...(real.sessions === true ? sessions : [])]
      await Promise.all(gone.map(path => administrator.send('DELETE', path)))
      administrator.close()
    },
  })
}

function toKubeconfig(server: string, token: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'real',
    clusters: [{ name: 'real', cluster: { server } }],
    users: [{ name: 'function', user: { token } }],
    contexts: [{ name: 'real', context: { cluster: 'real', user: 'function' } }],
  })
}

/** A real DynamoDB with its hooks. */
export interface RealDynamodbWorld extends DynamodbHooks {
  /** A table of this world alone. */
  readonly table: string
  createLeaseItem: EmbeddedDynamodb['createLeaseItem']
}

/** Puts hooks before the DynamoDB endpoint. */
export async function openRealDynamodb({ url }: RealDynamodb): Promise<RealDynamodbWorld> {
  const upstream = openUpstream(new URL(url))
  const hooks = await startDynamodbProxy(upstream)
  const client = openClient(url)
  const table = `fencepost-real-${randomBytes(4).toString('hex')}`
  await createLeaseTable(client, table)
  const { close } = hooks
  return Object.assign(hooks, {
    table,
    createLeaseItem: (name: string, lease: string, options?: { drained?: number }) =>
      createLeaseItem(client, { table: name, lease, ...options }),
    async close() {
      await close()
      upstream.close()
      await client.send(new DeleteTableCommand({ TableName: table }))
      client.destroy()
    },
  })
}

/**
 * Both servers of a run as a scenario uses them.
 * @throws Error – one was left out.
 */
export async function openRealServers({ kubernetes, dynamodb }: RealServers, clock?: () => number): Promise<Servers> {
  if (typeof kubernetes === 'string') throw new Error(kubernetes)
  if (typeof dynamodb === 'string') throw new Error(dynamodb)
  const items = await openRealDynamodb(dynamodb)
  const { namespace } = kubernetes
  return {
    kubernetes: await openRealKubernetes(kubernetes, clock),
    dynamodb: items,
    installation: namespace,
    namespace,
    table: items.table,
    isFenced: true,
  }
}
