// An acting process is stopped between its plan and its writes, as a platform freezes a sandbox, and goes on when its term is
// over and a successor has raised the fence. Nothing tells it: its clocks say that no time has passed, and what it is about to
// write may still be as it judged it. The API server refuses it by its token, and nothing of its plan takes effect any more.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { toInstant } from '../../lib/time.ts'
import type { Child } from '../support/child.ts'
import { T0 } from '../support/clock.ts'
import { session } from '../support/sessions.ts'
import type { LeaseKind } from '../support/world.ts'
import type { Acted } from './fence/stage/actor.ts'
import { type FenceCluster, probe, startFenceCluster, until } from './fence/stage/cluster.ts'
import { accepted, type Sent } from './fence/stage/sent.ts'
import { type FenceWorld, startFenceWorld, tick, whyNoWorld } from './fence/stage/world.ts'
import { isWrite, processOf, startActor, stopAt, wake } from './fence/stage/zombie.ts'
import { describeWith } from './world/left-out.ts'

const PERIOD = 300_000
const DUE = 4
const ACTOR = 'actor'
const SUCCESSOR = 'successor'
const BINDING = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings/fencepost-fence-token-cleanup'
/** What the API server says to the first term once the second one is raised. */
const OVERTAKEN = /fencepost fence-token: token=1 current=2 holder=fencepost-cleanup\/request-0\//

describeWith((await whyNoWorld()) ?? {}, 'an actor that is stopped and goes on', () => {
  let cluster: FenceCluster
  let world: FenceWorld
  let child: Child | undefined
  let nowMs = T0

  beforeAll(async () => {
    cluster = await startFenceCluster()
    await cluster.install()
  })
  afterAll(() => cluster?.stop())
  beforeEach(() => {
    nowMs = T0
  })
  afterEach(async () => {
    await child?.kill()
    await world.close()
  })

  /** Starts the actor on new objects and stops it as it sends its nth write by a method, which is lost. */
  async function stopped(options: {
    lease?: LeaseKind
    method?: string
    nth?: number
    retained?: number
    more?: Record<string, string>
  }): Promise<void> {
    const { lease, method = 'PATCH', nth = 1, retained = 0, more = {} } = options
    const objects = Array.from({ length: retained }, (_, i) =>
      session(`retained-${i}`, T0, { state: 'Expired', retainedUntil: toInstant(T0 - 60_000) }),
    )
    world = await startFenceWorld(cluster, {
      due: retained > 0 ? 0 : DUE,
      objects,
      now: () => nowMs,
      isBroken: more.FENCE === 'advisory',
    })
    child = await startActor({ ...(await world.environment(ACTOR, lease)), ...more })
    const at: Parameters<typeof stopAt>[2]['at'] = request => isWrite(request) && request.method === method
    await stopAt(world, child, { by: ACTOR, at, nth }, T0)
    nowMs = T0 + PERIOD
  }

  async function goOn(): Promise<Acted> {
    wake(child as Child)
    return await (child as Child).next<Acted>()
  }

  /** Lets the actor go on when the successor is about to write for the first time, and waits for its end. */
  function goOnBeforeSuccessor(): Promise<Acted> {
    return new Promise((resolve, reject) => {
      let awakened: Promise<Acted> | undefined
      world.hooks.intercept = async request => {
        if (processOf(request) !== SUCCESSOR || !isWrite(request)) return undefined
        awakened ??= goOn()
        await awakened.then(resolve, reject)
        return undefined
      }
    })
  }

  const state = async (lease: LeaseKind) => ({
    sessions: await world.sessions(),
    record: await world.record(lease),
    fence: await world.fence(),
  })
  const writesOf = (by: string): Sent[] => world.sent.filter(one => one.by === by && one.isVirtual && !one.isDryRun)
  const inShort = ({ method, status }: Sent) => `${method} ${status}`
  const states = async () => Object.values(await world.sessions()).map(one => one.state)

  describe.each<LeaseKind>(['kubernetes', 'dynamodb'])('with the %s lease', lease => {
    it('after its successor has finished: not one write is accepted, it is fenced, and the successor’s state is as it was', async () => {
      await stopped({ lease, nth: 2 })
      const before = await world.record(lease)
      expect(before).toMatchObject({ token: 1, holder: expect.stringContaining('/actor/'), completedTick: undefined })
      expect(writesOf(ACTOR).map(inShort)).toEqual(['PATCH 200', 'POST 201'])

      const second = await tick(await world.environment(SUCCESSOR, lease), nowMs)
      expect(second).toMatchObject({ kind: 'completed', token: 2, tookOverFrom: before.holder, settled: true })
      expect(second.counts.changed).toBe(DUE - 1)
      const after = await state(lease)
      expect(after.fence).toMatchObject({ token: 2, holder: expect.stringContaining('/request-0/') })
      expect(await states()).toEqual(Array.from({ length: DUE }, () => 'Expired'))

      world.sent.length = 0
      const { outcome, metrics } = await goOn()
      expect(outcome).toMatchObject({ kind: 'fenced', token: 1, counts: { changed: 1, unchanged: 0, failed: 0 } })
      expect(metrics).toMatchObject({ TicksFenced: 1, ObjectsChanged: 1 })
      // What the successor changed is refused for what the write is bound to, before any policy is asked; then it looks at its lease.
      expect(writesOf(ACTOR).map(inShort)).toEqual(['PATCH 409'])
      expect(await state(lease)).toEqual(after)
    })

    it('before its successor’s first write, with nothing it judged changed: not one write is accepted', async () => {
      await stopped({ lease })
      const awakened = goOnBeforeSuccessor()
      const second = await tick(await world.environment(SUCCESSOR, lease), nowMs)

      const { outcome, metrics } = await awakened
      expect(outcome).toMatchObject({ kind: 'fenced', token: 1, counts: { changed: 0 } })
      expect(metrics).toMatchObject({ TicksFenced: 1, ObjectsChanged: 0 })
      expect(writesOf(ACTOR).map(inShort)).toEqual(['PATCH 403'])
      expect(writesOf(ACTOR)[0]?.message).toMatch(OVERTAKEN)
      expect(second).toMatchObject({ kind: 'completed', token: 2, counts: { changed: DUE, unchanged: 0 } })
      expect(accepted(world, SUCCESSOR)).toHaveLength(2 * DUE)
      expect(await states()).toEqual(Array.from({ length: DUE }, () => 'Expired'))
      expect(await world.record(lease)).toMatchObject({ token: 2, holder: '', completedTick: second.tick })
    })
  })

  it.each([
    ['create', 'POST', 0],
    ['update of a status', 'PATCH', 0],
    ['delete', 'DELETE', DUE],
  ])('its %s is refused by the API server itself', async (_, method, retained) => {
    await stopped({ method, retained })
    const before = writesOf(ACTOR).length
    const awakened = goOnBeforeSuccessor()
    const second = await tick(await world.environment(SUCCESSOR), nowMs)
    expect((await awakened).outcome).toMatchObject({ kind: 'fenced', token: 1 })
    const sent = writesOf(ACTOR).slice(before)
    expect(sent.map(inShort)).toEqual([`${method} 403`])
    expect(sent[0]?.message).toMatch(OVERTAKEN)
    expect(second).toMatchObject({ kind: 'completed', token: 2, counts: { failed: 0 } })
  })

  it('without the policy, and nobody asking for one, all its writes are accepted: that is what the fence is worth', async () => {
    await cluster.ask({ method: 'DELETE', path: BINDING })
    await until(async () => (await probe(cluster)).status === 201)
    const more = { FENCE: 'advisory' }
    await stopped({ more })
    const awakened = goOnBeforeSuccessor()
    const second = await tick({ ...(await world.environment(SUCCESSOR)), ...more }, nowMs)
    expect((await awakened).outcome).toMatchObject({ kind: 'fenced', token: 1, counts: { changed: DUE } })
    expect(accepted(world, ACTOR)).toHaveLength(2 * DUE)
    expect(writesOf(SUCCESSOR).map(inShort)).toEqual(Array.from({ length: DUE }, () => 'PATCH 409'))
    expect(second).toMatchObject({ kind: 'completed', token: 2, counts: { changed: 0, unchanged: DUE } })
  })
})
