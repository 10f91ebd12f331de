// The real servers as one scenario uses them: behind proxies with the hooks of the embedded ones, with Leases, items and
// sessions that are gone when the scenario has ended. Scenarios on the same servers come one after the other.

import { randomBytes } from 'node:crypto'
import { DeleteTableCommand } from '@aws-sdk/client-dynamodb'
import { createLeaseItem, createLeaseTable, openClient } from '../../../infra/local/dynamodb/lease-table.ts'
import { SESSIONS_NAMESPACE } from '../../support/sessions.ts'
import { type DynamodbHooks, startDynamodbProxy } from '../proxy/dynamodb.ts'
import { type KubernetesHooks, startKubernetesProxy } from '../proxy/kubernetes.ts'
import { openUpstream } from '../proxy/upstream.ts'
import { openAdministrator } from './administrator.ts'
import { functionHeaders } from './cluster.ts'
import type { RealDynamodb, RealKubernetes, RealServers } from './provided.ts'

/** Bearer tokens of the proxy: who sends what to the API server behind it. */
export const ADMINISTRATOR_TOKEN = 'administrator'
const FUNCTION_TOKEN = 'function'
const BREAKGLASS = `/apis/breakglass.t-caas.telekom.com/v1alpha1/namespaces/${SESSIONS_NAMESPACE}`

/** A real API server with its hooks. */
export interface RealKubernetesWorld extends KubernetesHooks {
  /** Stores objects, each with its status; they are there before any later request is answered. */
  load(objects: readonly object[]): void
  /** A kubeconfig of the functions, as YAML. */
  kubeconfig(): string
}

/** Puts hooks before the API server. */
export async function openRealKubernetes(real: RealKubernetes, clock?: () => number): Promise<RealKubernetesWorld> {
  const administrator = await openAdministrator(real.kubeconfig)
  let loading: Promise<void> = Promise.resolve()
  let created: string[] = []
  const hooks = await startKubernetesProxy({
    upstream: administrator.upstream,
    clock,
    ready: () => loading,
    credentials: async token =>
      token === FUNCTION_TOKEN ? await functionHeaders(administrator, real) : await administrator.connection.headers(),
  })
  const { close } = hooks
  return Object.assign(hooks, {
    load(objects: readonly object[]) {
      loading = loading.then(async () => {
        created = created.concat(await administrator.create(objects))
      })
      // Whatever is asked for next tells it.
      loading.catch(() => {})
    },
    kubeconfig: () => toKubeconfig(hooks.url),
    async close() {
      await close()
      await loading.catch(() => {})
      const leases = created.filter(path => path.includes('/leases/'))
      const sessions = ['breakglasssessions', 'debugsessions'].map(plural => `${BREAKGLASS}/${plural}`)
      const gone = [...leases, ...(real.sessions === true ? sessions : [])]
      await Promise.all(gone.map(path => administrator.send('DELETE', path)))
      administrator.close()
    },
  })
}

function toKubeconfig(server: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'real',
    clusters: [{ name: 'real', cluster: { server } }],
    users: [{ name: 'function', user: { token: FUNCTION_TOKEN } }],
    contexts: [{ name: 'real', context: { cluster: 'real', user: 'function' } }],
  })
}

/** A real DynamoDB with its hooks. */
export interface RealDynamodbWorld extends DynamodbHooks {
  /** A table of this world alone. */
  readonly table: string
  createLeaseItem(lease: string, options?: { drained?: number }): Promise<void>
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
    createLeaseItem: (lease: string, options?: { drained?: number }) =>
      createLeaseItem(client, { table, lease, ...options }),
    async close() {
      await close()
      upstream.close()
      await client.send(new DeleteTableCommand({ TableName: table }))
      client.destroy()
    },
  })
}

/** The servers of a run, when both are there; a scenario needs both. */
export function bothOf({ kubernetes, dynamodb }: RealServers): { kubernetes: RealKubernetes; dynamodb: RealDynamodb } {
  if (typeof kubernetes === 'string') throw new Error(kubernetes)
  if (typeof dynamodb === 'string') throw new Error(dynamodb)
  return { kubernetes, dynamodb }
}
