import { describe, expect, it } from 'vitest'
import { AbortedError, FenceError, LeaseLostError, PermanentError, TransientError } from '../../../lib/errors.ts'
import type { ObjectWriter } from '../../../lib/fence/writer.ts'
import { openLease } from '../../../lib/lease/fenced-lease.ts'
import type { Lease, LeaseRecord } from '../../../lib/lease/lease.ts'
import { memoryStore } from '../../../lib/lease/memory.ts'
import { cutStages, DEFAULT_STAGES, openBudget, type Stages } from '../../../lib/tick/budget.ts'
import type { Scope } from '../../../lib/tick/reconciler.ts'
import { runTick } from '../../../lib/tick/run-tick.ts'
import { manualTick, scheduledTick } from '../../../lib/tick/schedule.ts'
import type { TickTools } from '../../../lib/tick/tick.ts'
import { SETTLE_MS, TAIL_MS } from '../../../lib/tick/times.ts'
import { manualClock, T0 } from '../../support/clock.ts'
import { recordingLog } from '../../support/log.ts'
import { type CountingOptions, countingReconciler, dueItems } from '../../support/reconciler.ts'

const PERIOD = 300_000
const TIMEOUT = 60_000
const signal = new AbortController().signal

/** A drained lease, a loop of five due objects, and one try at a tick after the other. */
function world(options: Partial<CountingOptions> & { record?: Partial<LeaseRecord>; tools?: Partial<TickTools> } = {}) {
  const clock = manualClock()
  const log = recordingLog()
  const lease = openLease({
    store: memoryStore('fencepost-counting', { drained: 0, ...options.record }),
    name: 'fencepost-counting',
    clock,
    log,
  })
  const loop = countingReconciler({ items: dueItems(5), ...options })
  const closed = { outcomesKnown: true }
  const writer = { close: () => closed } as ObjectWriter
  const tools: TickTools = {
    lease,
    fence: { raise: async grant => grant },
    openWriter: () => writer,
    clockSkewMs: () => 0,
    handlers: [],
    workers: 1,
    clock,
    log,
    ...options.tools,
  }
  const start = (tick = scheduledTick(T0, PERIOD) as ReturnType<typeof manualTick>, scope: Scope = {}) => {
    const budget = openBudget(cutStages(TIMEOUT, DEFAULT_STAGES, tools.handlers.length) as Stages, clock)
    const running = runTick(loop.reconciler, { tick, periodMs: PERIOD, requestId: 'request', scope, budget }, tools)
    return { running, budget }
  }
  const run = (...args: Parameters<typeof start>) => clock.run(start(...args).running)
  return { clock, log, lease, loop, closed, start, run, record: () => lease.read(signal) }
}

describe('a tick', () => {
  it('looks at all pages, changes what is due, completes and drains', async () => {
    const { run, loop, record } = world()
    const outcome = await run()
    expect(outcome).toMatchObject({
      kind: 'completed',
      token: 1,
      counts: { observed: 5, planned: 5, changed: 5, unchanged: 0, failed: 0 },
      missedTicks: 0,
    })
    expect(loop.items.every(({ state }) => state === 'done')).toBe(true)
    expect(await record()).toMatchObject({ holder: '', token: 1, drained: 1, completedTick: '2026-11-21T07:05:00Z' })
  })

  it('asks for a term of the time that is left and a tail of 15 s', async () => {
    const { start, record, clock } = world({ onApply: () => new Promise(() => {}) })
    start()
    await clock.advance(0)
    expect(await record()).toMatchObject({ acquiredAtMs: T0, termEndsAtMs: T0 + TIMEOUT + TAIL_MS })
  })

  it('is skipped when it was completed before, and counts what it missed', async () => {
    const { run } = world({ record: { completedTick: '2026-11-21T06:50:00Z' } })
    expect((await run()).missedTicks).toBe(2)
    expect(await run()).toMatchObject({ kind: 'skipped', reason: 'already-completed', token: 1 })
  })

  it('is skipped without naming a token that was not the one that completed it', async () => {
    const { run } = world()
    await run()
    await run(manualTick('m'))
    const outcome = await run()
    expect(outcome).toMatchObject({ kind: 'skipped', reason: 'already-completed' })
    expect(outcome).not.toHaveProperty('token')
  })

  it('is skipped while another one acts, which is named', async () => {
    const { start, run, clock } = world({ onApply: () => new Promise(() => {}) })
    start()
    await clock.advance(0)
    expect(await run(manualTick('m'))).toMatchObject({
      kind: 'skipped',
      reason: 'held',
      holder: expect.stringMatching(/^fencepost-counting\/request\//),
    })
  })

  it('yields inside a page when its budget ends, and the next one resumes there and completes', async () => {
    const applied: string[] = []
    const { clock, start, run, loop, record } = world({
      onApply: async name => {
        applied.push(name)
        await clock.sleep(10_000)
      },
    })
    const outcome = await clock.run(start().running)
    expect(outcome).toMatchObject({ kind: 'yielded', counts: { changed: 3 } })
    expect(await record()).toMatchObject({
      completedTick: undefined,
      holder: '',
      drained: 1,
      checkpoint: '{"v":1,"cursor":{"after":"item-01"}}',
    })
    expect(await run(scheduledTick(T0 + PERIOD, PERIOD))).toMatchObject({ kind: 'completed', counts: { changed: 2 } })
    expect(loop.observedFrom).toEqual([undefined, 'item-01'])
    expect(applied).toEqual(dueItems(5).map(({ name }) => name))
    expect((await record()).checkpoint).toBeUndefined()
  })

  it('yields at the page it was reading when the budget ends inside a read', async () => {
    const { clock, run, loop, record } = world({
      onObserve: async (after, reading) => {
        if (after === undefined) return
        await clock.sleep(3_600_000, reading)
        throw new TransientError('Timeout', 'cut off')
      },
    })
    expect(await run()).toMatchObject({ kind: 'yielded', counts: { changed: 2 } })
    expect(await record()).toMatchObject({ checkpoint: '{"v":1,"cursor":{}}' })
    expect(loop.items.filter(({ state }) => state === 'done').length).toBe(2)
  })

  it('waits for what is in flight when its budget ends, and counts it', async () => {
    const { clock, run } = world({ items: dueItems(1), onApply: () => clock.sleep(40_000) })
    expect(await run()).toMatchObject({ kind: 'yielded', counts: { changed: 1 } })
    expect(clock.monotonicMs()).toBe(40_000)
  })

  it('aborts what outlives the wait, and is not drained when an outcome stayed unknown', async () => {
    const { clock, run, record, closed } = world({
      items: dueItems(1),
      onApply: (_name, { signal: aborted }) =>
        clock.sleep(3_600_000, aborted).then(() => Promise.reject(new TransientError('Timeout', 'cut off'))),
    })
    closed.outcomesKnown = false
    expect(await run()).toMatchObject({ kind: 'failed', counts: { failed: 1 } })
    expect(await record()).toMatchObject({ holder: '', drained: undefined })
  })

  it('tells of actions that ignored their abort, and leaves its term undrained', async () => {
    const { run, record, closed } = world({
      items: dueItems(2),
      onApply: () => new Promise(() => {}),
      tools: { workers: 2 },
    })
    closed.outcomesKnown = false
    expect(await run()).toMatchObject({ kind: 'yielded', abandoned: 2, counts: { changed: 0 } })
    expect(await record()).toMatchObject({ holder: '', drained: undefined, checkpoint: '{"v":1,"cursor":{}}' })
  })

  it('goes on after one object failed, fails at the end and leaves the tick open', async () => {
    const { run, loop, record } = world({
      onApply: name => {
        if (name === 'item-01') throw new PermanentError('InvalidResource', 'spec.user is a number')
      },
    })
    expect(await run()).toMatchObject({
      kind: 'failed',
      counts: { changed: 4, failed: 1 },
      failures: [{ object: 'item-01', code: 'InvalidResource', message: 'spec.user is a number' }],
    })
    expect(loop.items.filter(({ state }) => state === 'done').length).toBe(4)
    expect(await record()).toMatchObject({ holder: '', drained: 1, completedTick: undefined })
  })

  it('fails at the end for an object that could not be read, and changes the others', async () => {
    const { run } = world({ broken: ['bad'] })
    expect(await run()).toMatchObject({ kind: 'failed', counts: { observed: 6, changed: 5, failed: 1 } })
  })

  it('fails when reading fails, without foreign texts, and gives the lease back', async () => {
    const { run, record } = world({
      onObserve: () => {
        throw new Error('password=hunter2')
      },
    })
    expect(await run()).toMatchObject({ kind: 'failed', error: { code: 'Error', message: 'unexpected Error (Error)' } })
    expect(await record()).toMatchObject({ holder: '', drained: 1 })
  })

  it('is fenced when the lease is lost in the middle, and starts nothing more', async () => {
    const applied: string[] = []
    const { run, record } = world({
      onApply: name => {
        applied.push(name)
        throw new LeaseLostError('overtaken')
      },
    })
    expect((await run()).kind).toBe('fenced')
    expect(applied).toEqual(['item-00'])
    expect((await record()).holder).not.toBe('')
  })

  it('is fenced when the lease was freed under it, and leaves the record alone', async () => {
    const { run, record, lease } = world({
      onApply: async () => {
        await lease.free(signal)
      },
      items: dueItems(1),
    })
    expect(await run()).toMatchObject({ kind: 'fenced', token: 1 })
    expect(await record()).toMatchObject({ token: 2, completedTick: undefined, drained: undefined })
  })

  it('runs its shutdown handlers before it gives the lease back', async () => {
    const holders: string[] = []
    const { run, record } = world({
      tools: { handlers: [{ name: 'look', run: async () => void holders.push((await record()).holder) }] },
    })
    await run()
    expect(holders).toEqual([expect.stringContaining('/request/')])
  })

  it('ends through the same stages when it is stopped by a signal', async () => {
    const { clock, start, record } = world({ onApply: () => clock.sleep(1_000) })
    const { running, budget } = start()
    await clock.advance(500)
    budget.stop('SIGTERM')
    expect(await clock.run(running)).toMatchObject({ kind: 'yielded', stoppedBy: 'SIGTERM', counts: { changed: 1 } })
    expect(await record()).toMatchObject({ holder: '', drained: 1, checkpoint: '{"v":1,"cursor":{}}' })
  })

  it('that is stopped before it has the lease is no failure, and takes none', async () => {
    const { clock, start, record } = world({
      tools: {
        lease: {
          acquire: ({ signal: asking }: { signal: AbortSignal }) =>
            new Promise((_, reject) => asking.addEventListener('abort', () => reject(new AbortedError('stopped')))),
        } as unknown as Lease,
      },
    })
    const { running, budget } = start()
    await clock.advance(1)
    budget.stop('SIGTERM')
    expect(await clock.run(running)).toMatchObject({ kind: 'yielded', stoppedBy: 'SIGTERM', counts: { observed: 0 } })
    expect(await record()).toMatchObject({ token: 0 })
  })

  it('leaves no sleeper behind', async () => {
    const { clock, run } = world()
    await run()
    expect(clock.pending()).toBe(0)
  })

  it('refuses to judge by a clock 61 s ahead of the API server’s, before anything is planned', async () => {
    const { run, loop } = world({ tools: { clockSkewMs: () => -61_000 } })
    expect(await run()).toMatchObject({ kind: 'failed', error: { code: 'InvalidConfiguration' } })
    expect(loop.items.every(({ state }) => state === 'due')).toBe(true)
  })
})

describe('raising the fence', () => {
  it('comes after the acquire and before the first read, with the grant that the record gave', async () => {
    const order: string[] = []
    const { run, record } = world({
      onObserve: () => void order.push('observe'),
      tools: {
        fence: {
          raise: async grant => {
            order.push(`raise ${grant.token} of ${(await record()).holder === grant.holder ? 'the holder' : 'nobody'}`)
            return grant
          },
        },
      },
    })
    expect((await run()).kind).toBe('completed')
    expect(order[0]).toBe('raise 1 of the holder')
    expect(order[1]).toBe('observe')
  })

  it('that fails reads nothing, fails the tick, and gives the lease back as not drained: its record may be an older one', async () => {
    const missing = new FenceError('FenceMissing', 'Fence fencepost-counting does not exist')
    const { run, record, loop } = world({ tools: { fence: { raise: () => Promise.reject(missing) } } })
    expect(await run()).toMatchObject({ kind: 'failed', error: { code: 'FenceMissing', message: missing.message } })
    expect(loop.observedFrom).toEqual([])
    expect(await record()).toMatchObject({ holder: '', token: 1, drained: undefined, completedTick: undefined })
  })

  it('that was overtaken makes the tick fenced, and leaves the record alone', async () => {
    const { run, record, loop, lease } = world({
      tools: {
        fence: {
          raise: async () => {
            await lease.free(signal)
            throw new LeaseLostError('overtaken')
          },
        },
      },
    })
    expect(await run()).toMatchObject({ kind: 'fenced', token: 1 })
    expect(loop.observedFrom).toEqual([])
    expect(await record()).toMatchObject({ token: 2, drained: undefined })
  })

  it('that healed the record is followed by a settle, and the term ends under the healed token', async () => {
    const readAtMs: number[] = []
    const { run, record, clock, lease } = world({
      onObserve: () => void readAtMs.push(clock.monotonicMs()),
      tools: { fence: { raise: grant => lease.advance(grant, 90, signal) } },
    })
    expect(await run()).toMatchObject({ kind: 'completed', token: 90, settled: true })
    expect(readAtMs[0]).toBe(SETTLE_MS)
    expect(await record()).toMatchObject({ holder: '', token: 90, drained: 90 })
  })

  it('that healed the record and fails then gives the lease back under the healed token', async () => {
    const forbidden = new FenceError('FenceForbidden', 'this function may not patch Fence fencepost-counting')
    const { run, record, lease } = world({
      tools: {
        fence: {
          raise: async (grant, raising, advanced) => {
            advanced(await lease.advance(grant, 90, raising))
            throw forbidden
          },
        },
      },
    })
    expect(await run()).toMatchObject({ kind: 'failed', token: 90, error: { code: 'FenceForbidden' } })
    expect(await record()).toMatchObject({ holder: '', token: 90, drained: undefined })
  })

  it('is what the settle counts from, be it later than the acquire', async () => {
    const readAtMs: number[] = []
    const { run, clock } = world({
      record: { drained: undefined },
      onObserve: () => void readAtMs.push(clock.monotonicMs()),
      tools: {
        fence: {
          raise: async grant => {
            await clock.sleep(4_000)
            return { ...grant, acknowledged: { wallMs: clock.wallMs(), monotonicMs: clock.monotonicMs() } }
          },
        },
      },
    })
    expect(await run()).toMatchObject({ kind: 'completed', settled: true })
    expect(readAtMs[0]).toBe(4_000 + SETTLE_MS)
  })
})

describe('a fence that breaks in the middle', () => {
  it('ends the tick at once as failed, with its reason and not as an object’s failure', async () => {
    const applied: string[] = []
    const { run, record } = world({
      onApply: name => {
        applied.push(name)
        throw new FenceError('FenceNotInForce', 'the API server would let it through')
      },
    })
    expect(await run()).toMatchObject({
      kind: 'failed',
      error: { code: 'FenceNotInForce' },
      stoppedBy: 'FenceNotInForce',
      counts: { changed: 0, failed: 0 },
    })
    expect(applied).toEqual(['item-00'])
    expect(await record()).toMatchObject({ holder: '', completedTick: undefined })
  })
})

describe('a settle', () => {
  it('of 15 s comes before the first read after an unclean end, and the term is then drained', async () => {
    const readAtMs: number[] = []
    const { clock, run, record } = world({
      record: { drained: undefined },
      onObserve: () => void readAtMs.push(clock.monotonicMs()),
    })
    expect(await run()).toMatchObject({ kind: 'completed', settled: true })
    expect(readAtMs[0]).toBe(SETTLE_MS)
    expect((await record()).drained).toBe(1)
  })

  it('is not shortened by a wall clock that jumps ahead', async () => {
    const readAtMs: number[] = []
    const { clock, start } = world({
      record: { drained: undefined },
      onObserve: () => void readAtMs.push(clock.monotonicMs()),
    })
    const { running } = start()
    await clock.advance(1)
    clock.stepWall(20_000)
    await clock.run(running)
    expect(readAtMs[0]).toBe(SETTLE_MS)
  })

  it('that the budget cuts short reads nothing, and leaves the next term to settle again', async () => {
    const { start, clock, loop, record } = world({ record: { drained: undefined } })
    const { running, budget } = start()
    await clock.advance(SETTLE_MS - 1)
    budget.stop('SIGTERM')
    expect(await clock.run(running)).toMatchObject({ kind: 'yielded', settled: false, counts: { observed: 0 } })
    expect(loop.observedFrom).toEqual([])
    expect(await record()).toMatchObject({ holder: '', drained: undefined })
  })
})

describe('a manual run', () => {
  it('never completes a scheduled tick', async () => {
    const { run, record } = world()
    expect((await run(manualTick('m'))).kind).toBe('completed')
    expect(await record()).toMatchObject({ completedTick: undefined, tick: 'manual/m', drained: 1 })
    expect((await run()).kind).toBe('completed')
  })

  it('narrowed to names starts at the beginning and leaves the checkpoint alone', async () => {
    const checkpoint = '{"v":1,"cursor":{"after":"item-01"}}'
    const { run, record, loop } = world({ record: { checkpoint } })
    expect(await run(manualTick('m'), { names: ['item-00'] })).toMatchObject({
      kind: 'completed',
      counts: { changed: 1 },
    })
    expect(loop.observedFrom).toEqual([undefined])
    expect((await record()).checkpoint).toBe(checkpoint)
  })

  it('of the whole loop resumes at the checkpoint and clears it', async () => {
    const { run, record, loop } = world({ record: { checkpoint: '{"v":1,"cursor":{"after":"item-01"}}' } })
    await run(manualTick('m'))
    expect(loop.observedFrom).toEqual(['item-01'])
    expect((await record()).checkpoint).toBeUndefined()
  })
})

describe('what a pass leaves for the next', () => {
  const remembered = { remembers: true, record: { checkpoint: '{"v":1,"memory":4}' } }

  it('is kept when it completes', async () => {
    const { run, record } = world(remembered)
    expect((await run()).kind).toBe('completed')
    expect((await record()).checkpoint).toBe('{"v":1,"memory":5}')
  })

  it('is kept when all was seen and an object failed', async () => {
    const { run, record } = world({ ...remembered, broken: ['bad'] })
    expect((await run()).kind).toBe('failed')
    expect((await record()).checkpoint).toBe('{"v":1,"memory":5}')
  })

  it('stays what it was when a page can’t be read', async () => {
    const onObserve = (after?: string) => {
      if (after) throw new TransientError('Unavailable', 'no answer')
    }
    const { run, record } = world({ ...remembered, onObserve })
    expect((await run()).kind).toBe('failed')
    expect((await record()).checkpoint).toBe('{"v":1,"memory":4}')
  })

  it('stays what it was, beside the place, when the budget ends first', async () => {
    const { start, clock, record } = world({ ...remembered, onApply: () => clock.sleep(TIMEOUT) })
    const { running, budget } = start()
    await clock.advance(0)
    budget.stop('SIGTERM')
    expect((await clock.run(running)).kind).toBe('yielded')
    expect((await record()).checkpoint).toBe('{"v":1,"cursor":{},"memory":4}')
  })

  it('is neither read nor changed by a run that is narrowed', async () => {
    const { run, record } = world(remembered)
    expect((await run(manualTick('hand'), { names: ['item-00'] })).kind).toBe('completed')
    expect((await record()).checkpoint).toBe('{"v":1,"memory":4}')
  })
})

describe('a checkpoint that cannot be used', () => {
  it('is dropped with a warning, and the pass starts at the beginning', async () => {
    const { run, log, loop } = world({ record: { checkpoint: '{"v":9,"cursor":{"after":"item-03"}}' } })
    expect((await run()).kind).toBe('completed')
    expect(loop.observedFrom).toEqual([undefined])
    expect(log.lines).toContainEqual({
      level: 'warn',
      message: 'checkpoint not used',
      fields: { loop: 'counting', reason: 'schema version 9 is not 1' },
    })
  })
})
