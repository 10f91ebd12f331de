// A life beside a live upstream: it leads and we stand still, it is told to go and we act, we stop and it comes back. Its
// elector is played by client-go's two rules: a record is valid for its own duration from when it was seen to change, and
// only a record that is not valid, or has no holder, is taken. A real one is met in test/real/elector.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { pathOf, type RawObject } from '../../lib/kubernetes/api.ts'
import { LEASE } from '../../lib/lease/kubernetes.ts'
import type { LoopStatus } from '../../lib/runtime/status.ts'
import { MINUTE_MS, SECOND_MS, toMicroTime } from '../../lib/time.ts'
import { scenarioClock, T0 } from '../support/clock.ts'
import { startSandbox } from '../support/invoke.ts'
import { isWork } from '../support/requests.ts'
import { dueSessions } from '../support/sessions.ts'
import { type LeaseKind, startWorld, type World } from '../support/world.ts'

const PERIOD = 5 * MINUTE_MS
const AT = { namespace: 'breakglass-system', name: 'breakglass.telekom.io' }
const PATH = pathOf(LEASE, AT)
const active = (holder: string) => ({ kind: 'skipped', reason: 'upstream-active', holder })

describe.each<LeaseKind>(['kubernetes', 'dynamodb'])('beside a live upstream, with the %s lease,', lease => {
  let world: World
  let nowMs = T0

  beforeEach(async () => {
    nowMs = T0
    world = await startWorld(['cleanup'], () => nowMs)
    await world.kubernetes.load([
      { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: AT, spec: specOf('breakglass-0', 0) },
    ])
  })
  afterEach(() => world.close())

  const specOf = (holderIdentity: string, leaseTransitions: number) => ({
    holderIdentity,
    leaseTransitions,
    leaseDurationSeconds: 15,
    acquireTime: toMicroTime(nowMs),
    renewTime: toMicroTime(nowMs),
  })

  async function seen(): Promise<RawObject & { spec: ReturnType<typeof specOf> }> {
    const { body } = await world.api.request({ method: 'GET', path: PATH, repeat: 'read' })
    return body as RawObject & { spec: ReturnType<typeof specOf> }
  }

  /** An elector that has watched the record since it changed looks at it `agoMs` later; whether it leads then. */
  async function electorLeads(identity: string, agoMs: number): Promise<boolean> {
    const record = await seen()
    const { holderIdentity, leaseDurationSeconds, leaseTransitions } = record.spec
    const isValid = agoMs < leaseDurationSeconds * SECOND_MS
    if (holderIdentity !== '' && holderIdentity !== identity && isValid) return false
    const body = { ...record, spec: specOf(identity, leaseTransitions + (holderIdentity === identity ? 0 : 1)) }
    await world.api.request({ method: 'PUT', path: PATH, body, repeat: 'bound' })
    return true
  }

  const environment = (mode: 'hold' | 'refuse') => ({
    ...world.environment(lease),
    UPSTREAM_LEASE: `${AT.namespace}/${AT.name}`,
    UPSTREAM_MODE: mode,
  })
  /** A cold function at the world's time. */
  function sandbox(mode: 'hold' | 'refuse') {
    const clock = scenarioClock(nowMs)
    return { ...startSandbox(environment(mode), clock), clock }
  }
  const workSent = () => world.kubernetes.requests.filter(isWork).length

  it('refuse: nothing is written while its leader renews, and everything 75 s after it stopped', async () => {
    await world.kubernetes.load(dueSessions(3, nowMs))
    for (; nowMs < T0 + 2 * PERIOD; nowMs += PERIOD) {
      await electorLeads('breakglass-0', 2 * SECOND_MS)
      world.kubernetes.clearRequests()
      expect(await sandbox('refuse').tick(nowMs)).toMatchObject(active('breakglass-0'))
      expect(world.kubernetes.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([`GET ${PATH}`])
    }
    expect(world.dynamodb.requests.filter(({ operation }) => operation === 'UpdateItem')).toEqual([])

    nowMs = T0 + PERIOD + 74 * SECOND_MS
    expect(await sandbox('refuse').tick(nowMs)).toMatchObject(active('breakglass-0'))
    nowMs += SECOND_MS
    expect(await sandbox('refuse').tick(nowMs)).toMatchObject({ kind: 'completed', counts: { changed: 3 } })
  })

  it('hold: upstream, then us on command, then upstream again by itself', async () => {
    await world.kubernetes.load(dueSessions(3, nowMs))
    const hold = () => sandbox('hold')
    expect(await hold().tick(nowMs)).toMatchObject(active('breakglass-0'))

    const commanded = hold()
    const { upstream } = await commanded.reconcile<LoopStatus>({ loop: 'cleanup', action: 'hold' })
    expect(upstream).toMatchObject({ state: 'ours', takenFrom: 'breakglass-0' })
    expect(commanded.clock.wallMs() - nowMs).toBeGreaterThanOrEqual(15 * SECOND_MS)
    expect(workSent()).toBe(0)
    expect(await electorLeads('breakglass-0', 15 * SECOND_MS)).toBe(false)

    for (let tick = 1; tick <= 3; tick++) {
      nowMs = T0 + tick * PERIOD
      expect(await hold().tick(nowMs)).toMatchObject({ kind: 'completed', counts: { changed: tick === 1 ? 3 : 0 } })
      expect((await seen()).spec).toMatchObject({ leaseTransitions: 1, renewTime: expect.stringMatching(/\.\d{6}Z$/) })
      expect(await electorLeads('breakglass-1', PERIOD)).toBe(false)
    }
    // Two ticks that never come cost nothing; from the third on upstream is back.
    expect(await electorLeads('breakglass-1', 3 * PERIOD - SECOND_MS)).toBe(false)
    nowMs += 3 * PERIOD
    expect(await electorLeads('breakglass-1', 3 * PERIOD)).toBe(true)
    const before = workSent()
    expect(await hold().tick(nowMs)).toMatchObject(active('breakglass-1'))
    expect(workSent()).toBe(before)
    expect((await seen()).spec).toMatchObject({ holderIdentity: 'breakglass-1', leaseTransitions: 2 })
  })

  it('hold: eight deliveries that find its leader gone all wait 15 s, and one acts', async () => {
    await world.kubernetes.load(dueSessions(3, nowMs))
    nowMs += PERIOD
    const sandboxes = Array.from({ length: 8 }, () => sandbox('hold'))
    const outcomes = await Promise.all(sandboxes.map(({ tick }) => tick(nowMs)))
    expect(outcomes.filter(({ kind }) => kind === 'completed')).toMatchObject([{ counts: { changed: 3 } }])
    for (const { reason, kind } of outcomes)
      expect(['held', 'already-completed', 'completed']).toContain(kind === 'skipped' ? reason : kind)
    for (const { clock } of sandboxes) expect(clock.wallMs() - nowMs).toBeGreaterThanOrEqual(15 * SECOND_MS)
    expect((await seen()).spec).toMatchObject({ holderIdentity: 'fencepost/fencepost', leaseTransitions: 1 })
  })

  it('hold: one that fails right after it took the Lease leaves the wait to the next, and to that one alone', async () => {
    await world.kubernetes.load(dueSessions(1, nowMs))
    nowMs += PERIOD
    let isTaken = false
    world.kubernetes.intercept = ({ path, method }) => {
      if (isTaken) return { status: 403 }
      isTaken = path === PATH && method === 'PUT'
      return isTaken ? 'reset-after-commit' : undefined
    }
    await expect(sandbox('hold').tick(nowMs)).rejects.toMatchObject({ code: 'TickFailed' })
    world.kubernetes.intercept = undefined
    expect((await seen()).spec).toMatchObject({ holderIdentity: 'fencepost/fencepost' })

    nowMs += SECOND_MS
    const next = sandbox('hold')
    expect(await next.tick(nowMs)).toMatchObject({ kind: 'completed', counts: { changed: 1 } })
    expect(next.clock.wallMs() - nowMs).toBeGreaterThanOrEqual(15 * SECOND_MS)
    nowMs += PERIOD
    const later = sandbox('hold')
    expect(await later.tick(nowMs)).toMatchObject({ kind: 'completed' })
    expect(later.clock.wallMs() - nowMs).toBeLessThan(10 * SECOND_MS)
  })
})
