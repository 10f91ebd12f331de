// Where the API server is, how it is trusted, and who we are to it: from a kubeconfig (exec credentials included), from
// inside a cluster, or to EKS with a signed token. Credentials are asked for at every request and never kept in a message.

import type { RequestOptions } from 'node:https'
import { delimiter } from 'node:path'
import { PermanentError } from '../errors.ts'
import type { Clock } from '../time.ts'
import { type AwsCredentials, EKS_TOKEN_LIFE_MS, signEksToken } from './eks-token.ts'

/** What the transport needs to reach one API server. */
export interface Connection {
  /** `http:` or `https:`, host, port, and a path prefix if there is one. */
  readonly server: URL
  /** Certificates in PEM; `rejectUnauthorized: false` only where a kubeconfig says insecure-skip-tls-verify. */
  readonly tls: Pick<RequestOptions, 'ca' | 'cert' | 'key' | 'servername' | 'rejectUnauthorized'>
  /** The headers that authenticate one request. */
  headers(): Promise<Record<string, string>>
}

type KubeConfigClass = typeof import('./kubeconfig-library.ts').KubeConfig

/**
 * Connects as a kubeconfig's current context says.
 *
 * @param paths as in the variable KUBECONFIG, several joined by the platform's delimiter; undefined looks in
 *   `~/.kube/config`, then for a pod's service account.
 * @throws PermanentError – InvalidConfiguration, when there is none or it can't be used.
 */
export async function connectByKubeconfig(KubeConfig: KubeConfigClass, paths: string | undefined): Promise<Connection> {
  const config = new KubeConfig()
  const where = paths === undefined ? 'the default kubeconfig' : `kubeconfig ${paths}`
  try {
    if (paths === undefined) config.loadFromDefault()
    else loadFiles(config, KubeConfig, paths.split(delimiter).filter(Boolean))
  } catch (error) {
    throw unusable(where, `it can't be read (${(error as { code?: string }).code ?? 'it is not a kubeconfig'})`)
  }
  const cluster = config.getCurrentCluster()
  if (!cluster) throw unusable(where, `its current context "${config.getCurrentContext()}" names no cluster it has`)
  if (!URL.canParse(cluster.server)) throw unusable(where, `its server "${cluster.server}" is not a URL`)
  if (paths === undefined && cluster.server === LIBRARY_FALLBACK)
    throw unusable(where, 'there is none; set KUBECONFIG, or EKS_CLUSTER with EKS_ENDPOINT and EKS_CA')

  const first = await credentialsOf(config, where)
  const { ca, cert, key, servername, rejectUnauthorized } = first
  const tls = Object.fromEntries(
    Object.entries({ ca, cert, key, servername, rejectUnauthorized }).filter(([, value]) => value !== undefined),
  )
  return {
    server: new URL(cluster.server),
    tls,
    headers: async () => textHeaders(await credentialsOf(config, where)),
  }
}

/** What client-node falls back to when it finds no configuration at all; nothing of ours ever listens there. */
const LIBRARY_FALLBACK = 'http://localhost:8080'

function loadFiles(config: InstanceType<KubeConfigClass>, KubeConfig: KubeConfigClass, files: string[]): void {
  for (const [index, file] of files.entries()) {
    if (index === 0) config.loadFromFile(file)
    else {
      const next = new KubeConfig()
      next.loadFromFile(file)
      config.mergeConfig(next, true)
    }
  }
}

/** Runs an exec plugin where the kubeconfig names one; the library keeps its answer until it expires. */
async function credentialsOf(config: InstanceType<KubeConfigClass>, where: string): Promise<RequestOptions> {
  const options: RequestOptions = { headers: {} }
  try {
    await config.applyToHTTPSOptions(options)
    return options
  } catch {
    const command = config.getCurrentUser()?.exec?.command
    throw new PermanentError(
      'Unauthorized',
      `${where}: no credentials could be had${command ? ` from its exec command "${command}"` : ''}; run it by hand to see why`,
    )
  }
}

function textHeaders(options: RequestOptions): Record<string, string> {
  const headers = Object.entries((options.headers ?? {}) as Record<string, unknown>).map(([key, value]) => [
    key,
    String(value),
  ])
  if (options.auth) headers.push(['authorization', `Basic ${Buffer.from(options.auth).toString('base64')}`])
  return Object.fromEntries(headers) as Record<string, string>
}

function unusable(where: string, why: string): PermanentError {
  return new PermanentError('InvalidConfiguration', `${where}: ${why}`)
}

/** How an EKS cluster is addressed. */
export interface EksCluster {
  readonly name: string
  /** The cluster's API server endpoint, `https://…`. */
  readonly endpoint: string
  /** The cluster's certificate authority, base64 as EKS gives it. */
  readonly certificateAuthority: string
  readonly region: string
}

/**
 * Connects to EKS as the AWS identity in the environment.
 *
 * @param credentials read anew for every token, since a platform may replace them.
 */
export function connectToEks(cluster: EksCluster, credentials: () => AwsCredentials, clock: Clock): Connection {
  let token = ''
  let signedAtMs = Number.NEGATIVE_INFINITY
  return {
    server: new URL(cluster.endpoint),
    tls: { ca: Buffer.from(cluster.certificateAuthority, 'base64').toString('utf8') },
    async headers() {
      const nowMs = clock.wallMs()
      if (Math.abs(nowMs - signedAtMs) >= EKS_TOKEN_LIFE_MS) {
        token = signEksToken(cluster.name, cluster.region, credentials(), nowMs)
        signedAtMs = nowMs
      }
      return { authorization: `Bearer ${token}` }
    },
  }
}
