// Where the API server is, how it is trusted, and who we are to it: from a kubeconfig (exec credentials included), from
// inside a cluster, or to EKS with a signed token. Credentials are asked for at every request and never kept in a message.

import type { RequestOptions } from 'node:https'
import { delimiter } from 'node:path'
import { createSecureContext } from 'node:tls'
import type { AwsCredentials } from '../config.ts'
import { PermanentError } from '../errors.ts'
import type { Endpoint } from '../http/exchange.ts'
import { type Clock, describeMs, SECOND_MS, systemClock, within } from '../time.ts'
import { EKS_TOKEN_LIFE_MS, signEksToken } from './eks-token.ts'
import { KubeconfigRefused, selfContained } from './kubeconfig-text.ts'

/** What the transport needs to reach one API server. */
export interface Connection extends Endpoint {
  /** The headers that authenticate one request. */
  headers(): Promise<Record<string, string>>
}

type KubeConfigLibrary = typeof import('./kubeconfig-library.ts')
type KubeConfigClass = KubeConfigLibrary['KubeConfig']

/** A kubeconfig that was read, and how messages speak of it. */
interface Source {
  readonly config: InstanceType<KubeConfigClass>
  /** Names where it is from. */
  readonly where: string
  /** A value out of it, in quotes and with a space before it; nothing where none may be told. */
  told(value: string | null | undefined): string
}

/**
 * Connects as a kubeconfig's current context says.
 *
 * @param paths as in the variable KUBECONFIG, several joined by the platform's delimiter; undefined looks in
 *   `~/.kube/config`, then for a pod's service account.
 * @param clock limits how long credentials may take.
 * @throws PermanentError – InvalidConfiguration, when there is none or it can't be used; Unauthorized, when it gives no
 *   credentials.
 */
export async function connectByKubeconfig(
  KubeConfig: KubeConfigClass,
  paths: string | undefined,
  clock: Clock = systemClock,
): Promise<Connection> {
  const config = new KubeConfig()
  const where = paths === undefined ? 'the default kubeconfig' : `kubeconfig ${paths}`
  try {
    if (paths === undefined) config.loadFromDefault()
    else loadFiles(config, KubeConfig, paths.split(delimiter).filter(Boolean))
  } catch (error) {
    throw unusable(where, `it can't be read (${(error as { code?: string }).code ?? 'it is not a kubeconfig'})`)
  }
  if (paths === undefined && config.getCurrentCluster()?.server === LIBRARY_FALLBACK)
    throw unusable(where, 'there is none; set KUBECONFIG, or EKS_CLUSTER with EKS_ENDPOINT and EKS_CA')
  return await connectBy({ config, where, told: value => ` "${value}"` }, clock)
}

/**
 * Connects as the text of a kubeconfig says, which must carry its credentials itself: no commands, no files. No message
 * tells anything that is in it.
 *
 * @param where names its source in messages.
 * @throws KubeconfigRefused – it leads outside its text. PermanentError – InvalidConfiguration, when it can't be used.
 */
export async function connectByKubeconfigText(
  { KubeConfig, load }: KubeConfigLibrary,
  { text, where }: { readonly text: string; readonly where: string },
  clock: Clock = systemClock,
): Promise<Connection> {
  const config = new KubeConfig()
  const checked = selfContained(text, load, where)
  try {
    config.loadFromString(checked)
  } catch {
    throw unusable(where, "it can't be read (it is not a kubeconfig)")
  }
  return await connectBy({ config, where, told: () => '' }, clock)
}

async function connectBy(source: Source, clock: Clock): Promise<Connection> {
  const { config, where, told } = source
  const cluster = config.getCurrentCluster()
  const context = told(config.getCurrentContext() ?? '')
  if (!cluster) throw unusable(where, `its current context${context} names no cluster it has`)
  if (!config.getCurrentUser()) throw unusable(where, `its current context${context} names no user it has`)
  if (!/^https?:/.test(cluster.server) || !URL.canParse(cluster.server))
    throw unusable(where, `its server${told(cluster.server)} is not an https URL`)
  if (cluster.proxyUrl) throw unusable(where, 'its proxy-url is not supported; reach the server directly')
  const server = new URL(cluster.server)
  if (server.protocol === 'http:') allowPlainHttp(source, server)

  const first = await credentialsOf(config, where, clock)
  const { ca, cert, key, servername, rejectUnauthorized } = first
  const tls = Object.fromEntries(
    Object.entries({ ca, cert, key, servername, rejectUnauthorized }).filter(([, value]) => value !== undefined),
  )
  try {
    createSecureContext(tls)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw unusable(where, `its client certificate and key can't be used (${code})`)
  }
  return {
    server,
    tls,
    headers: async () => textHeaders(await credentialsOf(config, where, clock)),
  }
}

/** What client-node falls back to when it finds no configuration at all; nothing of ours ever listens there. */
const LIBRARY_FALLBACK = 'http://localhost:8080'

/**
 * Lets the library accept a plain HTTP server, which it does only with insecure-skip-tls-verify.
 * @throws KubeconfigRefused – unless it is this machine's own, or the kubeconfig says insecure-skip-tls-verify: credentials
 *   would cross a network in clear text.
 */
function allowPlainHttp({ config, where, told }: Source, server: URL): void {
  const isOwn = ['127.0.0.1', '[::1]', 'localhost'].includes(server.hostname)
  if (!isOwn && !config.getCurrentCluster()?.skipTLSVerify)
    throw new KubeconfigRefused(
      'plain-http',
      `${where}: its server${told(server.origin)} is plain HTTP on another machine; use https`,
    )
  config.clusters = config.clusters.map(cluster => ({ ...cluster, skipTLSVerify: true }))
}

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

/** The longest that a kubeconfig's exec command may take, ms. */
const CREDENTIALS_LIMIT_MS = 10 * SECOND_MS

/** Runs an exec plugin where the kubeconfig names one; the library keeps its answer until it expires. */
async function credentialsOf(
  config: InstanceType<KubeConfigClass>,
  where: string,
  clock: Clock,
): Promise<RequestOptions> {
  const options: RequestOptions = { headers: {} }
  const command = config.getCurrentUser()?.exec?.command
  const isHad = await within(clock, CREDENTIALS_LIMIT_MS, signal =>
    Promise.race([config.applyToHTTPSOptions(options).then(() => true), aborted(signal).then(() => false)]),
  ).catch(error => {
    const { code, syscall, path } = error as NodeJS.ErrnoException
    if (syscall === 'open') throw unusable(where, `its file ${path} can't be read (${code})`)
    throw noCredentials(where, command, 'run it by hand to see why')
  })
  const isEmpty = !options.cert && !(options.headers as Record<string, unknown>).Authorization
  if (command !== undefined && isEmpty && isHad) throw noCredentials(where, command, 'run it by hand to see why')
  if (!isHad) throw noCredentials(where, command, `it did not end within ${describeMs(CREDENTIALS_LIMIT_MS)}`)
  return options
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => signal.addEventListener('abort', () => resolve(), { once: true }))
}

function noCredentials(where: string, command: string | undefined, hint: string): PermanentError {
  const source =
    command === undefined
      ? 'none of its credentials can be used'
      : `its exec command "${command}" gave no credentials; ${hint}`
  return new PermanentError('Unauthorized', `${where}: ${source}`)
}

/** The headers as they can be sent: a token out of a file may end with a line break. */
function textHeaders(options: RequestOptions): Record<string, string> {
  const headers = Object.entries((options.headers ?? {}) as Record<string, unknown>).map(([key, value]) => [
    key,
    String(value).trim(),
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
