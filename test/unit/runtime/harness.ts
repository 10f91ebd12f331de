// The functions of the cleanup loop as the platform calls them, on an embedded API, with a clock that passes by itself.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Context } from 'aws-lambda'
import { afterEach } from 'vitest'
import type { ApiRequest } from '../../../infra/local/kubernetes/http/request.ts'
import { type KubernetesApi as EmbeddedApi, startKubernetesApi } from '../../../infra/local/kubernetes/server.ts'
import { readCrds } from '../../../infra/local/world/manifests.ts'
import type { KubernetesApi, RawObject } from '../../../lib/kubernetes/api.ts'
import { openTransport } from '../../../lib/kubernetes/transport.ts'
import { cleanup } from '../../../lib/runtime/loops/cleanup.ts'
import { manual } from '../../../lib/runtime/manual.ts'
import { scheduled } from '../../../lib/runtime/scheduled.ts'
import type { LoopStatus } from '../../../lib/runtime/status.ts'
import { openWiring, type Wiring } from '../../../lib/runtime/wiring.ts'
import type { TickOutcome } from '../../../lib/tick/outcome.ts'
import { type Clock, MINUTE_MS, systemClock, toInstant } from '../../../lib/time.ts'
import { FENCE_DEFINITION, FENCE_OBJECTS } from '../../support/fence.ts'
import { idleClock } from '../../support/idle-clock.ts'
import { recordingLog } from '../../support/log.ts'
import { at, hour, rawSession, T } from '../reconcilers/cleanup/fixtures.ts'

// The library that writes metrics reads this; they would only fill the screen.
process.env.POWERTOOLS_METRICS_DISABLED = 'true'

export const PERIOD_MS = 5 * MINUTE_MS
const NAMESPACE = 'fencepost-system'
const LEASE_PATH = `/apis/coordination.k8s.io/v1/namespaces/${NAMESPACE}/leases/fencepost-cleanup`
const SESSIONS = '/apis/breakglass.t-caas.telekom.com/v1alpha1/namespaces/team/breakglasssessions'

/** Whether a request writes a work object: not the lease, not the fence, and no dry run. */
export function isWork({
  method,
  user,
  query,
}: Pick<ApiRequest, 'method' | 'user'> & { query: URLSearchParams }): boolean {
  return method !== 'GET' && user.username === 'fencepost:fencepost-cleanup' && !query.has('dryRun')
}

/** A session that is to be expired now. */
export function overdue(name: string): RawObject {
  return rawSession(name, { status: { expiresAt: at(-hour) } })
}

/** How a test starts. */
export interface Start {
  readonly sessions?: readonly RawObject[]
  /** Bearer tokens and their users; default: anyone is let in. */
  readonly tokens?: Record<string, string>
  /** CustomResourceDefinitions instead of upstream's. */
  readonly crds?: readonly object[]
  /** Default: one that passes by itself. */
  readonly clock?: Clock
  /** false: there is none. Default: one that nobody has held, with nothing to settle. */
  readonly lease?: boolean
}

/** What the platform says about an invocation. */
export interface Call {
  /** Default: a new one for each. */
  readonly requestId?: string
  /** Default 60 s. */
  readonly remainingMs?: number
}

/** An embedded cluster and the two functions. */
export interface Functions {
  readonly server: EmbeddedApi
  readonly clock: ReturnType<typeof idleClock>
  readonly log: ReturnType<typeof recordingLog>
  /** A client of the test's own, which no fault reaches. */
  readonly api: KubernetesApi
  /** Variables of the functions; change them before the first call. */
  readonly environment: Record<string, string>
  /** Starts a new sandbox: nothing is kept of the environment, connections and credentials of the one before. */
  restart(): void
  /** Calls the scheduled function for the tick that is due by the clock, or with an event. */
  tick(call?: Call & { event?: unknown }): Promise<TickOutcome>
  /** Calls the manual function. */
  reconcile<Answer = TickOutcome>(event: unknown, call?: Call): Promise<Answer>
  /** Asks the manual function for the lease. */
  status(): Promise<LoopStatus>
  /** Reads the Lease; undefined when there is none. */
  lease(): Promise<RawObject | undefined>
  /** Changes the Lease as another writer does. */
  changeLease(change: { metadata?: object; spec?: object }): Promise<void>
  /** The state of each session, e.g. `{ a: 'Expired' }`. */
  states(): Promise<Record<string, unknown>>
  /** Names of the Events about sessions, without what makes them unique, in order. */
  events(): Promise<string[]>
  /** What the functions sent other than reads. */
  writes(): string[]
}

const running: (() => Promise<void>)[] = []
afterEach(async () => {
  await Promise.all(running.splice(0).map(stop => stop()))
})

/** Starts a cluster; it ends with the test. */
export async function startFunctions(start: Start = {}): Promise<Functions> {
  const { sessions = [], lease = true } = start
  const crds = start.crds ? [...start.crds, FENCE_DEFINITION] : await readCrds()
  const clock = { advance: () => {}, ...(start.clock ?? idleClock(T)) }
  const server = await startKubernetesApi({
    crds,
    clock: () => clock.wallMs(),
    ...(start.tokens ? { tokens: start.tokens } : {}),
  })
  const [token] = Object.keys(start.tokens ?? {})
  const folder = mkdtempSync(join(tmpdir(), 'fencepost-'))
  writeFileSync(join(folder, 'kubeconfig'), server.kubeconfig(token))
  server.load([NAMESPACE, 'team'].map(name => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })))
  server.load(sessions.map(asNew))
  server.load(FENCE_OBJECTS)
  if (lease) server.load([newLease()])

  const opened: Wiring[] = []
  const log = recordingLog()
  const environment: Record<string, string> = { KUBECONFIG: join(folder, 'kubeconfig'), LOG_LEVEL: 'ERROR' }
  const open = () => {
    const wiring = { ...openWiring(environment, clock), log }
    opened.push(wiring)
    return wiring
  }
  await import('../../../lib/kubernetes/kubeconfig-library.ts')
  const coldStart = () => ({ scheduled: scheduled(cleanup, open), manual: manual([cleanup], open) })
  let functions = coldStart()

  const own = openTransport(
    { server: new URL(server.url), tls: {}, headers: async () => ({ authorization: `Bearer ${OWN_TOKEN}` }) },
    { clock: systemClock },
  )
  if (start.tokens) start.tokens[OWN_TOKEN] = 'test'
  /** Past the faults, and unseen by what counts requests. */
  async function past<T>(work: () => Promise<T>): Promise<T> {
    const { intercept } = server
    const before = [...server.requests]
    server.intercept = undefined
    const result = await work()
    server.clearRequests()
    ;(server.requests as unknown[]).push(...before)
    server.intercept = intercept
    return result
  }
  const api: KubernetesApi = { ...own, request: (...ask) => past(() => own.request(...ask)) }
  running.push(async () => {
    for (const wiring of opened)
      await wiring.api().then(
        pool => pool.close(),
        () => {},
      )
    own.close()
    await server.close()
    rmSync(folder, { recursive: true })
  })

  let calls = 0
  const contextOf = ({ requestId, remainingMs = MINUTE_MS }: Call = {}): Context => {
    const endsAtMs = clock.monotonicMs() + remainingMs
    return {
      awsRequestId: requestId ?? `request-${calls++}`,
      getRemainingTimeInMillis: () => endsAtMs - clock.monotonicMs(),
    } as Context
  }
  const reconcile = <Answer>(event: unknown, call?: Call) => functions.manual(event, contextOf(call)) as Promise<Answer>

  return {
    server,
    clock,
    log,
    api,
    environment,
    restart: () => {
      functions = coldStart()
    },
    tick: ({ event = { time: toInstant(Math.floor(clock.wallMs() / PERIOD_MS) * PERIOD_MS) }, ...call } = {}) =>
      functions.scheduled(event, contextOf(call)) as Promise<TickOutcome>,
    reconcile,
    status: () => reconcile<LoopStatus>({ loop: 'cleanup', action: 'status' }),
    async lease() {
      const answer = await api.request({ method: 'GET', path: LEASE_PATH, repeat: 'read' }, [404])
      return answer.status === 404 ? undefined : (answer.body as RawObject)
    },
    async changeLease(change) {
      const contentType = 'application/merge-patch+json'
      await api.request({ method: 'PATCH', path: LEASE_PATH, contentType, body: change, repeat: 'bound' })
    },
    async states() {
      const answer = await api.request({ method: 'GET', path: SESSIONS, repeat: 'read' })
      const { items } = answer.body as { items: (RawObject & { status?: { state?: unknown } })[] }
      return Object.fromEntries(items.map(({ metadata, status }) => [metadata.name, status?.state]))
    },
    async events() {
      const answer = await api.request({ method: 'GET', path: '/apis/events.k8s.io/v1/events', repeat: 'read' })
      const { items } = answer.body as { items: RawObject[] }
      return items.map(({ metadata }) => metadata.name.replace(/\.[0-9a-f]{16}$/, '')).sort()
    },
    writes: () =>
      server.requests
        .filter(({ method }) => method !== 'GET')
        .map(({ method, path }) => `${method} ${path.split('/').slice(-2).join('/')}`),
  }
}

const OWN_TOKEN = 'of-the-test'

/** The Lease as a manifest makes it, and with a word that nobody has acted before. */
export function newLease(): object {
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name: 'fencepost-cleanup', namespace: NAMESPACE, annotations: { 'fencepost.dev/drained': '0' } },
  }
}

/** An object as it is created: without what the server sets, and without nulls. */
function asNew(raw: RawObject): object {
  const { uid: _uid, resourceVersion: _version, ...metadata } = raw.metadata
  return JSON.parse(JSON.stringify({ ...raw, metadata }, (_key, value) => value ?? undefined)) as object
}
