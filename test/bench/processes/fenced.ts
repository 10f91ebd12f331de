// Whole ticks of cleanup by the product's own code, with the fence and without it, and how long each of their requests
// took. Without it no Fence is raised, no canary is sent, nobody is impersonated and no policy is in force; all else is the
// same.

import { readConfig } from '../../../lib/config.ts'
import { openFence } from '../../../lib/fence/fence.ts'
import { openWriter } from '../../../lib/fence/writer.ts'
import type { KubernetesApi } from '../../../lib/kubernetes/api.ts'
import { connectByKubeconfig } from '../../../lib/kubernetes/connection.ts'
import { KubeConfig } from '../../../lib/kubernetes/kubeconfig-library.ts'
import { openTransport } from '../../../lib/kubernetes/transport.ts'
import { openLease } from '../../../lib/lease/fenced-lease.ts'
import { kubernetesStore } from '../../../lib/lease/kubernetes.ts'
import { cleanup } from '../../../lib/runtime/loops/cleanup.ts'
import { cutStages, DEFAULT_STAGES, openBudget, type Stages } from '../../../lib/tick/budget.ts'
import { runTick } from '../../../lib/tick/run-tick.ts'
import { manualTick } from '../../../lib/tick/schedule.ts'
import type { TickTools } from '../../../lib/tick/tick.ts'
import { systemClock as clock, MINUTE_MS } from '../../../lib/time.ts'
import { isCanary, isRaise, isStatus, isWork } from '../../support/requests.ts'
import { LEASES, LOOP, openInstallation } from '../installation.ts'
import { storeSessions } from '../writes.ts'

/** What is asked for: a tick with nothing due, then one with `due` sessions due. */
export interface Ask {
  readonly isFenced: boolean
  readonly due: number
}

/** What requests are for. */
export type Purpose = 'status' | 'event' | 'raise' | 'canary' | 'other'

/** One tick. */
export interface Ticked {
  readonly ms: number
  /** How long each request took, ms, by what it was for. */
  readonly requests: Readonly<Record<Purpose, readonly number[]>>
}

/** Both ticks. */
export interface Told {
  readonly idle: Ticked
  readonly due: Ticked
}

const nothing = () => {}
const log = { debug: nothing, info: nothing, warn: nothing, error: nothing }
const metrics = { count: nothing, duration: nothing, flush: nothing }
const config = readConfig({ KUBECONFIG: process.env.KUBECONFIG })
const ours = openTransport(await connectByKubeconfig(KubeConfig, process.env.KUBECONFIG), { clock })
const administrator = await connectByKubeconfig(KubeConfig, process.env.ADMINISTRATOR)
const theirs = openTransport(administrator, { clock })
const installation = await openInstallation(process.env.ADMINISTRATOR)
let runs = 0
let requests: Record<Purpose, number[]>

/** Takes the time of each request. */
const timed: KubernetesApi = {
  ...ours,
  async request(ask, expected) {
    const startedMs = performance.now()
    const answer = await ours.request(ask, expected)
    const query = new URLSearchParams(ask.query as Record<string, string> | undefined)
    requests[purposeOf({ ...ask, query })].push(performance.now() - startedMs)
    return answer
  },
}

function purposeOf(asked: Parameters<typeof isWork>[0]): Purpose {
  if (isRaise(asked)) return 'raise'
  if (isStatus(asked)) return 'status'
  if (isWork(asked)) return 'event'
  return isCanary(asked) ? 'canary' : 'other'
}

/** Leaves out what makes a request another user's. */
const underOwnName: KubernetesApi = {
  ...timed,
  request: ({ headers: _, ...ask }, expected) => timed.request(ask, expected),
}

function toolsOf(isFenced: boolean): Pick<TickTools, 'lease' | 'fence' | 'openWriter'> {
  const store = kubernetesStore(timed, { namespace: LEASES, name: LOOP })
  const lease = openLease({ store, name: LOOP, clock, log })
  const mode = isFenced ? 'enforced' : 'advisory'
  const api = isFenced ? timed : underOwnName
  return {
    lease,
    fence: isFenced ? openFence({ api, name: LOOP, lease, mode, clock, log }) : { raise: async grant => grant },
    openWriter: grant => openWriter({ api, fence: LOOP, grant, mode, clock }),
  }
}

async function tick(isFenced: boolean, due: number): Promise<Ticked> {
  requests = { status: [], event: [], raise: [], canary: [], other: [] }
  const requestId = `run-${runs++}`
  const budget = openBudget(cutStages(2 * MINUTE_MS, DEFAULT_STAGES, 0) as Stages, clock)
  const request = { tick: manualTick(requestId), periodMs: 5 * MINUTE_MS, requestId, scope: {}, budget }
  // One write after the other, so that the time of each is its own.
  const shared = { clockSkewMs: () => undefined, handlers: [], workers: 1, clock, log }
  const startedMs = performance.now()
  const loop = cleanup.reconciler({ api: timed, config, log, metrics, clock })
  const outcome = await runTick(loop, request, { ...toolsOf(isFenced), ...shared })
  const ms = performance.now() - startedMs
  if (outcome.kind !== 'completed' || outcome.counts.changed !== due)
    throw new Error(`a tick ended as ${JSON.stringify(outcome)}`)
  if (requests.event.length !== due) throw new Error(`${requests.event.length} Events for ${due} sessions`)
  return { ms, requests }
}

process.on('message', async ({ isFenced, due }: Ask) => {
  await installation.enforce(isFenced)
  await storeSessions(theirs, 0, '')
  const idle = await tick(isFenced, 0)
  await storeSessions(theirs, due, `run-${runs}`)
  process.send?.({ idle, due: await tick(isFenced, due) } satisfies Told)
})
process.on('disconnect', () => process.exit(0))
process.send?.('ready')
