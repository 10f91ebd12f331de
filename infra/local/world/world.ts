// The world that the functions act on: an embedded Kubernetes API with sample objects, an embedded Keycloak with the people that
// those speak of, an embedded DynamoDB where the lease lives there, and a kubeconfig in a folder of its own. Everything is made
// anew at every start and gone at the end.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DYNAMODB_ENVIRONMENT, type EmbeddedDynamodb, startDynamodb } from '../dynamodb/dynamodb.ts'
import { startKeycloak } from '../keycloak/server.ts'
import { type KubernetesApi, startKubernetesApi } from '../kubernetes/server.ts'
import type { Cleanups } from './cleanups.ts'
import { intervals } from './loops.ts'
import { LEASE_NAMESPACE, leaseNames, readCrds, readInstallation } from './manifests.ts'
import type { LeaseKind, Ports } from './options.ts'
import { type Places, sampleObjects, sampleRealms } from './samples.ts'
import { makeCertificate } from './tls/certificate.ts'
import { startTlsFront } from './tls/front.ts'

/** The lease table's name. */
export const LEASE_TABLE = 'fencepost-local-leases'
/**
 * What `fencepost.dev/drained` says in a world that was made a moment ago: token 0, the one before the first, has ended
 * cleanly, since no function can have written anything. Without it the first tick would settle for 15 s.
 */
const NOBODY_ACTED = 0

/** The AWS library tells every process on Node 20 that its versions of tomorrow won't run there. */
const QUIET = { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' }

/** A running world. */
export interface World {
  readonly kubernetes: KubernetesApi
  /** Only where the lease lives there. */
  readonly dynamodb: EmbeddedDynamodb | undefined
  /** Only where the objects are the samples, which speak of it. */
  readonly keycloak: { readonly url: string } | undefined
  /** Path of the kubeconfig. */
  readonly kubeconfig: string
  /** Environment of the functions, complete. */
  readonly environment: NodeJS.ProcessEnv
}

/**
 * Starts the servers and fills them.
 *
 * @param options `environment` is what the functions get besides; `cleanups` learns how each part is ended; `objects` to act on,
 *   by default the samples.
 * @throws Error – a port is taken, or an object is refused.
 */
export async function startWorld(options: {
  lease: LeaseKind
  ports: Ports
  environment: NodeJS.ProcessEnv
  cleanups: Cleanups
  objects?: readonly object[]
}): Promise<World> {
  const { lease, ports, environment, cleanups, objects } = options
  Object.assign(process.env, QUIET)
  const installation = await readInstallation()

  const kubernetes = await startKubernetesApi({ port: ports.kubernetes, crds: await readCrds() })
  cleanups.add('the embedded Kubernetes API', () => kubernetes.close())
  kubernetes.load(installation.map(object => (object.kind === 'Lease' ? drained(object) : object)))
  const places = objects ? undefined : await startAround(kubernetes.port, ports.keycloak, cleanups)
  kubernetes.load(objects ?? sampleObjects(Date.now(), places as Places))

  const dynamodb = lease === 'dynamodb' ? await startDynamodb({ port: ports.dynamodb }) : undefined
  if (dynamodb) {
    cleanups.add('the embedded DynamoDB', () => dynamodb.close())
    await dynamodb.createLeaseTable(LEASE_TABLE)
    for (const name of leaseNames(installation))
      await dynamodb.createLeaseItem(LEASE_TABLE, name, { drained: NOBODY_ACTED })
  }

  const folder = mkdtempSync(join(tmpdir(), 'fencepost-'))
  const remove = () => rmSync(folder, { recursive: true, force: true })
  process.on('exit', remove)
  cleanups.add('the folder with the kubeconfig', remove)
  const kubeconfig = join(folder, 'kubeconfig')
  writeFileSync(kubeconfig, kubernetes.kubeconfig(), { mode: 0o600 })

  return {
    kubernetes,
    dynamodb,
    keycloak: places && { url: places.keycloak },
    kubeconfig,
    environment: {
      ...withoutCloud(environment),
      ...DYNAMODB_ENVIRONMENT,
      ...QUIET,
      AWS_EC2_METADATA_DISABLED: 'true',
      KUBECONFIG: kubeconfig,
      LEASE: lease,
      LEASE_TABLE,
      DYNAMODB_ENDPOINT: dynamodb?.url ?? '',
      LEADER_ELECT_ID: 'fencepost',
      LEADER_ELECT_NAMESPACE: LEASE_NAMESPACE,
      ...intervals(),
      LOG_LEVEL: environment.LOG_LEVEL === 'DEBUG' ? 'DEBUG' : 'INFO',
    },
  }
}

/** Starts what the samples speak of: Keycloak, and TLS before the API, which is a cluster to be checked as well. */
async function startAround(kubernetesPort: number, port: number, cleanups: Cleanups): Promise<Places> {
  const made = makeCertificate(Date.now())
  const tls = { key: made.key, cert: made.certificate }
  const keycloak = await startKeycloak({ port, realms: sampleRealms(), tls })
  cleanups.add('the embedded Keycloak', () => keycloak.close())
  const front = await startTlsFront(kubernetesPort, made)
  cleanups.add('TLS before the embedded Kubernetes API', () => front.close())
  return { keycloak: keycloak.url, kubernetes: front.url, certificate: made.certificate }
}

function drained(lease: { metadata: object }): object {
  return {
    ...lease,
    metadata: { ...lease.metadata, annotations: { 'fencepost.dev/drained': String(NOBODY_ACTED) } },
  }
}

/** The shell's variables but those that could lead a function to a real cloud or cluster. */
function withoutCloud(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !/^(AWS|EKS|POD)_/.test(name)))
}
