// The servers as scenarios use them: a Kubernetes API with upstream's CRDs, one Lease and one Fence per loop and the policies that
// judge by it, and a DynamoDB with one item per loop. Embedded ones in this process, so that child processes can be killed and the servers live on; real ones
// behind the same hooks, where the run has started some.

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inject } from 'vitest'
import { type EmbeddedDynamodb, startDynamodb } from '../../infra/local/dynamodb/dynamodb.ts'
import { type KubernetesApi as EmbeddedKubernetes, startKubernetesApi } from '../../infra/local/kubernetes/server.ts'
import { readCrds } from '../../infra/local/world/manifests.ts'
import type { KubernetesApi } from '../../lib/kubernetes/api.ts'
import { openTransport } from '../../lib/kubernetes/transport.ts'
import { dynamodbStore } from '../../lib/lease/dynamodb.ts'
import * as sdk from '../../lib/lease/dynamodb-client.ts'
import { kubernetesStore } from '../../lib/lease/kubernetes.ts'
import type { LeaseRecord, LeaseStore } from '../../lib/lease/lease.ts'
import { systemClock } from '../../lib/time.ts'
import type { RealServers } from '../real/world/provided.ts'
import { fencePolicies, fences } from './fence.ts'

/** Where lease records live in a scenario. */
export type LeaseKind = 'kubernetes' | 'dynamodb'

/** What scenarios use of an API server. */
export interface KubernetesServer
  extends Pick<EmbeddedKubernetes, 'url' | 'requests' | 'clearRequests' | 'intercept' | 'kubeconfig' | 'close'> {
  /** Stores objects, each with its status. @throws Error – with the server's refusal */
  load(objects: readonly object[]): Promise<void> | void
}

/** Both servers, and how an installation is set up on them. */
export interface Servers {
  readonly kubernetes: KubernetesServer
  readonly dynamodb: Pick<EmbeddedDynamodb, 'url' | 'requests' | 'createLeaseItem' | 'intercept' | 'close'>
  /** Its Leases and items are `<installation>-<loop>`. */
  readonly installation: string
  readonly namespace: string
  readonly table: string
  /** Whether the installation's policies are in force already. */
  readonly isFenced: boolean
}

/** Both servers, and what a function needs to reach them. */
export interface World extends Pick<Servers, 'kubernetes' | 'dynamodb'> {
  /** A client of the test's own. */
  readonly api: KubernetesApi
  /** The environment of a function that uses this world. */
  environment(lease: LeaseKind): Record<string, string>
  /** The record of a loop's lease, read past the product. */
  record(lease: LeaseKind, loop: string): Promise<LeaseRecord>
  close(): Promise<void>
}

/**
 * Starts both servers; the lease of each loop says that nobody acted before, so that the first term has nothing to settle.
 *
 * @param rules what the loops write besides what the manifests' policies know, as rules of those; the embedded API's alone.
 */
export async function startWorld(
  loops: readonly string[],
  clock?: () => number,
  rules: readonly object[] = [],
): Promise<World> {
  const servers = await startServers(clock)
  const { kubernetes, dynamodb, installation, namespace, table } = servers
  const names = loops.map(loop => `${installation}-${loop}`)
  if (!servers.isFenced) await kubernetes.load(fencePolicies({ installation, names, rules }))
  await kubernetes.load(fences(names))
  await kubernetes.load(
    names.map(name => ({
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name, namespace, annotations: { 'fencepost.dev/drained': '0' } },
    })),
  )
  for (const name of names) await dynamodb.createLeaseItem(table, name, { drained: 0 })
  const folder = await mkdtemp(join(tmpdir(), 'fencepost-'))
  const kubeconfig = join(folder, 'kubeconfig')
  await writeFile(kubeconfig, kubernetes.kubeconfig())

  const api = openTransport(
    { server: new URL(kubernetes.url), tls: {}, headers: async () => ({ authorization: 'Bearer administrator' }) },
    { clock: systemClock },
  )
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' }
  const client = new sdk.DynamoDBClient({ endpoint: dynamodb.url, region: 'eu-central-1', credentials })
  const storeOf = (lease: LeaseKind, name: string): LeaseStore =>
    lease === 'kubernetes' ? kubernetesStore(api, { namespace, name }) : dynamodbStore({ sdk, client, table, name })

  return {
    kubernetes,
    dynamodb,
    api,
    environment: lease => ({
      LEASE: lease,
      LEADER_ELECT_ID: installation,
      LEADER_ELECT_NAMESPACE: namespace,
      KUBECONFIG: kubeconfig,
      LEASE_TABLE: table,
      DYNAMODB_ENDPOINT: dynamodb.url,
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: 'local',
      AWS_SECRET_ACCESS_KEY: 'local',
      LOG_LEVEL: 'ERROR',
    }),
    record: async (lease, loop) =>
      (await storeOf(lease, `${installation}-${loop}`).read(new AbortController().signal)).record,
    async close() {
      client.destroy()
      api.close()
      await Promise.all([kubernetes.close(), dynamodb.close(), rm(folder, { recursive: true })])
    },
  }
}

async function startServers(clock?: () => number): Promise<Servers> {
  const real: RealServers | undefined = inject('realServers')
  if (real) return await (await import('../real/world/servers.ts')).openRealServers(real, clock)
  const [namespace, table] = ['fencepost-system', 'fencepost-leases']
  const kubernetes = await startKubernetesApi({ crds: await readCrds(), ...(clock ? { clock } : {}) })
  const dynamodb = await startDynamodb()
  await dynamodb.createLeaseTable(table)
  kubernetes.load(
    [namespace, 'breakglass-system'].map(name => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })),
  )
  return { kubernetes, dynamodb, installation: 'fencepost', namespace, table, isFenced: false }
}
