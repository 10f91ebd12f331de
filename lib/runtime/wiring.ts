// From configuration to objects: the only place where clients are built. One wiring lives as long as its sandbox and keeps
// connections; it never keeps anything of a term, since a sandbox may run another invocation after, or beside, this one.

import { type Config, type Environment, readAwsCredentials, readConfig } from '../config.ts'
import { type Fence, openFence } from '../fence/fence.ts'
import type { KubernetesApi } from '../kubernetes/api.ts'
import {
  type Connection,
  connectByKubeconfig,
  connectByKubeconfigText,
  connectToEks,
} from '../kubernetes/connection.ts'
import { readSecret } from '../kubernetes/secrets-manager.ts'
import { openTransport } from '../kubernetes/transport.ts'
import { dynamodbStore } from '../lease/dynamodb.ts'
import { openLease } from '../lease/fenced-lease.ts'
import { kubernetesStore } from '../lease/kubernetes.ts'
import type { Lease, LeaseStore } from '../lease/lease.ts'
import { memoryStore } from '../lease/memory.ts'
import { openUpstream, type Upstream } from '../lease/upstream/upstream.ts'
import { type Log, openLog } from '../telemetry/log.ts'
import { type Clock, MINUTE_MS, SECOND_MS, systemClock } from '../time.ts'

/** Everything an invocation needs that outlives it. */
export interface Wiring {
  readonly config: Config
  readonly clock: Clock
  readonly log: Log
  /** The API server; connected at the first call. */
  api(): Promise<KubernetesApi>
  /** The lease of a loop. */
  lease(loop: string): Promise<Lease>
  /** The fence of a loop. */
  fence(loop: string): Promise<Fence>
  /** The Lease that a live upstream elects by; undefined when none is configured. */
  upstream(): Promise<Upstream | undefined>
}

/**
 * Opens the wiring; reads the environment, connects to nothing yet.
 * @throws PermanentError – InvalidConfiguration.
 */
export function openWiring(environment?: Environment, clock: Clock = systemClock): Wiring {
  const config = readConfig(environment)
  const log = openLog(config.LEADER_ELECT_ID, config.LOG_LEVEL)
  const connectNow = async () => openTransport(await connect(config, clock), { clock })
  const api = config.KUBECONFIG_SECRET_ARN ? renewed(connectNow, SECRET_LIFE_MS, clock) : once(connectNow)
  const table = once(() => openTable(config))
  const memory = new Map<string, LeaseStore>()

  async function storeOf(name: string): Promise<LeaseStore> {
    if (!config.ENABLE_LEADER_ELECTION) {
      // Nobody acted in this process before it began, so that its first term has nothing to settle.
      const store = memory.get(name) ?? memoryStore(name, { drained: 0 })
      memory.set(name, store)
      return store
    }
    if (config.LEASE === 'dynamodb') return (await table())(name)
    return kubernetesStore(await api(), { namespace: config.leaseNamespace, name })
  }

  const nameOf = (loop: string) => `${config.LEADER_ELECT_ID}-${loop}`
  const lease = async (loop: string) =>
    openLease({ store: await storeOf(nameOf(loop)), name: nameOf(loop), clock, log })
  const fence = async (loop: string) =>
    openFence({ api: await api(), name: nameOf(loop), lease: await lease(loop), mode: config.FENCE, clock, log })
  const upstream = async () => {
    const [namespace, name] = config.UPSTREAM_LEASE?.split('/') ?? []
    if (!namespace || !name) return undefined
    const { UPSTREAM_MODE: mode, LEADER_ELECT_ID: installation } = config
    return openUpstream({ api: await api(), namespace, name, mode, installation, clock })
  }
  return { config, clock, log, api, lease, fence, upstream }
}

async function connect(config: Config, clock: Clock): Promise<Connection> {
  const { EKS_CLUSTER, EKS_ENDPOINT, EKS_CA, AWS_REGION } = config
  if (EKS_CLUSTER && EKS_ENDPOINT && EKS_CA && AWS_REGION) {
    const cluster = { name: EKS_CLUSTER, endpoint: EKS_ENDPOINT, certificateAuthority: EKS_CA, region: AWS_REGION }
    return connectToEks(cluster, readAwsCredentials, clock)
  }
  const library = await import('../kubernetes/kubeconfig-library.ts')
  const { KUBECONFIG_SECRET_ARN: arn, SECRETS_MANAGER_ENDPOINT: endpoint } = config
  if (!arn) return await connectByKubeconfig(library.KubeConfig, config.KUBECONFIG, clock)
  const text = await readSecret({ arn, credentials: readAwsCredentials(), clock, endpoint })
  return await connectByKubeconfigText(library, { text, where: `the kubeconfig in secret ${arn}` }, clock)
}

/** After which time a secret is read again, by the next invocation, and connections begin anew with what it says then. */
const SECRET_LIFE_MS = 10 * MINUTE_MS

/** How long DynamoDB may take to be connected to and to answer one try, ms. */
const DYNAMODB_LIMITS = { connectionTimeout: SECOND_MS, requestTimeout: 3 * SECOND_MS }

/** Opens the table; the client's chunk is loaded here and nowhere else. */
async function openTable(config: Config): Promise<(name: string) => LeaseStore> {
  const sdk = await import('../lease/dynamodb-client.ts')
  const client = new sdk.DynamoDBClient({
    maxAttempts: 3,
    requestHandler: DYNAMODB_LIMITS,
    ...(config.AWS_REGION ? { region: config.AWS_REGION } : {}),
    ...(config.DYNAMODB_ENDPOINT ? { endpoint: config.DYNAMODB_ENDPOINT } : {}),
  })
  const table = config.LEASE_TABLE as string
  return name => dynamodbStore({ sdk, client, table, name })
}

/** Makes a value at the first call and keeps it; a failure is not kept, so that the next invocation tries again. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => {
    made ??= make().catch(error => {
      made = undefined
      throw error
    })
    return made
  }
}

/**
 * Like `once`, but makes the value anew after `lifeMs`. The old one is not closed, since an invocation beside this one may
 * still use it; its idle connections end with the server's patience.
 */
function renewed<T>(make: () => Promise<T>, lifeMs: number, clock: Clock): () => Promise<T> {
  let current = once(make)
  let madeAtMs = Number.NEGATIVE_INFINITY
  return () => {
    const nowMs = clock.wallMs()
    if (Math.abs(nowMs - madeAtMs) >= lifeMs) {
      current = once(make)
      madeAtMs = nowMs
    }
    return current()
  }
}
