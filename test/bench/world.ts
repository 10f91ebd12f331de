// The embedded servers as the benchmark uses them, in this process: a Kubernetes API with upstream's kinds, a Lease and a
// Fence for each name and the policies that judge by it; and a DynamoDB with an item for each.

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type EmbeddedDynamodb, startDynamodb } from '../../infra/local/dynamodb/dynamodb.ts'
import { type KubernetesApi, startKubernetesApi } from '../../infra/local/kubernetes/server.ts'
import { readCrds } from '../../infra/local/world/manifests.ts'
import { FENCE } from '../../lib/fence/fence.ts'
import { type KubernetesApi as KubernetesClient, pathOf } from '../../lib/kubernetes/api.ts'
import { openTransport } from '../../lib/kubernetes/transport.ts'
import { dynamodbStore } from '../../lib/lease/dynamodb.ts'
import * as sdk from '../../lib/lease/dynamodb-client.ts'
import { kubernetesStore, LEASE } from '../../lib/lease/kubernetes.ts'
import type { LeaseRecord } from '../../lib/lease/lease.ts'
import { systemClock } from '../../lib/time.ts'
import { fencePolicies, fences } from '../support/fence.ts'
import { SESSIONS_NAMESPACE } from '../support/sessions.ts'

/** Where lease records live. */
export type LeaseKind = 'kubernetes' | 'dynamodb'

/** Both servers, and what a function needs to reach them. */
export interface World {
  readonly kubernetes: KubernetesApi
  readonly dynamodb: EmbeddedDynamodb
  /** A client of the benchmark's own. */
  readonly api: KubernetesClient
  /** The environment of a function that uses this world. */
  environment(lease: LeaseKind): Record<string, string>
  /** The record of a lease. */
  record(lease: LeaseKind, name: string): Promise<LeaseRecord>
  /** Makes a Lease and a Fence anew, as if nobody had ever held the one or raised the other. */
  renew(name: string): Promise<void>
  close(): Promise<void>
}

const NAMESPACE = 'fencepost-system'
const TABLE = 'fencepost-leases'

/**
 * Starts both servers.
 *
 * @param leases names of leases, e.g. `fencepost-cleanup`; each says that nobody acted before.
 * @param clock the API server's, epoch ms; default the machine's.
 */
export async function startWorld(leases: readonly string[], clock?: () => number): Promise<World> {
  const kubernetes = await startKubernetesApi({ crds: await readCrds(), ...(clock ? { clock } : {}) })
  const dynamodb = await startDynamodb()
  await dynamodb.createLeaseTable(TABLE)
  kubernetes.load([
    ...[NAMESPACE, SESSIONS_NAMESPACE].map(name => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })),
    ...fencePolicies({ installation: 'fencepost', names: leases }),
    ...leases.map(newLease),
    ...fences(leases),
  ])
  for (const name of leases) await dynamodb.createLeaseItem(TABLE, name, { drained: 0 })
  const folder = await mkdtemp(join(tmpdir(), 'fencepost-bench-'))
  const kubeconfig = join(folder, 'kubeconfig')
  await writeFile(kubeconfig, kubernetes.kubeconfig())
  const connection = { server: new URL(kubernetes.url), tls: {}, headers: async () => ({}) }
  const api = openTransport(connection, { clock: systemClock })
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' }
  const client = new sdk.DynamoDBClient({ endpoint: dynamodb.url, region: 'eu-central-1', credentials })
  return {
    kubernetes,
    dynamodb,
    api,
    environment: lease => ({
      LEASE: lease,
      KUBECONFIG: kubeconfig,
      LEASE_TABLE: TABLE,
      DYNAMODB_ENDPOINT: dynamodb.url,
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: 'local',
      AWS_SECRET_ACCESS_KEY: 'local',
      LOG_LEVEL: 'ERROR',
    }),
    async record(lease, name) {
      const store =
        lease === 'kubernetes'
          ? kubernetesStore(api, { namespace: NAMESPACE, name })
          : dynamodbStore({ sdk, client, table: TABLE, name })
      return (await store.read(new AbortController().signal)).record
    },
    async renew(name) {
      const lease = pathOf(LEASE, { namespace: NAMESPACE, name })
      for (const path of [lease, pathOf(FENCE, { name })])
        await api.request({ method: 'DELETE', path, repeat: 'bound' })
      kubernetes.load([newLease(name), ...fences([name])])
    },
    async close() {
      api.close()
      client.destroy()
      await Promise.all([kubernetes.close(), dynamodb.close(), rm(folder, { recursive: true })])
    },
  }
}

/** A Lease that nobody ever held. */
function newLease(name: string): object {
  const metadata = { name, namespace: NAMESPACE, annotations: { 'fencepost.dev/drained': '0' } }
  return { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata }
}
