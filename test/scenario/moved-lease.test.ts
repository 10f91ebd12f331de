// An installation whose lease moves from one store to the other, and back. The two records know nothing of each other: each mints
// its own tokens and keeps its own ledger. What they share is the Fence, which only rises and knows whose token it carries.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { FenceSpec } from '../../lib/fence/fence.ts'
import type { LoopStatus } from '../../lib/runtime/status.ts'
import { scenarioClock, T0 } from '../support/clock.ts'
import { startSandbox } from '../support/invoke.ts'
import { dueSessions } from '../support/sessions.ts'
import { type LeaseKind, startWorld, type World } from '../support/world.ts'

const PERIOD = 300_000
const FENCE = '/apis/fencepost.dev/v1/fences/fencepost-cleanup'
const USER = 'fencepost:fencepost-cleanup'

describe.each<[LeaseKind, LeaseKind]>([
  ['kubernetes', 'dynamodb'],
  ['dynamodb', 'kubernetes'],
])('a lease that moves from %s to %s', (from, to) => {
  let world: World
  let nowMs = T0

  beforeEach(async () => {
    nowMs = T0
    world = await startWorld(['cleanup'], () => nowMs)
  })
  afterEach(() => world.close())

  const sandbox = (lease: LeaseKind) =>
    startSandbox({ ...world.environment(lease), WORKERS: '1' }, scenarioClock(nowMs))
  async function fence(): Promise<FenceSpec> {
    const { body } = await world.api.request({ method: 'GET', path: FENCE, repeat: 'read' })
    return (body as { spec: FenceSpec }).spec
  }

  it('goes on above every token that the Fence has seen, after a settle, and the same on the way back', async () => {
    for (let tick = 0; tick < 3; tick++, nowMs += PERIOD) await sandbox(from).tick(nowMs)
    const { recordId } = await world.record(from, 'cleanup')
    expect(await fence()).toMatchObject({ token: 3, lease: recordId })

    const moved = await sandbox(to).tick(nowMs)
    expect(moved).toMatchObject({ kind: 'completed', token: 4, settled: true })
    const other = await world.record(to, 'cleanup')
    expect(other).toMatchObject({ token: 4, drained: 4, holder: '' })
    expect(await fence()).toMatchObject({ token: 4, lease: other.recordId, after: recordId })
    nowMs += PERIOD
    expect(await sandbox(to).tick(nowMs)).toMatchObject({ kind: 'completed', token: 5, settled: false })

    nowMs += PERIOD
    const status = () => sandbox(from).reconcile<LoopStatus>({ loop: 'cleanup', action: 'status' })
    expect((await status()).fence.state).toBe('ahead')
    expect(await sandbox(from).tick(nowMs)).toMatchObject({ kind: 'completed', token: 6, settled: true })
    expect((await status()).fence.state).toBe('raised')
    expect(await fence()).toMatchObject({ token: 6, lease: recordId, after: other.recordId })
  })

  it('refuses whoever still acts under the old record: 0 of its further writes are accepted', async () => {
    await world.kubernetes.load(dueSessions(3, T0))
    let goOn = () => {}
    const held = new Promise<void>(resolve => {
      goOn = resolve
    })
    const isHeld = new Promise<void>(resolve => {
      // The Event of its first change.
      world.kubernetes.intercept = async ({ method, user, query }) => {
        if (method !== 'POST' || user.username !== USER || query.has('dryRun')) return undefined
        world.kubernetes.intercept = undefined
        resolve()
        await held
        return undefined
      }
    })
    const old = sandbox(from).tick(nowMs)
    await isHeld
    world.kubernetes.clearRequests()
    expect(await sandbox(to).tick(nowMs)).toMatchObject({ kind: 'completed', token: 2, counts: { changed: 2 } })
    const accepted = () => world.kubernetes.requests.filter(({ user, status }) => user === USER && status < 300).length
    const before = accepted()
    goOn()
    expect(await old).toMatchObject({ kind: 'fenced', token: 1, counts: { changed: 0 } })
    expect(accepted()).toBe(before)
    expect(await fence()).toMatchObject({ token: 2 })
  })
})
