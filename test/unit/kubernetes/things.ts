// A kind of its own on an embedded API, for tests of pages and writes: anything may stand in a thing's spec and status.

import { afterEach } from 'vitest'
import { type KubernetesApi as EmbeddedApi, startKubernetesApi } from '../../../infra/local/kubernetes/server.ts'
import type { KubernetesApi, RawObject, Resource, Target } from '../../../lib/kubernetes/api.ts'
import { readObject } from '../../../lib/kubernetes/pages.ts'
import { openTransport } from '../../../lib/kubernetes/transport.ts'
import { systemClock } from '../../../lib/time.ts'

export const THINGS: Resource = {
  group: 'test.example',
  version: 'v1',
  kind: 'Thing',
  plural: 'things',
  namespaced: true,
}

const anything = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }

function definition(selectableFields?: { jsonPath: string }[]): object {
  const properties = { spec: anything, status: { ...anything, properties: { state: { type: 'string' } } } }
  const version = {
    name: 'v1',
    served: true,
    storage: true,
    subresources: { status: {} },
    schema: { openAPIV3Schema: { type: 'object', properties } },
    ...(selectableFields ? { selectableFields } : {}),
  }
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'things.test.example' },
    spec: {
      group: THINGS.group,
      names: { kind: 'Thing', listKind: 'ThingList', plural: 'things', singular: 'thing' },
      scope: 'Namespaced',
      versions: [version],
    },
  }
}

/** A thing in namespace `team` as it is created. */
export function thing(name: string, changes: { metadata?: object; status?: object } = {}): object {
  const { metadata = {}, status = { state: 'due' } } = changes
  return { apiVersion: 'test.example/v1', kind: 'Thing', metadata: { name, namespace: 'team', ...metadata }, status }
}

export interface Things {
  readonly server: EmbeddedApi
  readonly api: KubernetesApi
  /** Reads a thing as it is now. */
  get(name: string): Promise<RawObject | undefined>
  /** What a write to a thing as it is now is bound to. */
  target(name: string): Promise<Target>
  /** Merges into a thing's status as another writer would. */
  change(name: string, status: object): Promise<void>
}

const running: (() => Promise<void>)[] = []
afterEach(async () => {
  await Promise.all(running.splice(0).map(stop => stop()))
})

/** Starts a server with these objects; it ends with the test. */
export async function startThings(
  objects: readonly object[] = [],
  options: { isSelectable?: boolean } = {},
): Promise<Things> {
  const { isSelectable = true } = options
  const server = await startKubernetesApi({
    crds: [definition(isSelectable ? [{ jsonPath: '.status.state' }] : undefined)],
  })
  server.load(['team', 'other', 'team-b'].map(name => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })))
  server.load(objects)
  const connection = { server: new URL(server.url), tls: {}, headers: async () => ({}) }
  // Waits between tries pass at once; the limits of tries are the machine's.
  const clock = {
    ...systemClock,
    sleep: (ms: number, signal?: AbortSignal) => systemClock.sleep(ms < 5_000 ? 0 : ms, signal),
  }
  const api = openTransport(connection, { clock })
  const other = openTransport(connection, { clock: systemClock })
  running.push(async () => {
    api.close()
    other.close()
    await server.close()
  })
  const { signal } = new AbortController()
  const get = (name: string) => readObject(other, THINGS, { namespace: 'team', name }, signal)
  return {
    server,
    api,
    get,
    async target(name) {
      const { metadata } = (await get(name)) as RawObject
      return { resource: THINGS, namespace: 'team', name, uid: metadata.uid, resourceVersion: metadata.resourceVersion }
    },
    async change(name, status) {
      const path = `/apis/test.example/v1/namespaces/team/things/${name}/status`
      const contentType = 'application/merge-patch+json'
      await other.request({ method: 'PATCH', path, contentType, body: { status }, repeat: 'bound' })
    },
  }
}
