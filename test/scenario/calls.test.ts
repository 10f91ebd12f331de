// What a tick costs, counted at the servers, and what it leaves alone.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { toInstant } from '../../lib/time.ts'
import { scenarioClock, T0 } from '../support/clock.ts'
import { startSandbox } from '../support/invoke.ts'
import { isCanary, isStatus } from '../support/requests.ts'
import { dueSessions, session } from '../support/sessions.ts'
import { type LeaseKind, startWorld, type World } from '../support/world.ts'

const PERIOD = 300_000
let world: World
let nowMs = T0

beforeEach(async () => {
  nowMs = T0
  world = await startWorld(['cleanup'], () => nowMs)
})
afterEach(async () => {
  await world.close()
})

/** Requests at the Kubernetes API since the last look, as `method kind`, counted. */
function requests(): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { method, path, query } of world.kubernetes.requests) {
    const kind = /\/(leases|fences|breakglasssessions|debugsessions|events)\b/.exec(path)?.[1] ?? path
    const selector = new URLSearchParams(query).get('fieldSelector')
    const what = `${isCanary({ method, path, query }) ? 'canary ' : ''}${method} ${kind}`
    const which = `${what}${path.endsWith('/status') ? '/status' : ''}${selector ? ` ${selector}` : ''}`
    counts[which] = (counts[which] ?? 0) + 1
  }
  world.kubernetes.clearRequests()
  return counts
}

const LEASE = { 'GET leases': 1, 'PUT leases': 2 }
const RAISE = { 'PATCH fences': 1 }
const LISTS = {
  'GET breakglasssessions status.state=WaitingForScheduledTime': 1,
  'GET breakglasssessions status.state=Pending': 1,
  'GET breakglasssessions status.state=Approved': 1,
  'GET breakglasssessions': 1,
  'GET debugsessions': 1,
}

describe('a clean tick', () => {
  it('costs 3 calls of a Kubernetes lease, a raise, one list per page, a canary for each kind of write, and a write and an Event per changed session', async () => {
    await world.kubernetes.load([...dueSessions(7, T0), session('alive', T0), session('idle-state', T0, { state: '' })])
    world.kubernetes.clearRequests()
    const sandbox = startSandbox(world.environment('kubernetes'), scenarioClock(T0))
    expect(await sandbox.tick(T0)).toMatchObject({ kind: 'completed', counts: { changed: 7, failed: 0 } })
    expect(requests()).toEqual({
      ...LEASE,
      ...RAISE,
      ...LISTS,
      'canary PATCH breakglasssessions/status': 1,
      'PATCH breakglasssessions/status': 7,
      'canary POST events': 1,
      'POST events': 7,
    })
  })

  it('costs a canary more where it deletes as well', async () => {
    const ended = { state: 'Expired', expiresAt: toInstant(T0 - 60_000), retainedUntil: toInstant(T0 - 1_000) }
    await world.kubernetes.load([...dueSessions(2, T0), session('old-0', T0, ended), session('old-1', T0, ended)])
    world.kubernetes.clearRequests()
    const sandbox = startSandbox(world.environment('kubernetes'), scenarioClock(T0))
    expect(await sandbox.tick(T0)).toMatchObject({ kind: 'completed', counts: { changed: 4, failed: 0 } })
    expect(requests()).toEqual({
      ...LEASE,
      ...RAISE,
      ...LISTS,
      'canary PATCH breakglasssessions/status': 1,
      'PATCH breakglasssessions/status': 2,
      'canary DELETE breakglasssessions': 1,
      'DELETE breakglasssessions': 2,
      'canary POST events': 1,
      'POST events': 4,
    })
  })

  it('costs 2 calls of a DynamoDB lease, and the same raise', async () => {
    const before = world.dynamodb.requests.length
    world.kubernetes.clearRequests()
    await startSandbox(world.environment('dynamodb'), scenarioClock(T0)).tick(T0)
    const operations = world.dynamodb.requests.slice(before).map(({ operation }) => operation)
    expect(operations).toEqual(['UpdateItem', 'UpdateItem'])
    expect(requests()).toEqual({ ...RAISE, ...LISTS })
  })

  it('reads 1 201 sessions in pages of 500, each page by one request', async () => {
    await world.kubernetes.load(Array.from({ length: 1201 }, (_, i) => session(`s-${String(i).padStart(4, '0')}`, T0)))
    world.kubernetes.clearRequests()
    const sandbox = startSandbox(world.environment('kubernetes'), scenarioClock(T0))
    expect(await sandbox.tick(T0)).toMatchObject({ kind: 'completed', counts: { changed: 0 } })
    expect(requests()).toEqual({
      ...LEASE,
      ...RAISE,
      ...LISTS,
      'GET breakglasssessions status.state=Approved': 3,
      'GET breakglasssessions': 3,
    })
  })

  it('writes nothing on the next tick of an unchanged world, and proves nothing', async () => {
    await world.kubernetes.load(dueSessions(3, T0))
    const clock = scenarioClock(T0)
    const sandbox = startSandbox(world.environment('kubernetes'), clock)
    await sandbox.tick(T0)
    requests()
    nowMs += PERIOD
    clock.advance(PERIOD)
    expect(await sandbox.tick(T0 + PERIOD)).toMatchObject({ kind: 'completed', counts: { planned: 0, changed: 0 } })
    expect(requests()).toEqual({ ...LEASE, ...RAISE, ...LISTS })
  })

  it('costs one read where its tick was completed before', async () => {
    const sandbox = startSandbox(world.environment('kubernetes'), scenarioClock(T0))
    await sandbox.tick(T0)
    requests()
    expect(await sandbox.tick(T0)).toMatchObject({ kind: 'skipped', reason: 'already-completed' })
    expect(requests()).toEqual({ 'GET leases': 1 })
  })
})

describe.each<LeaseKind>(['kubernetes', 'dynamodb'])('a budget that ends inside a page, with the %s lease', lease => {
  it('leaves a checkpoint; the next tick resumes there and completes, and no session is changed twice', async () => {
    await world.kubernetes.load(dueSessions(12, T0))
    world.kubernetes.clearRequests()
    const clock = scenarioClock(T0)
    const sandbox = startSandbox(world.environment(lease), clock)
    let patches = 0
    world.kubernetes.intercept = request => {
      if (isStatus(request) && ++patches === 4) clock.endBudget()
      return undefined
    }
    const first = await sandbox.tick(T0)
    expect(first.kind).toBe('yielded')
    expect(first.counts.changed).toBeGreaterThanOrEqual(4)
    expect(first.counts.changed).toBeLessThan(12)
    expect(await world.record(lease, 'cleanup')).toMatchObject({
      holder: '',
      drained: 1,
      completedTick: undefined,
      checkpoint: expect.stringContaining('"phase":"expire"'),
    })

    nowMs += PERIOD
    clock.advance(PERIOD)
    const second = await sandbox.tick(T0 + PERIOD)
    expect(second.kind).toBe('completed')
    expect(first.counts.changed + second.counts.changed).toBe(12)
    expect(await world.record(lease, 'cleanup')).toMatchObject({
      completedTick: toInstant(T0 + PERIOD),
      checkpoint: undefined,
    })
    const written = world.kubernetes.requests.filter(isStatus).map(({ path }) => path)
    expect([written.length, new Set(written).size]).toEqual([12, 12])
  })
})
