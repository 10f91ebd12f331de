// An embedded Kubernetes API with upstream's CRDs, seen through the real transport. `before` runs ahead of each request, so
// that a test can be the other writer or the failure; `distort` changes what a read gives, for objects that a CRD would
// refuse to store.

import { readFileSync } from 'node:fs'
import { afterEach } from 'vitest'
import { parse } from 'yaml'
import { startKubernetesApi } from '../../../../infra/local/kubernetes/server.ts'
import type { ApiRequest, KubernetesApi, RawObject } from '../../../../lib/kubernetes/api.ts'
import { openTransport } from '../../../../lib/kubernetes/transport.ts'
import { systemClock } from '../../../../lib/time.ts'
import { T } from './fixtures.ts'

const CRDS = ['breakglasssessions', 'debugsessions'].map(name =>
  parse(readFileSync(new URL(`../../../../infra/local/crds/${name}.yaml`, import.meta.url), 'utf8')),
)
const GROUP = '/apis/breakglass.t-caas.telekom.com/v1alpha1'

export interface Harness {
  readonly api: KubernetesApi
  /** Every request through `api`, e.g. `GET breakglasssessions status.state=Approved`, `PATCH team/a`. */
  readonly requests: string[]
  before: (what: string) => Promise<void>
  distort: (raw: RawObject) => RawObject
  /** Objects per list page. */
  pageSize: number
  /** Reads a session past `before`. */
  get(key: string): Promise<RawObject | undefined>
  /** Merges into a session's status as another writer would. */
  change(key: string, status: Record<string, unknown>): Promise<void>
  remove(key: string): Promise<void>
  add(...raws: RawObject[]): void
  events(): Promise<Record<string, unknown>[]>
}

const running: (() => Promise<void>)[] = []
afterEach(async () => {
  await Promise.all(running.splice(0).map(stop => stop()))
})

/** Starts a server with these objects; it ends with the test. */
export async function startHarness(...raws: RawObject[]): Promise<Harness> {
  const server = await startKubernetesApi({ crds: CRDS, clock: () => T })
  const direct = openTransport(
    { server: new URL(server.url), tls: {}, headers: async () => ({}) },
    { clock: systemClock },
  )
  running.push(async () => {
    direct.close()
    await server.close()
  })
  const path = (key: string) => `${GROUP}/namespaces/${key.replace('/', '/breakglasssessions/')}`

  const harness: Harness = {
    requests: [],
    before: async () => {},
    distort: raw => raw,
    pageSize: 500,
    api: {
      ...direct,
      async request(ask, expected) {
        const what = describe(ask)
        harness.requests.push(what)
        await harness.before(what)
        const limit = ask.query?.limit && String(harness.pageSize)
        const answer = await direct.request({ ...ask, query: { ...ask.query, limit } }, expected)
        return { ...answer, body: distorted(answer.body as RawObject, harness.distort) }
      },
    },
    async get(key) {
      const answer = await direct.request({ method: 'GET', path: path(key), repeat: 'read' }, [404])
      return answer.status === 404 ? undefined : (answer.body as RawObject)
    },
    async change(key, status) {
      const contentType = 'application/merge-patch+json'
      const body = { status }
      await direct.request({ method: 'PATCH', path: `${path(key)}/status`, contentType, body, repeat: 'bound' })
    },
    async remove(key) {
      await direct.request({ method: 'DELETE', path: path(key), repeat: 'bound' })
    },
    add: (...added) => server.load(added.map(asNew)),
    async events() {
      const answer = await direct.request({ method: 'GET', path: '/apis/events.k8s.io/v1/events', repeat: 'read' })
      return (answer.body as { items: Record<string, unknown>[] }).items
    },
  }
  server.load(['team', 'other'].map(name => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })))
  harness.add(...raws)
  return harness
}

/** An object as it is created: without what the server sets, and without nulls. */
function asNew(raw: RawObject): object {
  const { uid: _uid, resourceVersion: _version, ...metadata } = raw.metadata
  return JSON.parse(JSON.stringify({ ...raw, metadata }, (_key, value) => value ?? undefined))
}

function distorted(body: RawObject & { items?: RawObject[] }, distort: (raw: RawObject) => RawObject): unknown {
  if (body.items) return { ...body, items: body.items.map(distort) }
  return body.metadata?.name ? distort(body) : body
}

function describe({ method, path, query }: ApiRequest): string {
  const steps = path.split('/').slice(4)
  const [namespace, plural, name] = steps[0] === 'namespaces' ? steps.slice(1) : [undefined, ...steps]
  const object = name === undefined ? plural : `${namespace}/${name}`
  return `${method} ${object} ${query?.fieldSelector ?? ''}`.trim()
}
