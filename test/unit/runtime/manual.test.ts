import { describe, expect, it } from 'vitest'
import type { DryRun } from '../../../lib/runtime/dry-run.ts'
import type { LoopStatus } from '../../../lib/runtime/status.ts'
import { SECOND_MS, toInstant } from '../../../lib/time.ts'
import { at, minute, rawPending, rawSession, T } from '../reconcilers/cleanup/fixtures.ts'
import { isWork, overdue, startFunctions } from './harness.ts'

const run = { loop: 'cleanup' }

/** What a Lease looks like while another invocation of ours has it for `seconds`. */
const held = (seconds: number, holder = 'fencepost-cleanup/other/1') => ({
  spec: {
    holderIdentity: holder,
    leaseTransitions: 7,
    leaseDurationSeconds: seconds,
    acquireTime: `${at(0).slice(0, -1)}.000000Z`,
    renewTime: `${at(0).slice(0, -1)}.000000Z`,
  },
})

describe('a dry run', () => {
  const sessions = [
    overdue('a'),
    rawSession('b'),
    rawPending('c', { status: { timeoutAt: at(-minute) } }),
    overdue('d'),
  ]

  it('writes nothing, not even to the lease', async () => {
    const functions = await startFunctions({ sessions })
    const lease = await functions.lease()
    await functions.reconcile({ ...run, dryRun: true })
    expect(functions.server.requests.length).toBeGreaterThan(0)
    expect(functions.writes()).toEqual([])
    expect(functions.server.requests.some(({ path }) => path.includes('leases'))).toBe(false)
    expect(await functions.lease()).toEqual(lease)
  })

  it('prints object, from, to and reason of everything that a tick would do', async () => {
    const functions = await startFunctions({ sessions })
    const plan = await functions.reconcile<DryRun>({ ...run, dryRun: true })
    expect(plan).toMatchObject({ kind: 'dry-run', loop: 'cleanup', broken: [], isComplete: true })
    expect(plan.plan.map(({ object, from, to, reason }) => ({ object, from, to, reason }))).toEqual([
      { object: 'team/c', from: 'Pending', to: 'ApprovalTimeout', reason: 'approvalTimeout' },
      { object: 'team/a', from: 'Approved', to: 'Expired', reason: 'timeExpired' },
      { object: 'team/d', from: 'Approved', to: 'Expired', reason: 'timeExpired' },
    ])
    const { changes } = await functions.tick()
    expect(new Set(changes.map(change => JSON.stringify(change)))).toEqual(
      new Set(plan.plan.map(change => JSON.stringify(change))),
    )
  })

  it('is narrowed by names and namespace', async () => {
    const functions = await startFunctions({ sessions })
    const planned = async (scope: object) =>
      (await functions.reconcile<DryRun>({ ...run, dryRun: true, ...scope })).plan.map(({ object }) => object)
    expect(await planned({ names: ['d', 'z'] })).toEqual(['team/d'])
    expect(await planned({ namespace: 'other' })).toEqual([])
  })

  it('runs beside a tick, under a held or suspended lease, and without one', async () => {
    const functions = await startFunctions({ sessions, lease: false })
    expect(await functions.reconcile<DryRun>({ ...run, dryRun: true })).toMatchObject({ isComplete: true })
  })

  it('says when it had no time to look at everything', async () => {
    const functions = await startFunctions({ sessions })
    const event = { ...run, dryRun: true }
    expect(await functions.reconcile<DryRun>(event, { remainingMs: 3_000 })).toMatchObject({
      observed: 0,
      isComplete: false,
    })
    functions.server.intercept = ({ path }) => (path.endsWith('debugsessions') ? 'hang' : undefined)
    const late = await functions.reconcile<DryRun>(event, { remainingMs: 20_000 })
    expect(late).toMatchObject({ isComplete: false })
    expect(late.plan).toHaveLength(3)
  })

  it('fails when the server refuses, with its reason', async () => {
    const functions = await startFunctions({ sessions })
    functions.server.intercept = () => ({ status: 403, body: { kind: 'Status', reason: 'Forbidden', message: 'no' } })
    await expect(functions.reconcile({ ...run, dryRun: true })).rejects.toMatchObject({ code: 'Forbidden' })
  })
})

describe('a manual run', () => {
  it('does the work, and marks no scheduled tick completed', async () => {
    const functions = await startFunctions({ sessions: [overdue('a')] })
    const outcome = await functions.reconcile(run, { requestId: 'by-hand' })
    expect(outcome).toMatchObject({ kind: 'completed', tick: 'manual/by-hand', token: 1, counts: { changed: 1 } })
    expect(await functions.status()).toMatchObject({ tick: 'manual/by-hand', completedTick: null, holder: null })
    expect(await functions.tick()).toMatchObject({ kind: 'completed', tick: toInstant(T) })
  })

  it('with names changes these alone, and leaves the checkpoint as it was', async () => {
    const functions = await startFunctions({ sessions: [overdue('a'), overdue('b'), overdue('c')] })
    const checkpoint = JSON.stringify({ v: 1, cursor: { phase: 'retention' } })
    await functions.changeLease({ metadata: { annotations: { 'fencepost.dev/checkpoint': checkpoint } } })
    expect(await functions.reconcile({ ...run, names: ['b', 'unknown'] })).toMatchObject({ counts: { changed: 1 } })
    expect(await functions.states()).toEqual({ a: 'Approved', b: 'Expired', c: 'Approved' })
    expect(await functions.status()).toMatchObject({ checkpoint: { v: 1, cursor: { phase: 'retention' } } })
  })

  it('runs although the schedule is switched off', async () => {
    const functions = await startFunctions({ sessions: [overdue('a')] })
    functions.environment.ENABLE_CLEANUP = 'false'
    expect(await functions.tick()).toMatchObject({ reason: 'disabled' })
    expect(await functions.reconcile(run)).toMatchObject({ kind: 'completed', counts: { changed: 1 } })
  })

  it('that failed throws with the first reason', async () => {
    const functions = await startFunctions({ sessions: [overdue('a')] })
    functions.server.intercept = request => (isWork(request) ? { status: 422 } : undefined)
    await expect(functions.reconcile(run, { requestId: 'x' })).rejects.toMatchObject({
      code: 'TickFailed',
      message: expect.stringMatching(
        /^cleanup tick manual\/x failed; 1 of \d+ objects failed, first team\/a: .*HTTP 422/,
      ),
    })
  })
})

describe('a manual run while another one holds the lease', () => {
  it('is skipped at once unless it is told to wait', async () => {
    const functions = await startFunctions({ sessions: [overdue('a')] })
    await functions.changeLease(held(60))
    expect(await functions.reconcile(run)).toMatchObject({
      kind: 'skipped',
      reason: 'held',
      holder: 'fencepost-cleanup/other/1',
    })
    expect(functions.clock.wallMs()).toBe(T)
  })

  it('waits for it, asking once a second, and then does the work', async () => {
    const functions = await startFunctions({ sessions: [overdue('a')] })
    await functions.changeLease(held(4))
    const outcome = await functions.reconcile({ ...run, waitSeconds: 10 })
    expect(outcome).toMatchObject({
      kind: 'completed',
      counts: { changed: 1 },
      tookOverFrom: 'fencepost-cleanup/other/1',
    })
    const asked = functions.server.requests.filter(({ method, path }) => method === 'GET' && path.includes('leases'))
    expect(asked).toHaveLength(5)
  })

  it('goes on as soon as it is given back', async () => {
    const functions = await startFunctions({ sessions: [overdue('a')] })
    await functions.changeLease(held(600))
    let asked = 0
    functions.server.intercept = async ({ method, path }) => {
      if (method === 'GET' && path.includes('leases') && ++asked === 3)
        await functions.changeLease({
          spec: { holderIdentity: '' },
          metadata: { annotations: { 'fencepost.dev/drained': '7' } },
        })
      return undefined
    }
    expect(await functions.reconcile({ ...run, waitSeconds: 10 })).toMatchObject({
      kind: 'completed',
      token: 8,
      settled: false,
    })
    expect(functions.clock.wallMs() - T).toBe(2 * SECOND_MS)
  })

  it('gives up after waitSeconds', async () => {
    const functions = await startFunctions({ sessions: [overdue('a')] })
    await functions.changeLease(held(600))
    expect(await functions.reconcile({ ...run, waitSeconds: 3 })).toMatchObject({ kind: 'skipped', reason: 'held' })
    expect(functions.clock.wallMs() - T).toBe(3 * SECOND_MS)
    expect(functions.writes()).toEqual([])
  })

  it('gives up when too little of the invocation is left', async () => {
    const functions = await startFunctions()
    await functions.changeLease(held(600))
    const outcome = await functions.reconcile({ ...run, waitSeconds: 900 }, { remainingMs: 10_000 })
    expect(outcome).toMatchObject({ kind: 'skipped', reason: 'insufficient-time' })
    expect(functions.clock.wallMs() - T).toBeLessThan(10_000)
  })

  it('gives up when it is told to end', async () => {
    const functions = await startFunctions()
    await functions.changeLease(held(600))
    functions.server.intercept = ({ path }) => {
      // The answer is on its way when the signal comes.
      if (path.includes('leases')) setImmediate(() => process.emit('SIGTERM', 'SIGTERM'))
      return undefined
    }
    const outcome = await functions
      .reconcile({ ...run, waitSeconds: 60 })
      .catch((thrown: { outcome: unknown }) => thrown.outcome)
    process.exitCode = undefined
    expect(outcome).toMatchObject({ stoppedBy: 'SIGTERM' })
    expect(functions.clock.wallMs() - T).toBeLessThan(2 * SECOND_MS)
  })
})

describe('the lease by hand', () => {
  it('status tells of a lease and a Fence that nobody ever had, and asks one question about each', async () => {
    const functions = await startFunctions()
    expect(await functions.status()).toEqual({
      loop: 'cleanup',
      lease: 'Lease fencepost-system/fencepost-cleanup',
      holder: null,
      token: 0,
      termEndsAt: null,
      isOverdue: false,
      suspended: false,
      tick: null,
      completedTick: null,
      drained: true,
      lastOutcome: null,
      checkpoint: null,
      fence: { name: 'fencepost-cleanup', mode: 'enforced', state: 'never-raised', token: null, holder: null },
    })
    expect(functions.server.requests.map(({ method }) => method)).toEqual(['GET', 'GET'])
  })

  it('status tells where the Fence stands beside the lease', async () => {
    const functions = await startFunctions({ sessions: [overdue('a')] })
    await functions.tick()
    const holder = expect.stringContaining('fencepost-cleanup/request-')
    expect((await functions.status()).fence).toMatchObject({ state: 'raised', token: 1, holder })
    await functions.reconcile({ ...run, action: 'release' })
    expect((await functions.status()).fence).toMatchObject({ state: 'behind', token: 1, holder })
    await functions.changeLease({ spec: { leaseTransitions: 0 } })
    expect((await functions.status()).fence).toMatchObject({ state: 'ahead', token: 1 })
  })

  it('status tells who holds it until when, and what came of the last term', async () => {
    const functions = await startFunctions({ sessions: [overdue('a')] })
    await functions.tick()
    const lastOutcome = { kind: 'completed', tick: toInstant(T), token: 1, counts: { changed: 1 } }
    expect(await functions.status()).toMatchObject({ lastOutcome, drained: true, completedTick: toInstant(T) })
    await functions.changeLease(held(60))
    expect(await functions.status()).toMatchObject({
      holder: 'fencepost-cleanup/other/1',
      token: 7,
      termEndsAt: at(minute),
      isOverdue: false,
      drained: false,
    })
    functions.clock.advance(minute)
    expect(await functions.status()).toMatchObject({ isOverdue: true })
  })

  it('status gives what is not JSON as it stands', async () => {
    const functions = await startFunctions()
    await functions.changeLease({
      metadata: { annotations: { 'fencepost.dev/checkpoint': '{"v":', 'fencepost.dev/last-outcome': 'x' } },
    })
    expect(await functions.status()).toMatchObject({ checkpoint: '{"v":', lastOutcome: 'x' })
  })

  it('suspend keeps every tick and run from acting until resume', async () => {
    const functions = await startFunctions({ sessions: [overdue('a')] })
    expect(await functions.reconcile({ ...run, action: 'suspend' })).toMatchObject({ suspended: true, token: 0 })
    expect(await functions.tick()).toMatchObject({ kind: 'skipped', reason: 'suspended' })
    expect(await functions.reconcile(run)).toMatchObject({ kind: 'skipped', reason: 'suspended' })
    expect(await functions.reconcile({ ...run, action: 'resume' })).toMatchObject({ suspended: false })
    expect(await functions.tick()).toMatchObject({ kind: 'completed', counts: { changed: 1 } })
  })

  it('suspend during a term is kept by that term’s end', async () => {
    const functions = await startFunctions({ sessions: [overdue('a')] })
    functions.server.intercept = async ({ method, path }) => {
      if (method === 'PATCH' && path.endsWith('/a/status'))
        await functions.changeLease({ metadata: { annotations: { 'fencepost.dev/suspend': 'true' } } })
      return undefined
    }
    expect(await functions.tick()).toMatchObject({ kind: 'completed', counts: { changed: 1 } })
    functions.server.intercept = undefined
    expect(await functions.status()).toMatchObject({ holder: null, suspended: true, completedTick: toInstant(T) })
  })

  it('release frees a stuck lease: a higher token, nobody, and the next one settles', async () => {
    const functions = await startFunctions({ sessions: [overdue('a')] })
    await functions.changeLease(held(3_600))
    expect(await functions.reconcile<LoopStatus>({ ...run, action: 'release' })).toMatchObject({
      holder: null,
      token: 8,
      drained: false,
    })
    expect(await functions.tick()).toMatchObject({ kind: 'completed', token: 9, settled: true })
  })

  it('release during a term makes that term lost: fenced, and the ledger is left alone', async () => {
    const functions = await startFunctions({ sessions: [overdue('a')] })
    let isReleased = false
    functions.server.intercept = async ({ path }) => {
      if (path.endsWith('debugsessions') && !isReleased) {
        isReleased = true
        await functions.reconcile({ ...run, action: 'release' })
      }
      return undefined
    }
    expect(await functions.tick()).toMatchObject({ kind: 'fenced', token: 1 })
    functions.server.intercept = undefined
    expect(await functions.status()).toMatchObject({ holder: null, token: 2, completedTick: null })
  })

  it('release leaves a foreign holder alone until its term has ended', async () => {
    const functions = await startFunctions()
    await functions.changeLease(held(60, 'someone-elses-controller'))
    const release = () => functions.reconcile<LoopStatus>({ ...run, action: 'release' })
    await expect(release()).rejects.toMatchObject({
      code: 'ForeignHolder',
      message: expect.stringContaining('"someone-elses-controller" is not ours'),
    })
    functions.clock.advance(minute)
    expect(await release()).toMatchObject({ holder: null, token: 8 })
  })

  it('every change by hand is logged with lease, action and token', async () => {
    const functions = await startFunctions()
    for (const action of ['suspend', 'resume', 'release', 'status']) await functions.reconcile({ ...run, action })
    expect(functions.log.lines).toMatchObject(
      ['suspend', 'resume', 'release'].map(action => ({
        level: 'warn',
        message: 'lease changed by hand',
        fields: { lease: 'Lease fencepost-system/fencepost-cleanup', action, token: action === 'release' ? 1 : 0 },
      })),
    )
    expect(functions.log.lines).toHaveLength(3)
  })

  it('every action ends after 10 s against a server that never answers', async () => {
    const functions = await startFunctions()
    for (const action of ['status', 'suspend', 'resume', 'release']) {
      const beganMs = functions.clock.wallMs()
      functions.server.intercept = () => 'hang'
      await expect(functions.reconcile({ ...run, action })).rejects.toMatchObject({ code: 'Aborted' })
      expect(functions.clock.wallMs() - beganMs).toBe(10 * SECOND_MS)
    }
  })
})
