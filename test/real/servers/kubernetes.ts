// A real Kubernetes API: one or more kube-apiservers over an etcd of their own, all on 127.0.0.1, with RBAC and users of our
// choice. No controller runs beside them: a deleted namespace stays Terminating, and owner references are not followed.

import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { get } from 'node:https'
import { join } from 'node:path'
import { freePort, type Kept, keepServer } from './process/kept.ts'
import { temporaryFolder } from './tools.ts'

/** A running API server. */
export interface ApiServer {
  /** A kubeconfig file of an administrator. */
  readonly kubeconfig: string
  stop(): Promise<void>
}

/** A running Kubernetes API and its first API server; `stop` ends all of them. */
export interface KubernetesServer extends ApiServer {
  /** Bearer tokens by user name. */
  readonly tokens: Readonly<Record<string, string>>
  /** Where etcd listens, in clear text. */
  readonly etcd: string
  /**
   * Starts one more API server, with the same keys, users and flags.
   * @param etcd another way to the same etcd; default the direct one.
   */
  addApiServer(etcd?: string): Promise<ApiServer>
}

/**
 * Starts etcd and kube-apiserver, and waits until they are ready.
 *
 * @param binaries the folder that has both.
 * @param users names of users without any right, besides the administrator.
 * @throws Error – with what it said last, when a server ends instead.
 */
export async function startKubernetes(binaries: string, users: readonly string[]): Promise<KubernetesServer> {
  const { server: etcd, url } = await startEtcd(join(binaries, 'etcd'))
  const running: { stop(): Promise<void> }[] = [etcd]
  const stop = async () => {
    for (const server of running.splice(0).reverse()) await server.stop()
  }
  const command = join(binaries, 'kube-apiserver')
  const tokens = Object.fromEntries(['administrator', ...users].map(user => [user, randomBytes(24).toString('hex')]))
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
  const addApiServer = async (way = url): Promise<ApiServer> => {
    const { server, kubeconfig } = await startApiServer({ command, etcd: way, tokens, key })
    running.push(server)
    return { kubeconfig, stop: () => server.stop() }
  }
  try {
    const { kubeconfig } = await addApiServer()
    return { kubeconfig, tokens, etcd: url, addApiServer, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function startEtcd(command: string): Promise<{ server: Kept; url: string }> {
  const url = `http://127.0.0.1:${await freePort()}`
  const peers = `http://127.0.0.1:${await freePort()}`
  const args = [
    ...['--listen-client-urls', url, '--advertise-client-urls', url],
    ...['--listen-peer-urls', peers, '--initial-advertise-peer-urls', peers, '--initial-cluster', `default=${peers}`],
    ...['--data-dir', 'data', '--log-level', 'warn', '--unsafe-no-fsync'],
  ]
  const isReady = () =>
    fetch(`${url}/health`).then(
      ({ ok }) => ok,
      () => false,
    )
  return { server: await keepServer({ command, args, folder: await temporaryFolder() }, isReady), url }
}

/** What all API servers of a cluster share, and the way of one of them to etcd. */
interface ApiServerOptions {
  readonly command: string
  readonly etcd: string
  readonly tokens: Readonly<Record<string, string>>
  /** PEM; signs service accounts' tokens. */
  readonly key: string
}

async function startApiServer(options: ApiServerOptions): Promise<{ server: Kept; kubeconfig: string }> {
  const { command, etcd, tokens, key } = options
  const folder = await temporaryFolder()
  const port = await freePort()
  await writeFile(join(folder, 'key.pem'), key)
  const users = Object.entries(tokens).map(([user, token]) =>
    [token, user, user, user === 'administrator' ? '"system:masters"' : '""'].join(','),
  )
  await writeFile(join(folder, 'tokens.csv'), `${users.join('\n')}\n`)
  const args = [
    `--etcd-servers=${etcd}`,
    '--bind-address=127.0.0.1',
    `--secure-port=${port}`,
    '--cert-dir=.',
    '--service-account-issuer=https://fencepost.test',
    '--service-account-key-file=key.pem',
    '--service-account-signing-key-file=key.pem',
    '--token-auth-file=tokens.csv',
    '--authorization-mode=RBAC',
    '--service-cluster-ip-range=10.0.0.0/24',
    '--disable-admission-plugins=ServiceAccount',
    '--endpoint-reconciler-type=none',
    '--allow-privileged=true',
  ]
  const server = await keepServer({ command, args, folder }, () =>
    isReady({ folder, port, token: tokens.administrator as string }),
  )
  const kubeconfig = join(folder, 'kubeconfig')
  await writeFile(kubeconfig, toKubeconfig({ folder, port, token: tokens.administrator as string }))
  return { server, kubeconfig }
}

/** How an API server is reached: it writes a certificate of its own, and the one that signed it, into its folder. */
interface Address {
  readonly folder: string
  readonly port: number
  readonly token: string
}

const certificates = ({ folder }: Address) => join(folder, 'apiserver.crt')

function isReady(address: Address): Promise<boolean> {
  if (!existsSync(certificates(address))) return Promise.resolve(false)
  const { port, token } = address
  const options = {
    ca: readFileSync(certificates(address)),
    headers: { authorization: `Bearer ${token}` },
    agent: false,
  }
  return new Promise(resolve => {
    get(`https://127.0.0.1:${port}/readyz`, options, response => {
      response.resume()
      resolve(response.statusCode === 200)
    }).on('error', () => resolve(false))
  })
}

function toKubeconfig({ port, token, ...address }: Address): string {
  const ca = readFileSync(certificates({ port, token, ...address })).toString('base64')
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'real',
    clusters: [{ name: 'real', cluster: { server: `https://127.0.0.1:${port}`, 'certificate-authority-data': ca } }],
    users: [{ name: 'administrator', user: { token } }],
    contexts: [{ name: 'real', context: { cluster: 'real', user: 'administrator' } }],
  })
}
