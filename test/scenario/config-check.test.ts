// Whole ticks of the config-check loop through its handler: what is remembered from tick to tick, and how it is fenced.

import type { Context } from 'aws-lambda'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { configCheck } from '../../lib/runtime/loops/config-check.ts'
import { scheduled } from '../../lib/runtime/scheduled.ts'
import { openWiring } from '../../lib/runtime/wiring.ts'
import type { TickOutcome } from '../../lib/tick/outcome.ts'
import { MINUTE_MS, toInstant } from '../../lib/time.ts'
import { scenarioClock, T0 } from '../support/clock.ts'
import { isWork } from '../support/requests.ts'
import { byKubeconfig, kubeconfigOf, type Spoke, startSpoke } from '../support/spoke.ts'
import { type LeaseKind, startWorld, type World } from '../support/world.ts'

// The library that writes metrics reads this; they would only fill the screen.
process.env.POWERTOOLS_METRICS_DISABLED = 'true'

const PERIOD_MS = 10 * MINUTE_MS
/** A whole period of ten minutes. */
const START = T0 - (T0 % PERIOD_MS)

let world: World
let spoke: Spoke
let nowMs = START

beforeEach(async () => {
  nowMs = START
  world = await startWorld(['config-check'], () => nowMs)
  spoke = await startSpoke()
  await world.kubernetes.load([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team' } }])
})
afterEach(async () => {
  await spoke.close()
  await world.close()
})

/** A function in one sandbox that gets a tick each period. */
function startFunction(lease: LeaseKind) {
  const clock = scenarioClock(START)
  const handler = scheduled(configCheck, () => openWiring(world.environment(lease), clock))
  let invocations = 0
  return {
    clock,
    async tick(): Promise<TickOutcome> {
      const time = toInstant(nowMs)
      const context = { awsRequestId: `request-${invocations++}`, getRemainingTimeInMillis: () => 120_000 } as Context
      world.kubernetes.clearRequests()
      try {
        return (await handler({ time }, context)) as TickOutcome
      } catch (error) {
        return (error as { outcome: TickOutcome }).outcome
      } finally {
        nowMs += PERIOD_MS
        clock.advance(PERIOD_MS)
      }
    },
  }
}

async function ready(name: string): Promise<unknown> {
  const path = `/apis/breakglass.t-caas.telekom.com/v1alpha1/namespaces/team/clusterconfigs/${name}`
  const { body } = await world.api.request({ method: 'GET', path, repeat: 'read' })
  const { status } = body as { status?: { conditions?: { type: string; status: string; reason: string }[] } }
  return status?.conditions?.map(condition => `${condition.status} ${condition.reason}`)
}

const work = () => world.kubernetes.requests.filter(isWork)

describe.each<LeaseKind>(['kubernetes', 'dynamodb'])('ticks of config-check, with the %s lease', lease => {
  it('write what they find as their own virtual user, and nothing at the next tick', async () => {
    await world.kubernetes.load([...byKubeconfig('good', kubeconfigOf(spoke.url)), ...byKubeconfig('none', 'nothing')])
    const { tick } = startFunction(lease)
    expect(await tick()).toMatchObject({ kind: 'completed', counts: { observed: 2, changed: 2, failed: 0 } })
    expect(work().map(({ method, user, status }) => [method, user, status])).toEqual([
      ...Array(4).fill(expect.arrayContaining(['fencepost:fencepost-config-check'])),
    ])
    expect([await ready('good'), await ready('none')]).toEqual([
      ['True KubeconfigValidated'],
      ['False KubeconfigParseFailed'],
    ])
    expect(await tick()).toMatchObject({ kind: 'completed', counts: { observed: 2, planned: 0, changed: 0 } })
    expect(work()).toEqual([])
  })

  it('take Ready away at the second silent tick running, also from another sandbox', async () => {
    await world.kubernetes.load(byKubeconfig('a', kubeconfigOf(spoke.url)))
    const first = startFunction(lease)
    await first.tick()
    spoke.api.intercept = () => ({ status: 503 })
    expect(await first.tick()).toMatchObject({ kind: 'completed', counts: { changed: 0 } })
    expect(await ready('a')).toEqual(['True KubeconfigValidated'])
    expect((await world.record(lease, 'config-check')).checkpoint).toMatch(/"failing":\["[\w-]{8}"\]/)
    const second = startFunction(lease)
    second.clock.advance(2 * PERIOD_MS)
    expect(await second.tick()).toMatchObject({
      kind: 'completed',
      changes: [{ from: 'Ready=True', to: 'Ready=False' }],
    })
    spoke.api.intercept = undefined
    await second.tick()
    expect(await ready('a')).toEqual(['True KubeconfigValidated'])
    expect((await world.record(lease, 'config-check')).checkpoint).toContain('"failing":[]')
  })

  it('whose time ends inside a page go on from it at the next tick, and judge nothing that was cut off', async () => {
    await world.kubernetes.load(byKubeconfig('a', kubeconfigOf(spoke.url)))
    spoke.hang()
    const { tick, clock } = startFunction(lease)
    const ticking = tick()
    await spoke.hanging(1)
    clock.endBudget()
    expect(await ticking).toMatchObject({ kind: 'yielded', counts: { changed: 0 } })
    expect(await ready('a')).toBeUndefined()
    spoke.api.intercept = undefined
    expect(await tick()).toMatchObject({ kind: 'completed', counts: { changed: 1 } })
  })

  it('fail for a Secret that may not be read, tell which, and judge everybody else', async () => {
    await world.kubernetes.load([
      ...byKubeconfig('a', kubeconfigOf(spoke.url)),
      ...byKubeconfig('b', kubeconfigOf(spoke.url)),
    ])
    world.kubernetes.intercept = ({ path }) => (path.endsWith('/secrets/a') ? { status: 403 } : undefined)
    const { tick } = startFunction(lease)
    expect(await tick()).toMatchObject({
      kind: 'failed',
      counts: { changed: 1, failed: 1 },
      failures: [{ object: 'team/a', code: 'Forbidden' }],
    })
    expect([await ready('a'), await ready('b')]).toEqual([undefined, ['True KubeconfigValidated']])
  })
})
