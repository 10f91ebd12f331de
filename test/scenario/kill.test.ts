// An acting process is killed with no chance to say a word. The next delivery after its term takes over, waits until
// nothing of the dead can take effect any more, and finishes: no session is handled twice, and none is lost.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { listPages } from '../../lib/kubernetes/pages.ts'
import { BREAKGLASS_SESSIONS } from '../../lib/kubernetes/resources/breakglass-session.ts'
import { SETTLE_MS, TAIL_MS } from '../../lib/tick/times.ts'
import { type Child, startChild } from '../support/child.ts'
import { scenarioClock, T0 } from '../support/clock.ts'
import { startSandbox } from '../support/invoke.ts'
import { type Asked, isCanary, isRaise, isStatus, isWork, readFence } from '../support/requests.ts'
import { dueSessions } from '../support/sessions.ts'
import { type LeaseKind, startWorld, type World } from '../support/world.ts'

const PERIOD = 300_000
const TIMEOUT = 60_000
const SESSIONS = 10

/** A request at which the actor dies; `isStored` says whether that request still takes effect. */
interface Death {
  readonly title: string
  readonly at: (request: Asked) => boolean
  readonly nth: number
  readonly isStored: boolean
}

const isList = ({ method, path }: Asked) => method === 'GET' && path.endsWith('/breakglasssessions')
const isLastList = (asked: Asked) => isList(asked) && !new URLSearchParams(asked.query).has('fieldSelector')

const deaths: Death[] = [
  { title: 'after its acquire, its raise lost', at: isRaise, nth: 1, isStored: false },
  { title: 'after its acquire, its raise taking effect after its death', at: isRaise, nth: 1, isStored: true },
  { title: 'after its raise', at: isList, nth: 1, isStored: false },
  { title: 'at its canary', at: isCanary, nth: 1, isStored: false },
  { title: 'after its canary, its first write lost', at: isStatus, nth: 1, isStored: false },
  {
    title: 'after its canary, its first write taking effect after its death',
    at: isStatus,
    nth: 1,
    isStored: true,
  },
  { title: 'in the middle, its third write lost', at: isStatus, nth: 3, isStored: false },
  { title: 'in the middle, its third write taking effect after its death', at: isStatus, nth: 3, isStored: true },
  { title: 'after its last write', at: isLastList, nth: 1, isStored: false },
]

describe.each<LeaseKind>(['kubernetes', 'dynamodb'])('an actor that is killed, with the %s lease', lease => {
  let world: World
  let child: Child
  let nowMs = T0

  beforeEach(async () => {
    nowMs = T0
    world = await startWorld(['cleanup'], () => nowMs)
    await world.kubernetes.load(dueSessions(SESSIONS, T0))
    child = startChild('./actor.ts', world.environment(lease))
    await child.next()
  })
  afterEach(async () => {
    await child.kill()
    await world.close()
  })

  /** Kills the actor at the nth request that matches. */
  function killAt({ at, nth, isStored }: Death): Promise<void> {
    return new Promise(resolve => {
      let seen = 0
      world.kubernetes.intercept = async request => {
        if (!at(request) || ++seen !== nth) return undefined
        await child.kill()
        setImmediate(resolve)
        return isStored ? 'reset-after-commit' : 'reset'
      }
    })
  }

  async function states(): Promise<string[]> {
    const { signal } = new AbortController()
    const found: string[] = []
    for await (const page of listPages(world.api, BREAKGLASS_SESSIONS, { signal }))
      found.push(...page.map(({ status }) => (status as { state: string }).state))
    return found
  }

  /** How many status changes took effect, by session. */
  function changes(): number[] {
    const count = new Map<string, number>()
    for (const request of world.kubernetes.requests) {
      const { path, status } = request
      if (isStatus(request) && (status === 200 || status === 0)) count.set(path, (count.get(path) ?? 0) + 1)
    }
    return [...count.values()]
  }

  /** The Fence stands where the record's last term is. */
  async function expectFenceAt(token: number): Promise<void> {
    const { LEADER_ELECT_ID } = world.environment(lease)
    const { recordId } = await world.record(lease, 'cleanup')
    expect(await readFence(world.api, `${LEADER_ELECT_ID}-cleanup`)).toMatchObject({ token, lease: recordId })
  }

  it.each(deaths)('$title', async death => {
    const killed = killAt(death)
    child.send({ tickAtMs: T0 })
    await killed
    world.kubernetes.intercept = undefined
    const dead = await world.record(lease, 'cleanup')
    expect(dead).toMatchObject({
      token: 1,
      holder: expect.stringContaining('/actor/'),
      completedTick: undefined,
      drained: undefined,
    })

    expect(dead.termEndsAtMs).toBeLessThanOrEqual(T0 + TIMEOUT + TAIL_MS)
    nowMs = dead.termEndsAtMs - 30_000
    const early = startSandbox(world.environment(lease), scenarioClock(nowMs))
    expect(await early.reconcile({ loop: 'cleanup' })).toMatchObject({
      kind: 'skipped',
      reason: 'held',
      holder: dead.holder,
    })

    nowMs = T0 + PERIOD
    const clock = scenarioClock(nowMs)
    const outcome = await startSandbox(world.environment(lease), clock).tick(nowMs)
    expect(outcome).toMatchObject({ kind: 'completed', token: 2, tookOverFrom: dead.holder, settled: true })
    expect(clock.monotonicMs()).toBeGreaterThanOrEqual(SETTLE_MS)

    expect(await states()).toEqual(Array.from({ length: SESSIONS }, () => 'Expired'))
    const applied = changes()
    expect(applied.length).toBe(SESSIONS)
    // A request cut off before it was stored is in the log as well, so that a session may show it beside its one change.
    const lost = death.at === isStatus && !death.isStored ? 1 : 0
    expect(applied.reduce((sum, n) => sum + n, 0)).toBe(SESSIONS + lost)
    expect(await world.record(lease, 'cleanup')).toMatchObject({
      token: 2,
      holder: '',
      drained: 2,
      completedTick: outcome.tick,
    })
    await expectFenceAt(2)
  })

  it('in its settle, which a death before made necessary: nothing was read in it, and its successor settles anew', async () => {
    const first = killAt({ title: '', at: isRaise, nth: 1, isStored: true })
    child.send({ tickAtMs: T0 })
    await first
    world.kubernetes.intercept = undefined
    world.kubernetes.clearRequests()

    nowMs = T0 + PERIOD
    child = startChild('./actor.ts', world.environment(lease))
    await child.next()
    child.send({ tickAtMs: nowMs })
    expect(await child.next()).toBe('settling')
    await child.kill()
    expect(
      world.kubernetes.requests.filter(request => isList(request) || isCanary(request) || isWork(request)),
    ).toEqual([])
    const dead = await world.record(lease, 'cleanup')
    expect(dead).toMatchObject({ token: 2, drained: undefined })
    await expectFenceAt(2)

    nowMs += PERIOD
    const clock = scenarioClock(nowMs)
    const outcome = await startSandbox(world.environment(lease), clock).tick(nowMs)
    expect(outcome).toMatchObject({ kind: 'completed', token: 3, tookOverFrom: dead.holder, settled: true })
    expect(clock.monotonicMs()).toBeGreaterThanOrEqual(SETTLE_MS)
    expect(await states()).toEqual(Array.from({ length: SESSIONS }, () => 'Expired'))
    expect(changes()).toEqual(Array.from({ length: SESSIONS }, () => 1))
    await expectFenceAt(3)
  })

  it('before its completion: the successor finds nothing to do and completes', async () => {
    const killed =
      lease === 'kubernetes'
        ? killAt({ title: '', at: ({ method }) => method === 'PUT', nth: 2, isStored: false })
        : killAtSecondUpdate('reset-before-commit')
    child.send({ tickAtMs: T0 })
    await killed
    world.kubernetes.intercept = undefined
    expect(await states()).toEqual(Array.from({ length: SESSIONS }, () => 'Expired'))
    expect((await world.record(lease, 'cleanup')).completedTick).toBeUndefined()

    nowMs = T0 + PERIOD
    const outcome = await startSandbox(world.environment(lease), scenarioClock(nowMs)).tick(nowMs)
    expect(outcome).toMatchObject({ kind: 'completed', token: 2, settled: true, counts: { changed: 0 } })
    expect(changes()).toEqual(Array.from({ length: SESSIONS }, () => 1))
    await expectFenceAt(2)
  })

  it('while its completion takes effect: the same tick is never done again', async () => {
    const killed =
      lease === 'kubernetes'
        ? killAt({ title: '', at: ({ method }) => method === 'PUT', nth: 2, isStored: true })
        : killAtSecondUpdate('reset-after-commit')
    child.send({ tickAtMs: T0 })
    await killed
    world.kubernetes.intercept = undefined
    // A real server stores it in its own time.
    await expect.poll(async () => (await world.record(lease, 'cleanup')).holder).toBe('')

    const sandbox = startSandbox(world.environment(lease), scenarioClock(nowMs))
    expect(await sandbox.tick(T0)).toMatchObject({ kind: 'skipped', reason: 'already-completed', token: 1 })
    expect(await world.record(lease, 'cleanup')).toMatchObject({ token: 1, holder: '', drained: 1 })
  })

  function killAtSecondUpdate(fault: 'reset-before-commit' | 'reset-after-commit'): Promise<void> {
    return new Promise(resolve => {
      let seen = 0
      const stop = world.dynamodb.intercept(async ({ operation }) => {
        if (operation !== 'UpdateItem' || ++seen !== 2) return undefined
        stop()
        await child.kill()
        setTimeout(resolve)
        return fault
      })
    })
  }
})
