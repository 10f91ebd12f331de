// What functions work on in one test: the cluster's API servers behind a proxy with hooks, that knows which process sent a
// request, and everything that a term leaves behind made anew: Lease, DynamoDB item, Fence and sessions.

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inject } from 'vitest'
import { openClient } from '../../../../infra/local/dynamodb/lease-table.ts'
import { connectByKubeconfig } from '../../../../lib/kubernetes/connection.ts'
import { KubeConfig } from '../../../../lib/kubernetes/kubeconfig-library.ts'
import { openTransport } from '../../../../lib/kubernetes/transport.ts'
import { dynamodbStore } from '../../../../lib/lease/dynamodb.ts'
import * as sdk from '../../../../lib/lease/dynamodb-client.ts'
import { kubernetesStore } from '../../../../lib/lease/kubernetes.ts'
import type { LeaseRecord } from '../../../../lib/lease/lease.ts'
import { TickFailedError, type TickOutcome } from '../../../../lib/tick/outcome.ts'
import { systemClock } from '../../../../lib/time.ts'
import { scenarioClock, T0 } from '../../../support/clock.ts'
import { startSandbox } from '../../../support/invoke.ts'
import { dueSessions } from '../../../support/sessions.ts'
import type { LeaseKind } from '../../../support/world.ts'
import { type KubernetesHooks, startKubernetesProxy } from '../../proxy/kubernetes.ts'
import type { Passed, Upstream } from '../../proxy/upstream.ts'
import { openRealDynamodb, type RealDynamodbWorld } from '../../world/servers.ts'
import { CLEANUP, type FenceCluster, inForce, whyNoCluster } from './cluster.ts'
import { FENCE_PATH, load, NAME, reset, SESSIONS_PATH } from './reset.ts'
import { BY, record, type Sent } from './sent.ts'

// The library that writes metrics reads this; those of sandboxes in this process would only fill the screen.
process.env.POWERTOOLS_METRICS_DISABLED = 'true'

/** A world of one test. */
export interface FenceWorld {
  /** `intercept` sees every request before a server does. */
  readonly hooks: KubernetesHooks
  readonly dynamodb: RealDynamodbWorld
  readonly sent: Sent[]
  /** The environment of a function; `user` is who it is to the API server, default the scheduled one. */
  environment(process: string, lease?: LeaseKind, user?: string): Promise<Record<string, string>>
  /** The lease's record, read past the product. */
  record(lease?: LeaseKind): Promise<LeaseRecord>
  /** The Fence's spec; undefined when it has none or there is no Fence. */
  fence(): Promise<{ token: number; holder: string; lease: string; after?: string } | undefined>
  /** Creates objects, each with its status. @throws Error – with the server's refusal. */
  load(objects: readonly object[]): Promise<void>
  /** Each session's state and resourceVersion, by name. */
  sessions(): Promise<Record<string, { state: string; resourceVersion: string }>>
  close(): Promise<void>
}

/** How a world is set up. */
export interface FenceWorldOptions {
  /** The clock of API servers, as `Date` tells it. */
  readonly now?: () => number
  /** How many sessions are due; default 4. */
  readonly due?: number
  /** More objects. */
  readonly objects?: readonly object[]
  /** Which server a request goes to; default the first. */
  readonly route?: (request: Passed) => Upstream
  /** The fence is broken on purpose and is not waited for. */
  readonly isBroken?: boolean
}

/** Why there can be no such world in this run; undefined when there can. */
export async function whyNoWorld(): Promise<string | undefined> {
  const { dynamodb } = inject('realServers')
  return (await whyNoCluster()) ?? (typeof dynamodb === 'string' ? dynamodb : undefined)
}

/** Delivers a scheduled tick to a sandbox of its own; gives the outcome of a failed one too. */
export async function tick(environment: Record<string, string>, atMs: number): Promise<TickOutcome> {
  return await outcomeOf(startSandbox(environment, scenarioClock(atMs)).tick(atMs))
}

/** The outcome of a tick, also of one that failed. */
export async function outcomeOf(ticking: Promise<TickOutcome>): Promise<TickOutcome> {
  return await ticking.catch(error => {
    if (error instanceof TickFailedError) return error.outcome
    throw error
  })
}

/** Opens a world; the lease says that nobody acted before, so that the first term has nothing to settle. */
export async function startFenceWorld(cluster: FenceCluster, options: FenceWorldOptions = {}): Promise<FenceWorld> {
  const { now = () => T0, due = 4, objects = [], route = () => cluster.upstream, isBroken = false } = options
  const { dynamodb: provided } = inject('realServers')
  if (typeof provided === 'string') throw new Error(provided)
  const folder = await mkdtemp(join(tmpdir(), 'fencepost-'))
  const sent: Sent[] = []
  const dynamodb = await openRealDynamodb(provided)
  await dynamodb.createLeaseItem(dynamodb.table, NAME, { drained: 0 })
  await reset(cluster, [...dueSessions(due, T0), ...objects])
  if (!isBroken) await inForce(cluster, /current=none/)
  sent.length = 0

  const hooks = await startKubernetesProxy({
    upstream: { send: request => record(sent, request, route(request)), close: () => {} },
    clock: now,
    credentials: async token => {
      const [by = '', user = ''] = token.split('=')
      return { authorization: `Bearer ${cluster.server.tokens[user]}`, [BY]: by }
    },
  })
  const api = openTransport(await connectByKubeconfig(KubeConfig, cluster.server.kubeconfig), { clock: systemClock })
  const client = openClient(provided.url)

  return {
    hooks,
    dynamodb,
    sent,
    async environment(process, lease = 'kubernetes', user = CLEANUP) {
      const KUBECONFIG = join(folder, `${process}-${lease}-${user.replaceAll(/\W/g, '-')}`)
      await writeFile(KUBECONFIG, toKubeconfig(hooks.url, `${process}=${user}`))
      return {
        LEASE: lease,
        KUBECONFIG,
        LEASE_TABLE: dynamodb.table,
        DYNAMODB_ENDPOINT: dynamodb.url,
        AWS_REGION: 'eu-central-1',
        AWS_ACCESS_KEY_ID: 'local',
        AWS_SECRET_ACCESS_KEY: 'local',
        LOG_LEVEL: 'ERROR',
        WORKERS: '1',
      }
    },
    async record(lease = 'kubernetes') {
      const store =
        lease === 'kubernetes'
          ? kubernetesStore(api, { namespace: 'fencepost-system', name: NAME })
          : dynamodbStore({ sdk, client, table: dynamodb.table, name: NAME })
      return (await store.read(new AbortController().signal)).record
    },
    fence: async () => (await cluster.ask({ method: 'GET', path: FENCE_PATH })).body?.spec,
    load: objects => load(cluster, objects),
    async sessions() {
      const { body } = await cluster.ask({ method: 'GET', path: SESSIONS_PATH })
      type Item = { metadata: { name: string; resourceVersion: string }; status: { state: string } }
      return Object.fromEntries(
        (body.items as Item[]).map(({ metadata: { name, resourceVersion }, status: { state } }) => [
          name,
          { state, resourceVersion },
        ]),
      )
    },
    async close() {
      client.destroy()
      api.close()
      await Promise.all([hooks.close(), dynamodb.close(), rm(folder, { recursive: true })])
    },
  }
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
