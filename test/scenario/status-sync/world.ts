// The functions of status-sync on an embedded API and embedded Keycloaks over TLS, with a clock that passes by itself.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Context } from 'aws-lambda'
import { afterEach } from 'vitest'
import { type EmbeddedKeycloak, startKeycloak } from '../../../infra/local/keycloak/server.ts'
import { startKubernetesApi } from '../../../infra/local/kubernetes/server.ts'
import { readCrds } from '../../../infra/local/world/manifests.ts'
import type { RawObject } from '../../../lib/kubernetes/api.ts'
import { statusSync } from '../../../lib/runtime/loops/status-sync.ts'
import { manual } from '../../../lib/runtime/manual.ts'
import { scheduled } from '../../../lib/runtime/scheduled.ts'
import { openWiring, type Wiring } from '../../../lib/runtime/wiring.ts'
import type { TickOutcome } from '../../../lib/tick/outcome.ts'
import { MINUTE_MS, toInstant } from '../../../lib/time.ts'
import { FENCE_OBJECTS } from '../../support/fence.ts'
import { idleClock } from '../../support/idle-clock.ts'
import { recordingLog } from '../../support/log.ts'
import { SERVER_TLS } from '../../support/spoke.ts'

process.env.POWERTOOLS_METRICS_DISABLED = 'true'

const PERIOD_MS = 10 * MINUTE_MS
const BEGINS_MS = Date.parse('2026-09-01T08:00:00Z')
const NAMESPACE = 'team'
const API = '/apis/breakglass.t-caas.telekom.com/v1alpha1'

interface Escalation extends RawObject {
  readonly status: {
    readonly approverGroupMembers?: Readonly<Record<string, readonly string[] | null>>
    readonly idpGroupMemberships?: object
    readonly observedGeneration?: number
    readonly conditions: readonly { type: string; status: string; reason: string; message: string }[]
  }
}

const running: (() => Promise<void>)[] = []
afterEach(async () => {
  await Promise.all(running.splice(0).map(stop => stop()))
})

/** Starts a Keycloak over TLS; it ends with the test. */
export async function keycloak(...realms: object[]): Promise<EmbeddedKeycloak> {
  const server = await startKeycloak({ realms, tls: SERVER_TLS })
  running.push(server.close)
  return server
}

/** Starts a cluster with these objects, and the functions on it; it ends with the test. */
export async function startWorld(objects: readonly object[], environment: Readonly<Record<string, string>> = {}) {
  const clock = idleClock(BEGINS_MS)
  const server = await startKubernetesApi({ crds: await readCrds(), clock: () => clock.wallMs() })
  const folder = mkdtempSync(join(tmpdir(), 'fencepost-'))
  writeFileSync(join(folder, 'kubeconfig'), server.kubeconfig())
  const namespaces = ['fencepost-system', NAMESPACE]
  server.load(namespaces.map(name => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })))
  server.load(FENCE_OBJECTS.filter(({ kind }) => !/Role/.test(kind)))
  const metadata = {
    name: 'fencepost-status-sync',
    namespace: 'fencepost-system',
    annotations: { 'fencepost.dev/drained': '0' },
  }
  server.load([{ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata }])
  server.load(objects)
  const log = recordingLog()
  const opened: Wiring[] = []
  const variables = { KUBECONFIG: join(folder, 'kubeconfig'), LOG_LEVEL: 'ERROR', ...environment }
  const open = () => {
    const wiring = { ...openWiring(variables, clock), log }
    opened.push(wiring)
    return wiring
  }
  await import('../../../lib/kubernetes/kubeconfig-library.ts')
  const functions = { scheduled: scheduled(statusSync, open), manual: manual([statusSync], open) }
  running.push(async () => {
    for (const wiring of opened) (await wiring.api()).close()
    await server.close()
    rmSync(folder, { recursive: true })
  })

  let calls = 0
  const contextOf = (remainingMs: number): Context => {
    const endsAtMs = clock.monotonicMs() + remainingMs
    const awsRequestId = `request-${calls++}`
    return { awsRequestId, getRemainingTimeInMillis: () => endsAtMs - clock.monotonicMs() } as Context
  }
  const get = async (path: string) => (await (await fetch(`${server.url}${path}`)).json()) as { items: RawObject[] }

  return {
    server,
    clock,
    log,
    /** Runs the tick that is due, then lets a period pass. */
    async tick(remainingMs = 2 * MINUTE_MS): Promise<TickOutcome> {
      const time = toInstant(Math.floor(clock.wallMs() / PERIOD_MS) * PERIOD_MS)
      server.clearRequests()
      try {
        return (await functions.scheduled({ time }, contextOf(remainingMs))) as TickOutcome
      } finally {
        clock.advance(PERIOD_MS)
      }
    },
    reconcile: (event: object) =>
      functions.manual({ loop: 'status-sync', ...event }, contextOf(2 * MINUTE_MS)) as Promise<Record<string, unknown>>,
    /** What was written of an escalation. */
    async status(name: string) {
      const { status } = (await get(
        `${API}/namespaces/${NAMESPACE}/breakglassescalations/${name}`,
      )) as unknown as Escalation
      const condition = status?.conditions?.find(({ type }) => type === 'ApprovalGroupMembersResolved')
      return {
        ...status,
        condition: condition && `${condition.status}/${condition.reason}`,
        message: condition?.message,
      }
    },
    /** In the order of their times. */
    async events() {
      const { items } = await get('/apis/events.k8s.io/v1/events')
      const timeOf = ({ eventTime }: RawObject) => String(eventTime)
      const sorted = [...items].sort((a, b) => (timeOf(a) < timeOf(b) ? -1 : 1))
      return sorted.map(({ type, reason, regarding }) => {
        const { name } = regarding as { name: string }
        return `${name} ${type} ${reason}`
      })
    },
    everything: async () =>
      JSON.stringify([
        await get(`${API}/breakglassescalations`),
        await get(`${API}/identityproviders`),
        await get('/apis/events.k8s.io/v1/events'),
        await get('/apis/coordination.k8s.io/v1/leases'),
      ]),
    /** Requests of the last tick that changed a work object. */
    writes: () =>
      server.requests.filter(
        ({ method, user, query }) => method !== 'GET' && user.startsWith('fencepost:') && !query.includes('dryRun'),
      ).length,
  }
}
