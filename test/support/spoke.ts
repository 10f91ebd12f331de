// Clusters as a ClusterConfig leads to them: an embedded Kubernetes API behind TLS, and the objects that describe the way there. Also
// servers that take a connection and say nothing.

import { readFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { type KubernetesApi, startKubernetesApi } from '../../infra/local/kubernetes/server.ts'

const pem = (name: string) => readFileSync(new URL(`./tls/${name}.pem`, import.meta.url), 'utf8')
/** The authority that signed the certificate of every server here (127.0.0.1, localhost). */
export const CA = pem('ca')
/** One that did not. */
export const OTHER_CA = pem('other-ca')
/** Certificate and key of every server here. */
export const SERVER_TLS = { cert: pem('server'), key: pem('server-key') }

/** A running cluster. */
export interface Spoke {
  /** `https://127.0.0.1:<port>`. */
  readonly url: string
  /** The API behind TLS; its `intercept` may answer in its place, or leave requests hanging. */
  readonly api: KubernetesApi
  /** Resolves once so many requests have been left hanging since the start. */
  hanging(count: number): Promise<void>
  /** Connections that are open. */
  connections(): number
  /** Leaves requests hanging that `which` says; default: all. */
  hang(which?: (path: string) => boolean): void
  close(): Promise<void>
}

/** The token that a spoke knows by default. */
export const TOKEN = 'token-of-the-spoke'

/** Starts a cluster that knows the holders of `tokens` and nobody else. */
export async function startSpoke(tokens: Record<string, string> = { [TOKEN]: 'ann' }): Promise<Spoke> {
  const api = await startKubernetesApi({ tokens })
  const sockets = new Set<Socket>()
  const server = createTlsServer(SERVER_TLS, outer => {
    const inner = connect(api.port, '127.0.0.1')
    for (const [socket, other] of [
      [outer, inner],
      [inner, outer],
    ] as const) {
      sockets.add(socket)
      socket.on('error', () => other.destroy())
      socket.on('close', () => {
        sockets.delete(socket)
        other.destroy()
      })
      socket.pipe(other)
    }
  })
  server.on('tlsClientError', () => {})
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  let held = 0
  const waiting = new Set<() => void>()
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    api,
    hang(which = () => true) {
      api.intercept = ({ path }) => {
        if (!which(path)) return undefined
        held++
        for (const look of waiting) look()
        return 'hang'
      }
    },
    connections: () => sockets.size / 2,
    hanging: count =>
      new Promise(resolve => {
        const look = () => {
          if (held < count) return
          waiting.delete(look)
          resolve()
        }
        waiting.add(look)
        look()
      }),
    async close() {
      for (const socket of sockets) socket.destroy()
      await Promise.all([new Promise(resolve => server.close(resolve)), api.close()])
    },
  }
}

/** Starts a server that takes connections and never says a word, not even of TLS. */
export async function startSilence(): Promise<{ url: string; connected: Promise<void>; close(): Promise<void> }> {
  const sockets = new Set<Socket>()
  let tell = () => {}
  const connected = new Promise<void>(resolve => {
    tell = resolve
  })
  const server = createServer(socket => {
    sockets.add(socket)
    socket.on('error', () => {})
    tell()
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connected,
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

/** What a kubeconfig says besides the usual; a test breaks what it is about. */
export interface KubeconfigChanges {
  readonly cluster?: Record<string, unknown>
  readonly user?: Record<string, unknown>
  readonly [field: string]: unknown
}

const base64 = (text: string) => Buffer.from(text).toString('base64')

/** The text of a kubeconfig for a server. */
export function kubeconfigOf(url: string, { cluster, user, ...rest }: KubeconfigChanges = {}): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'way',
    clusters: [{ name: 'there', cluster: { server: url, 'certificate-authority-data': base64(CA), ...cluster } }],
    users: [{ name: 'ann', user: user ?? { token: TOKEN } }],
    contexts: [{ name: 'way', context: { cluster: 'there', user: 'ann' } }],
    ...rest,
  })
}

/** A Secret in namespace `team`. */
export function secret(name: string, values: Record<string, string>): object {
  const data = Object.fromEntries(Object.entries(values).map(([key, value]) => [key, base64(value)]))
  return { apiVersion: 'v1', kind: 'Secret', metadata: { namespace: 'team', name }, data }
}

/** A ClusterConfig in namespace `team`. */
export function clusterConfig(name: string, spec: object, status?: object): object {
  return {
    apiVersion: 'breakglass.t-caas.telekom.com/v1alpha1',
    kind: 'ClusterConfig',
    metadata: { namespace: 'team', name },
    spec,
    ...(status && { status }),
  }
}

/** A cluster that is reached by a kubeconfig: its ClusterConfig and its Secret, both of that name. */
export function byKubeconfig(name: string, kubeconfig: string, status?: object): object[] {
  const spec = { authType: 'Kubeconfig', kubeconfigSecretRef: { namespace: 'team', name } }
  return [secret(name, { value: kubeconfig }), clusterConfig(name, spec, status)]
}
