import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { TickFailedError } from '../../../lib/tick/outcome.ts'
import { MINUTE_MS, toInstant } from '../../../lib/time.ts'
import { at, minute, rawSession, T } from '../reconcilers/cleanup/fixtures.ts'
import { isWork, overdue, PERIOD_MS, startFunctions } from './harness.ts'

describe('a scheduled tick', () => {
  it('does the work that is due, gives the lease back, and answers what it came to', async () => {
    const functions = await startFunctions({ sessions: [overdue('a'), rawSession('b')] })
    expect(await functions.tick()).toMatchObject({
      kind: 'completed',
      loop: 'cleanup',
      tick: toInstant(T),
      token: 1,
      counts: { changed: 1, failed: 0 },
      changes: [{ object: 'team/a', from: 'Approved', to: 'Expired', reason: 'timeExpired' }],
    })
    expect(await functions.states()).toEqual({ a: 'Expired', b: 'Approved' })
    expect(await functions.status()).toMatchObject({
      holder: null,
      token: 1,
      completedTick: toInstant(T),
      drained: true,
    })
    expect(functions.log.messages()).toEqual(['session transition', 'tick'])
  })

  it('is done once, however often it is delivered', async () => {
    const functions = await startFunctions({ sessions: [overdue('a')] })
    await functions.tick()
    const writes = functions.writes()
    expect(await functions.tick()).toMatchObject({ kind: 'skipped', reason: 'already-completed', token: 1 })
    expect(functions.writes()).toEqual(writes)
  })

  it('is named by its scheduled time floored to the period, not by the clock', async () => {
    const functions = await startFunctions()
    functions.clock.advance(MINUTE_MS)
    const event = { scheduledTime: toInstant(T + 59_000) }
    expect(await functions.tick({ event })).toMatchObject({ kind: 'completed', tick: toInstant(T) })
  })

  it('older than the last completed one is superseded', async () => {
    const functions = await startFunctions()
    functions.clock.advance(PERIOD_MS)
    await functions.tick()
    expect(await functions.tick({ event: { time: toInstant(T) } })).toMatchObject({
      kind: 'skipped',
      reason: 'superseded',
    })
  })

  it('tells how many ticks before it never completed', async () => {
    const functions = await startFunctions()
    await functions.tick()
    functions.clock.advance(4 * PERIOD_MS)
    expect(await functions.tick()).toMatchObject({ kind: 'completed', missedTicks: 3 })
  })
})

describe('a scheduled tick is skipped, with nothing asked of the server,', () => {
  it.each<[string, string, Parameters<typeof startFunctions>[0], Record<string, string>, object]>([
    ['one period and a second late', 'too-late', {}, {}, { event: { time: toInstant(T - PERIOD_MS - 1_000) } }],
    ['later than TICK_DEADLINE', 'too-late', {}, { TICK_DEADLINE: '1m' }, { event: { time: toInstant(T - 61_000) } }],
    ['with ENABLE_CLEANUP=false', 'disabled', {}, { ENABLE_CLEANUP: 'false' }, {}],
    ['with 4.7 s left of the invocation', 'insufficient-time', {}, {}, { remainingMs: 4_700 }],
    ['with nothing left of it', 'insufficient-time', {}, {}, { remainingMs: 0 }],
  ])('%s: %s', async (_title, reason, start, environment, call) => {
    const functions = await startFunctions({ ...start, sessions: [overdue('a')] })
    Object.assign(functions.environment, environment)
    expect(await functions.tick(call)).toMatchObject({ kind: 'skipped', reason, loop: 'cleanup' })
    expect(functions.server.requests).toEqual([])
    expect(functions.log.lines).toMatchObject([{ level: 'info', message: 'tick', fields: { kind: 'skipped', reason } }])
  })

  it('but not exactly one period late', async () => {
    const functions = await startFunctions()
    expect(await functions.tick({ event: { time: toInstant(T - PERIOD_MS) } })).toMatchObject({ kind: 'completed' })
  })

  it('and refused when it lies more than a period in the future', async () => {
    const functions = await startFunctions()
    const event = { time: toInstant(T + PERIOD_MS + 1_000) }
    await expect(functions.tick({ event })).rejects.toMatchObject({
      code: 'InvalidEvent',
      message: expect.stringContaining(`the event's scheduled time ${event.time} is 5 min in the future`),
    })
    expect(functions.server.requests).toEqual([])
  })
})

describe('an event that is not usable', () => {
  it('is refused before anything is asked of the server, and logged', async () => {
    const functions = await startFunctions()
    await expect(functions.tick({ event: { time: 'now' } })).rejects.toMatchObject({ code: 'InvalidEvent' })
    expect(functions.server.requests).toEqual([])
    expect(functions.log.lines).toMatchObject([
      {
        level: 'error',
        message: 'invocation failed',
        fields: { code: 'InvalidEvent', reason: expect.stringContaining('time: expected') },
      },
    ])
  })
})

describe('an environment that is not usable', () => {
  it('fails the invocation with every wrong variable', async () => {
    const functions = await startFunctions()
    Object.assign(functions.environment, { WORKERS: '0', LEASE: 'etcd' })
    await expect(functions.tick()).rejects.toMatchObject({
      code: 'InvalidConfiguration',
      message: expect.stringMatching(/LEASE=etcd.*WORKERS=0/),
    })
  })
})

describe('a tick that fails', () => {
  it('throws what failed, how often, and the first object with its reason', async () => {
    const functions = await startFunctions({ sessions: [overdue('a'), overdue('b'), overdue('c')] })
    functions.server.intercept = request =>
      isWork(request) && !request.path.includes('/c/')
        ? { status: 422, body: { kind: 'Status', reason: 'Invalid', message: 'no such state' } }
        : undefined
    const error: unknown = await functions.tick().catch(thrown => thrown)
    expect(error).toBeInstanceOf(TickFailedError)
    expect(error).toMatchObject({
      code: 'TickFailed',
      message: expect.stringMatching(
        /^cleanup tick 2026-09-01T08:00:00Z failed; 2 of \d+ objects failed, first team\/[ab]: PATCH \S+\/status: HTTP 422 Invalid: no such state$/,
      ),
      outcome: { kind: 'failed', counts: { changed: 1, failed: 2 } },
    })
    expect(await functions.states()).toEqual({ a: 'Approved', b: 'Approved', c: 'Expired' })
  })

  it('is logged once as a tick, and as an invocation with the same reason', async () => {
    const functions = await startFunctions()
    functions.server.intercept = ({ path }) => (path.endsWith('sessions') ? { status: 403 } : undefined)
    const error: unknown = await functions.tick().catch(thrown => thrown)
    expect(functions.log.lines.filter(({ level }) => level === 'error')).toMatchObject([
      { message: 'tick', fields: { kind: 'failed', error: { code: 'Forbidden' } } },
      { message: 'invocation failed', fields: { code: 'TickFailed', reason: (error as Error).message } },
    ])
  })

  it('gives the lease back, does not complete, and lets the next one do the work', async () => {
    const functions = await startFunctions({ sessions: [overdue('a')] })
    functions.server.intercept = ({ path }) => (path.endsWith('sessions') ? { status: 403 } : undefined)
    await expect(functions.tick()).rejects.toMatchObject({ code: 'TickFailed' })
    expect(await functions.status()).toMatchObject({ holder: null, token: 1, completedTick: null, drained: true })
    functions.server.intercept = undefined
    expect(await functions.tick()).toMatchObject({ kind: 'completed', token: 2, counts: { changed: 1 } })
  })
})

describe('a sandbox', () => {
  it('keeps its connections over 3 ticks, and nothing of a term', async () => {
    const functions = await startFunctions({ sessions: [overdue('a')] })
    for (let tick = 0; tick < 3; tick++) {
      expect(await functions.tick()).toMatchObject({ kind: 'completed', token: tick + 1 })
      functions.clock.advance(PERIOD_MS)
    }
  })

  it('holds the lease under another identity each time, even for one request id', async () => {
    const functions = await startFunctions()
    const holders = new Set<string>()
    functions.server.intercept = ({ method, body }) => {
      const { spec } = method === 'PUT' ? (JSON.parse(body) as { spec: { holderIdentity: string } }) : {}
      if (spec?.holderIdentity) holders.add(spec.holderIdentity)
      return undefined
    }
    for (const requestId of ['one', 'one', 'two']) {
      await functions.tick({ requestId })
      functions.clock.advance(PERIOD_MS)
    }
    expect([...holders].map(holder => holder.replace(/\/[0-9a-f]{16}$/, ''))).toEqual([
      'fencepost-cleanup/one',
      'fencepost-cleanup/one',
      'fencepost-cleanup/two',
    ])
  })

  it('that found no usable kubeconfig tries again at the next tick', async () => {
    const functions = await startFunctions()
    const { KUBECONFIG = '' } = functions.environment
    const good = readFileSync(KUBECONFIG, 'utf8')
    writeFileSync(KUBECONFIG, 'nothing')
    await expect(functions.tick()).rejects.toMatchObject({ code: 'InvalidConfiguration' })
    writeFileSync(KUBECONFIG, good)
    expect(await functions.tick()).toMatchObject({ kind: 'completed' })
  })
})

describe('the lease’s term', () => {
  it('outlives the invocation by a tail of 15 s', async () => {
    const functions = await startFunctions()
    let seconds = 0
    functions.server.intercept = ({ method, body }) => {
      if (method !== 'PUT') return undefined
      const { spec } = JSON.parse(body) as { spec: { holderIdentity: string; leaseDurationSeconds: number } }
      if (spec.holderIdentity) seconds = spec.leaseDurationSeconds
      return undefined
    }
    await functions.tick({ remainingMs: 30_000 })
    expect(seconds).toBe(45)
  })
})

describe('an unclean predecessor', () => {
  it('is waited out for 15 s before the first read of sessions', async () => {
    const functions = await startFunctions({ sessions: [overdue('a')] })
    await functions.changeLease({ metadata: { annotations: { 'fencepost.dev/drained': null } } })
    let readAtMs = 0
    functions.server.intercept = ({ path }) => {
      if (path.endsWith('sessions') && readAtMs === 0) readAtMs = functions.clock.wallMs()
      return undefined
    }
    expect(await functions.tick()).toMatchObject({ kind: 'completed', settled: true, counts: { changed: 1 } })
    expect(readAtMs - T).toBe(15_000)
  })

  it('who still holds the lease is left to act', async () => {
    const functions = await startFunctions({ sessions: [overdue('a')] })
    await functions.changeLease({
      spec: {
        holderIdentity: 'fencepost-cleanup/other/1',
        leaseTransitions: 7,
        leaseDurationSeconds: 60,
        renewTime: `${at(0).slice(0, -1)}.000000Z`,
      },
    })
    expect(await functions.tick()).toMatchObject({
      kind: 'skipped',
      reason: 'held',
      token: 7,
      holder: 'fencepost-cleanup/other/1',
    })
    expect(functions.writes()).toEqual([])
    functions.clock.advance(minute)
    const outcome = await functions.tick()
    expect(outcome).toMatchObject({
      kind: 'completed',
      token: 8,
      tookOverFrom: 'fencepost-cleanup/other/1',
      settled: true,
    })
  })
})
