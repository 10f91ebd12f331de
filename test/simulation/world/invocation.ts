// One invocation: production code over the simulated world. The seams are the clock, the nonce, the dice of the transport,
// the exchange and the DynamoDB client; everything between them is what is deployed.

import { openFence } from '../../../lib/fence/fence.ts'
import { openWriter } from '../../../lib/fence/writer.ts'
import type { KubernetesApi } from '../../../lib/kubernetes/api.ts'
import { openTransport } from '../../../lib/kubernetes/transport.ts'
import { dynamodbStore } from '../../../lib/lease/dynamodb.ts'
import * as sdk from '../../../lib/lease/dynamodb-client.ts'
import { openLease } from '../../../lib/lease/fenced-lease.ts'
import { kubernetesStore } from '../../../lib/lease/kubernetes.ts'
import type { Lease, LeaseStore } from '../../../lib/lease/lease.ts'
import type { Log } from '../../../lib/telemetry/log.ts'
import { cutStages, DEFAULT_STAGES, openBudget } from '../../../lib/tick/budget.ts'
import type { TickOutcome } from '../../../lib/tick/outcome.ts'
import type { Scope } from '../../../lib/tick/reconciler.ts'
import { runTick } from '../../../lib/tick/run-tick.ts'
import type { Clock } from '../../../lib/time.ts'
import { createWorkLoop } from '../work-loop.ts'
import type { Attempt } from './attempt.ts'
import { type Label, LEASE_NAMESPACE, NAME } from './names.ts'
import { openClient } from './table.ts'
import { openWire } from './wire.ts'
import type { World } from './world.ts'

const PERIOD_MS = 300_000
const connection = { server: new URL('https://simulated'), tls: {}, headers: async () => ({}) }

/** How an invocation is called. */
export interface Call {
  readonly requestId: string
  readonly scope: Scope
  /** What the platform leaves it, ms. */
  readonly remainingMs: number
  readonly workers: number
}

/** What an attempt works with. */
export interface Tools {
  readonly api: KubernetesApi
  readonly lease: Lease
  readonly clock: Clock
  readonly log: Log
}

/** Builds what an attempt works with, as lib/runtime/wiring.ts does. */
export function openTools(world: World, attempt: Attempt): Tools {
  const clock = clockOf(world, attempt)
  const log = logOf(world, attempt)
  const api = openApi(world, attempt, clock)
  const nonce = () => Math.floor(world.dice.next() * 2 ** 32).toString(16)
  return { api, lease: openLease({ store: openStore(world, attempt, api), name: NAME, clock, log, nonce }), clock, log }
}

/** The store of an attempt's lease. */
export function openStore(
  world: World,
  attempt: Attempt,
  api = openApi(world, attempt, clockOf(world, attempt)),
): LeaseStore {
  return attempt.leaseKind === 'kubernetes'
    ? kubernetesStore(api, { namespace: LEASE_NAMESPACE, name: NAME })
    : dynamodbStore({ sdk, client: openClient(world, attempt), table: 'leases', name: NAME })
}

function openApi(world: World, attempt: Attempt, clock: Clock): KubernetesApi {
  return openTransport(connection, { clock, random: world.dice.next, exchange: openWire(world, attempt) })
}

/** Runs one tick, as lib/runtime/tick-runner.ts does. */
export async function runAttempt(world: World, attempt: Attempt, call: Call): Promise<TickOutcome> {
  const { api, lease, clock, log } = openTools(world, attempt)
  const stages = cutStages(call.remainingMs, DEFAULT_STAGES, 0)
  if (!stages) throw new Error('too short')
  const budget = openBudget(stages, clock)
  attempt.stop = budget.stop
  const fence = openFence({ api, name: NAME, lease, mode: 'enforced', clock, log })
  const { tick } = attempt
  const request = { tick, periodMs: PERIOD_MS, requestId: call.requestId, scope: call.scope, budget }
  return await runTick(createWorkLoop(api, log), request, {
    lease,
    fence,
    openWriter: grant => openWriter({ api, fence: fence.name, grant, mode: fence.mode, clock }),
    clockSkewMs: () => api.clockSkewMs(),
    handlers: [],
    workers: call.workers,
    clock,
    log,
  })
}

/** The sandbox's clock, with faults in its sleeps. */
function clockOf(world: World, attempt: Attempt): Clock {
  const { sandbox } = attempt
  const { wallMs, monotonicMs, sleep } = sandbox.clock
  return {
    wallMs,
    monotonicMs,
    sleep(ms, signal) {
      const fault = signal?.aborted ? undefined : world.hit(attempt, labelOf(attempt, ms))
      if (fault === 'kill') sandbox.kill()
      if (fault === 'clock step') sandbox.stepWall(world.dice.between(-3_600_000, 3_600_000))
      if (fault === 'pause') world.timeline.after(world.dice.between(0, ms), () => world.freeze(sandbox))
      return sleep(ms, signal)
    },
  }
}

/** Settles are the only long sleeps between a raise and the first read; what follows a failure is the pause after it. */
function labelOf(attempt: Attempt, ms: number): Label {
  if (attempt.hasFailed && ms <= 5_000) return 'retry pause'
  return attempt.hasRaised && !attempt.firstRead && ms <= 15_000 ? 'settle' : 'time limit'
}

function logOf(world: World, { id }: Attempt): Log {
  const at = (level: string) => (message: string, fields?: object) =>
    world.trace(() => `attempt ${id} ${level}: ${message} ${JSON.stringify(fields ?? {})}`)
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}
