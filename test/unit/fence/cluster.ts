// An embedded API with upstream's sessions behind the fence of infra/kubernetes, as gates, canaries and raises see it.

import { readFileSync } from 'node:fs'
import { afterEach } from 'vitest'
import { parse } from 'yaml'
import { type KubernetesApi as EmbeddedApi, startKubernetesApi } from '../../../infra/local/kubernetes/server.ts'
import { FENCE, type FenceSpec } from '../../../lib/fence/fence.ts'
import { type KubernetesApi, type Method, pathOf, type RawObject, type Target } from '../../../lib/kubernetes/api.ts'
import { readObject } from '../../../lib/kubernetes/pages.ts'
import { BREAKGLASS_SESSIONS } from '../../../lib/kubernetes/resources/breakglass-session.ts'
import { openTransport } from '../../../lib/kubernetes/transport.ts'
import { FENCE_DEFINITION, FENCE_OBJECTS } from '../../support/fence.ts'
import { idleClock } from '../../support/idle-clock.ts'
import { rawSession, T } from '../reconcilers/cleanup/fixtures.ts'

/** The Fence of infra/kubernetes. */
export const NAME = 'fencepost-cleanup'
const CRDS = ['breakglasssessions', 'debugsessions'].map(
  name => parse(readFileSync(new URL(`../../../infra/local/crds/${name}.yaml`, import.meta.url), 'utf8')) as object,
)
const { signal } = new AbortController()

export interface Cluster {
  readonly server: EmbeddedApi
  /** The function's way there; its clock passes by itself. */
  readonly api: KubernetesApi
  readonly clock: ReturnType<typeof idleClock>
  /** What the function asked, as `PATCH 403 dry run`, oldest first, reads left out. */
  asked(): string[]
  /** An administrator's request. */
  admin(method: Method, path: string, body?: object): Promise<RawObject>
  /** Sets what the Fence says, past its rules where it must. */
  fence(spec: FenceSpec | undefined): Promise<void>
  session(name: string): Promise<(RawObject & { status?: { state: string } }) | undefined>
  target(name: string): Promise<Target>
}

const running: (() => Promise<void>)[] = []
afterEach(async () => {
  await Promise.all(running.splice(0).map(stop => stop()))
})

/** Starts it with these sessions in namespace `team`; it ends with the test. */
export async function startCluster(...sessions: string[]): Promise<Cluster> {
  const clock = idleClock(T)
  const server = await startKubernetesApi({ crds: [...CRDS, FENCE_DEFINITION], clock: clock.wallMs })
  server.load([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team' } }, ...FENCE_OBJECTS])
  server.load(sessions.map(name => rawSession(name, { metadata: { uid: undefined, resourceVersion: undefined } })))
  const connection = { server: new URL(server.url), tls: {}, headers: async () => ({}) }
  const api = openTransport(connection, { clock })
  const other = openTransport(connection, { clock })
  running.push(async () => {
    api.close()
    other.close()
    await server.close()
  })
  const path = pathOf(FENCE, { name: NAME })
  const admin: Cluster['admin'] = async (method, at, body) => {
    const kept = server.intercept
    server.intercept = undefined
    const contentType = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'
    const { body: answer } = await other.request({ method, path: at, contentType, body, repeat: 'bound' })
    server.intercept = kept
    return answer as RawObject
  }
  const session = (name: string) => readObject(other, BREAKGLASS_SESSIONS, { namespace: 'team', name }, signal)
  return {
    server,
    api,
    clock,
    admin,
    session,
    asked: () =>
      server.requests
        .filter(({ method, user }) => method !== 'GET' && user === `fencepost:${NAME}`)
        .map(({ method, status, query }) => `${method} ${status}${query.includes('dryRun') ? ' dry run' : ''}`),
    async fence(spec) {
      await admin('PATCH', path, { metadata: { annotations: { 'fencepost.dev/allow-deletion': 'true' } } })
      await admin('DELETE', path)
      const [fresh] = FENCE_OBJECTS
      await admin('POST', pathOf(FENCE), { ...fresh, ...(spec && { spec }) })
    },
    async target(name) {
      const { metadata } = (await session(name)) as RawObject
      const { uid, resourceVersion } = metadata
      return { resource: BREAKGLASS_SESSIONS, namespace: 'team', name, uid, resourceVersion }
    },
  }
}
