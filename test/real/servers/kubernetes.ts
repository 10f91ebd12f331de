// A real Kubernetes API: kube-apiserver over an etcd of its own, both on 127.0.0.1, with RBAC and users of our choice. No
// controller runs beside it: a deleted namespace stays Terminating, and owner references are not followed.

import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { get } from 'node:https'
import { join } from 'node:path'
import { freePort, type Kept, keepServer } from './process/kept.ts'
import { temporaryFolder } from './tools.ts'

/** A running API server. */
export interface KubernetesServer {
  /** A kubeconfig file of an administrator. */
  readonly kubeconfig: string
  /** Bearer tokens by user name. */
  readonly tokens: Readonly<Record<string, string>>
  stop(): Promise<void>
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
  try {
    const tokens = Object.fromEntries(['administrator', ...users].map(user => [user, randomBytes(24).toString('hex')]))
    const { server, kubeconfig } = await startApiServer(join(binaries, 'kube-apiserver'), url, tokens)
    return {
      kubeconfig,
      tokens,
      async stop() {
        await server.stop()
        await etcd.stop()
      },
    }
  } catch (error) {
    await etcd.stop()
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

async function startApiServer(
  command: string,
  etcd: string,
  tokens: Readonly<Record<string, string>>,
): Promise<{ server: Kept; kubeconfig: string }> {
  const folder = await temporaryFolder()
  const port = await freePort()
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  await writeFile(join(folder, 'key.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }))
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
