// The loop on an embedded API that holds the configurations, with everything it says and writes open to a test. A pass observes, plans
// and applies as a tick does; what it leaves is what the next one begins with.

import { readFileSync } from 'node:fs'
import { afterEach } from 'vitest'
import { parse } from 'yaml'
import { type KubernetesApi as EmbeddedApi, startKubernetesApi } from '../../../../infra/local/kubernetes/server.ts'
import { openWriter } from '../../../../lib/fence/writer.ts'
import type { RawObject } from '../../../../lib/kubernetes/api.ts'
import * as library from '../../../../lib/kubernetes/kubeconfig-library.ts'
import type { Condition } from '../../../../lib/kubernetes/resources/condition.ts'
import { openTransport } from '../../../../lib/kubernetes/transport.ts'
import { createConfigCheck } from '../../../../lib/reconcilers/config-check/index.ts'
import type { Cursor, Memory } from '../../../../lib/reconcilers/config-check/memory.ts'
import type { CheckAction, Looked } from '../../../../lib/reconcilers/config-check/plan.ts'
import type { Application, Page, Scope } from '../../../../lib/tick/reconciler.ts'
import { type Clock, momentIn, systemClock } from '../../../../lib/time.ts'
import { manualClock, T0 } from '../../../support/clock.ts'
import { recordingLog } from '../../../support/log.ts'

// Loaded ahead, so that no look waits for a file.
void library

const CRDS = ['clusterconfigs', 'identityproviders'].map(name =>
  parse(readFileSync(new URL(`../../../../infra/local/crds/${name}.yaml`, import.meta.url), 'utf8')),
)
const CONFIGS = '/apis/breakglass.t-caas.telekom.com/v1alpha1/namespaces/team/clusterconfigs'

const running: (() => Promise<void>)[] = []
afterEach(async () => {
  await Promise.all(running.splice(0).map(stop => stop()))
})

/** Ends a server with the test. */
export function ending<T extends { close(): Promise<void> }>(server: T): T {
  running.push(() => server.close())
  return server
}

/** What one pass came to. */
export interface Pass {
  readonly pages: readonly Page<Looked, Cursor>[]
  readonly actions: readonly CheckAction[]
  /** `namespace/name` of the objects that could not be judged, with the codes why. */
  readonly broken: readonly string[]
  /** What writing threw. */
  readonly thrown: readonly unknown[]
}

/** The hub of a test. */
export type Hub = Awaited<ReturnType<typeof startHub>>

/** Starts a hub with these objects, and with providers and Secrets among them. */
export async function startHub(objects: readonly object[] = [], clock: Clock = manualClock()) {
  const server = ending(await startKubernetesApi({ crds: CRDS, clock: () => T0 }))
  const connection = { server: new URL(server.url), tls: {}, headers: async () => ({}) }
  const api = openTransport(connection, { clock })
  const own = openTransport(connection, { clock: systemClock })
  running.push(async () => {
    api.close()
    own.close()
  })
  server.load([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team' } }])
  server.load(objects)

  const log = recordingLog()
  const counts: Record<string, number> = {}
  const metrics = {
    count: (name: string, amount = 1) => {
      counts[name] = (counts[name] ?? 0) + amount
    },
    duration: () => {},
    flush: () => {},
  }
  const loop = createConfigCheck({ api, log, metrics, clock })
  const grant = { token: 1, holder: 'fencepost-config-check/request/nonce', endsAt: momentIn(3_600_000, clock) }
  const gate = { api, fence: 'fencepost-config-check', grant, mode: 'advisory', clock } as const
  const stop = new AbortController()
  const application: Application = {
    writer: openWriter(gate),
    nowMs: T0,
    confirm: async () => {},
    signal: stop.signal,
  }
  let memory: Memory | undefined

  const hub = {
    server,
    log,
    counts,
    stop,
    application,
    loop,
    /** What the next pass will be given. */
    memory: () => memory,
    /** Runs a pass; a narrowed one neither reads nor leaves a memory. */
    async pass(scope: Scope = {}): Promise<Pass> {
      const isWhole = scope.names === undefined && scope.namespace === undefined
      const pages: Page<Looked, Cursor>[] = []
      const actions: CheckAction[] = []
      const thrown: unknown[] = []
      const observation = { from: undefined, ...(isWhole && { memory }), scope, nowMs: T0, signal: stop.signal }
      const seen = loop.observe(observation)[Symbol.asyncIterator]()
      for (let next = await seen.next(); ; next = await seen.next()) {
        if (next.done) {
          if (isWhole) memory = next.value as Memory
          break
        }
        pages.push(next.value)
        for (const action of loop.plan(next.value, T0)) {
          actions.push(action)
          await loop.apply(action, application).catch(error => thrown.push(error))
        }
      }
      const broken = pages.flatMap(page => page.broken).map(({ object, code }) => `${object} ${code}`)
      return { pages, actions, broken, thrown }
    },
    /** Reads a configuration past the loop. */
    async get(name: string): Promise<RawObject> {
      const { body } = await own.request({ method: 'GET', path: `${CONFIGS}/${name}`, repeat: 'read' })
      return body as RawObject
    },
    /** The Ready condition of a configuration, as `status reason`; `unset` where there is none. */
    async ready(name: string): Promise<string> {
      const condition = await hub.condition(name)
      return condition === undefined ? 'unset' : `${condition.status} ${condition.reason}`
    },
    async condition(name: string): Promise<Condition | undefined> {
      const { status } = (await hub.get(name)) as { status?: { conditions?: Condition[] } }
      return status?.conditions?.find(({ type }) => type === 'Ready')
    },
    /** Merges into a configuration, or into its status, as another writer does. */
    async change(name: string, body: object, part: '' | '/status' = ''): Promise<void> {
      const contentType = 'application/merge-patch+json'
      await own.request({ method: 'PATCH', path: `${CONFIGS}/${name}${part}`, contentType, body, repeat: 'bound' })
    },
    /** Reads a path past the loop. */
    read: async (path: string): Promise<unknown> => (await own.request({ method: 'GET', path, repeat: 'read' })).body,
    /** Sends what a test says, past the loop. */
    send: (method: 'POST' | 'PUT' | 'DELETE', path: string, body?: object) =>
      own.request({ method, path, ...(body && { body }), repeat: 'bound' }),
    /** `reason name` of every Event, in order of their names. */
    async events(): Promise<string[]> {
      return (await hub.eventObjects()).map(({ reason, regarding }) => `${reason} ${regarding.name}`)
    },
    async eventObjects(): Promise<{ type: string; reason: string; note: string; regarding: { name: string } }[]> {
      const { body } = await own.request({ method: 'GET', path: '/apis/events.k8s.io/v1/events', repeat: 'read' })
      return (body as { items: never[] }).items
    },
    /** Requests of the loop since the last look that change something, as `method path`. */
    writes(): string[] {
      const writes = server.requests.filter(({ method, path }) => method !== 'GET' && !path.endsWith('/token'))
      server.clearRequests()
      return writes.map(({ method, path }) => `${method} ${path.split('/').slice(-2).join('/')}`)
    },
  }
  server.clearRequests()
  return hub
}

/** A status whose Ready condition is True, as an earlier tick left it. */
export const WAS_READY = {
  conditions: [
    {
      type: 'Ready',
      status: 'True',
      reason: 'KubeconfigValidated',
      message: 'as before',
      lastTransitionTime: '2026-11-20T00:00:00Z',
      observedGeneration: 1,
    },
  ],
}

export type { EmbeddedApi }
