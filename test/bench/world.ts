// The embedded servers as the benchmark uses them, in this process: a Kubernetes API with upstream's kinds and a Lease for
// each name, and a DynamoDB with an item for each.

import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'yaml'
import { type EmbeddedDynamodb, startDynamodb } from '../../infra/local/dynamodb/dynamodb.ts'
import { type KubernetesApi, startKubernetesApi } from '../../infra/local/kubernetes/server.ts'
import type { KubernetesApi as KubernetesClient } from '../../lib/kubernetes/api.ts'
import { openTransport } from '../../lib/kubernetes/transport.ts'
import { dynamodbStore } from '../../lib/lease/dynamodb.ts'
import * as sdk from '../../lib/lease/dynamodb-client.ts'
import { kubernetesStore } from '../../lib/lease/kubernetes.ts'
import type { LeaseRecord } from '../../lib/lease/lease.ts'
import { systemClock } from '../../lib/time.ts'
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
  const kubernetes = await startKubernetesApi({ crds: await definitions(), ...(clock ? { clock } : {}) })
  const dynamodb = await startDynamodb()
  await dynamodb.createLeaseTable(TABLE)
  const annotations = { 'fencepost.dev/drained': '0' }
  kubernetes.load([
    ...[NAMESPACE, SESSIONS_NAMESPACE].map(name => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })),
    ...leases.map(name => ({
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name, namespace: NAMESPACE, annotations },
    })),
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
    async close() {
      api.close()
      client.destroy()
      await Promise.all([kubernetes.close(), dynamodb.close(), rm(folder, { recursive: true })])
    },
  }
}

/** Upstream's CustomResourceDefinitions. */
export async function definitions(): Promise<object[]> {
  const folder = new URL('../../infra/local/crds/', import.meta.url)
  const files = (await readdir(folder)).filter(file => file.endsWith('.yaml'))
  return await Promise.all(files.map(async file => parse(await readFile(new URL(file, folder), 'utf8')) as object))
}
