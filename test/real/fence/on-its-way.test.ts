// What is still on its way: a write that arrives when its process is long dead, before its successor's raise or after it, and
// answers that never arrive, at every step of a tick. Each session changes once, each tick is completed once. (Where actors
// are killed is told in the scenarios, which run on real servers too.)

import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import type { Child } from '../../support/child.ts'
import { T0 } from '../../support/clock.ts'
import { describeWith } from '../world/left-out.ts'
import { type FenceCluster, startFenceCluster, until } from './stage/cluster.ts'
import { LEASE_PATH } from './stage/reset.ts'
import { accepted } from './stage/sent.ts'
import { type FenceWorld, startFenceWorld, tick, whyNoWorld } from './stage/world.ts'
import { isCanary, isRaise, isWrite, type Point, processOf, startActor, when } from './stage/zombie.ts'

const PERIOD = 300_000
const DUE = 3
const ACTOR = 'actor'

const isChange: Point['at'] = request => isWrite(request) && request.method === 'PATCH'
const isCompletion: Point['at'] = ({ method, path, body }) =>
  method === 'PUT' && path === LEASE_PATH && body.includes('"fencepost.dev/completed-tick":"2026')

describeWith((await whyNoWorld()) ?? {}, 'on its way to a real kube-apiserver', () => {
  let cluster: FenceCluster
  let world: FenceWorld
  let child: Child | undefined
  let nowMs = T0

  beforeAll(async () => {
    cluster = await startFenceCluster()
    await cluster.install()
  })
  afterAll(() => cluster?.stop())
  beforeEach(async () => {
    nowMs = T0
    child = undefined
    world = await startFenceWorld(cluster, { due: DUE, now: () => nowMs })
  })
  afterEach(async () => {
    await child?.kill()
    await world.close()
  })

  /** Each session has changed once, and this tick was completed by this token, once. */
  async function expectDoneOnce(token: number): Promise<void> {
    const changes = accepted(world).filter(({ method }) => method === 'PATCH')
    expect(changes.map(({ path }) => path.split('/').at(-2)).sort()).toEqual(['due-00', 'due-01', 'due-02'])
    const states = Object.values(await world.sessions()).map(({ state }) => state)
    expect(states).toEqual(Array.from({ length: DUE }, () => 'Expired'))
    const completedTick = new Date(nowMs).toISOString().replace('.000', '')
    expect(await world.record()).toMatchObject({ token, holder: '', drained: token, completedTick })
    const again = await tick(await world.environment('again'), nowMs)
    expect(again).toMatchObject({ kind: 'skipped', reason: 'already-completed' })
    expect(await world.fence()).toMatchObject({ token })
  }

  /** The next delivery after the dead one's term. */
  async function succeed(): Promise<void> {
    const dead = await world.record()
    expect(dead).toMatchObject({ token: 1, holder: expect.stringContaining('/actor/'), drained: undefined })
    nowMs = T0 + PERIOD
    const outcome = await tick(await world.environment('successor'), nowMs)
    expect(outcome).toMatchObject({ kind: 'completed', token: 2, tookOverFrom: dead.holder, settled: true })
  }

  it.each([
    ['before its successor raises the fence: it takes effect, and is not done again', 'raise', 200],
    ['after that: the API server refuses it, and its successor does the work', 'read', 403],
  ])('a dead actor’s write that arrives %s', async (_, moment, status) => {
    child = await startActor(await world.environment(ACTOR))
    let arrive = (): void => {}
    const onItsWay = new Promise<void>(resolve => {
      arrive = resolve
    })
    let isWaiting = false
    const late = () => world.sent.find(({ by, method }) => by === ACTOR && method === 'PATCH' && isWaiting)
    world.hooks.intercept = async request => {
      const isActors = processOf(request) === ACTOR
      if (isActors && isChange(request)) {
        await child?.kill()
        world.sent.length = 0
        isWaiting = true
        await onItsWay
        return undefined
      }
      const isMoment = moment === 'raise' ? isRaise(request) : request.path.endsWith('/breakglasssessions')
      if (isActors || !isMoment) return undefined
      arrive()
      await until(() => late() !== undefined)
      return undefined
    }
    child.send({ tickAtMs: T0 })
    await until(() => isWaiting)
    await succeed()
    expect(late()?.status).toBe(status)
    if (status === 403) expect(late()?.message).toMatch(/fence-token: token=1 current=2 /)
    await expectDoneOnce(2)
  })

  it.each<[string, Point['at'], Point['fate']]>([
    ['its raise', isRaise, 'reset-after-commit'],
    ['its raise, which was lost as well', isRaise, 'reset'],
    ['its canary', isCanary, 'reset-after-commit'],
    ['its first write', isChange, 'reset-after-commit'],
    ['its first write, which was lost as well', isChange, 'reset'],
    ['its completion', isCompletion, 'reset-after-commit'],
    ['its completion, which was lost as well', isCompletion, 'reset'],
  ])('an actor that gets no answer to %s goes on and completes', async (_, at, fate) => {
    const lost = when(world, { by: 'alive', at, nth: 1, ...(fate === undefined ? {} : { fate }) }, () => {})
    const outcome = await tick(await world.environment('alive'), nowMs)
    await lost
    expect(outcome).toMatchObject({ kind: 'completed', token: 1, counts: { changed: DUE, failed: 0 } })
    await expectDoneOnce(1)
  })
})
