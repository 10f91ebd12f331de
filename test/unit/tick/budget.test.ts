import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  cutStages,
  DEFAULT_STAGES,
  LEAST_WORK_MS,
  openBudget,
  type Stages,
  sumOfStages,
} from '../../../lib/tick/budget.ts'
import { manualClock } from '../../support/clock.ts'

const settings = fc.record({
  waitMs: fc.integer({ min: 0, max: 900_000 }),
  drainMs: fc.integer({ min: 0, max: 900_000 }),
  handlerMs: fc.integer({ min: 0, max: 900_000 }),
})

describe('cutStages', () => {
  it('never exceeds the time that is left, over 10 000 random budgets and settings', () => {
    const remaining = fc.double({ min: 0, max: 900_000, noNaN: true })
    fc.assert(
      fc.property(remaining, settings, fc.nat(20), (remainingMs, wished, handlers) => {
        const stages = cutStages(remainingMs, wished, handlers)
        if (!stages) return
        expect(sumOfStages(stages)).toBeLessThanOrEqual(remainingMs)
        expect(stages.workMs).toBeGreaterThanOrEqual(LEAST_WORK_MS)
        expect(stages.waitMs).toBeLessThanOrEqual(wished.waitMs)
        expect(stages.drainMs).toBeLessThanOrEqual(wished.drainMs)
        expect(stages.handlerMs).toBeLessThanOrEqual(wished.handlerMs)
        for (const value of Object.values(stages)) expect(value).toBeGreaterThanOrEqual(0)
      }),
      { numRuns: 10_000 },
    )
  })

  it('keeps the documented 30, 10 and 5 s where 15 min are left', () => {
    expect(cutStages(900_000, DEFAULT_STAGES, 1)).toMatchObject({ waitMs: 30_000, drainMs: 10_000, handlerMs: 5_000 })
  })

  it('scales them in the same proportion to half of a 60 s invocation', () => {
    const { workMs, waitMs, drainMs, handlerMs } = cutStages(60_000, DEFAULT_STAGES, 1) as Stages
    expect(workMs + waitMs + drainMs + handlerMs).toBe(52_250)
    expect(waitMs / handlerMs).toBeCloseTo(6, 2)
    expect(drainMs / handlerMs).toBeCloseTo(2, 2)
    expect(workMs / 26_125).toBeCloseTo(1, 3)
  })

  it.each([0, 4_000, 9_740, Number.NaN, -1])('refuses %d ms as too little', remainingMs => {
    expect(cutStages(remainingMs, DEFAULT_STAGES, 1)).toBeUndefined()
  })
})

describe('a running budget', () => {
  const stages = cutStages(60_000, DEFAULT_STAGES, 1) as Stages

  it('is spent when its work time is over, and says so by its signal', async () => {
    const clock = manualClock()
    const budget = openBudget(stages, clock)
    await clock.advance(stages.workMs - 1)
    expect([budget.isSpent(), budget.work.aborted, budget.workLeftMs()]).toEqual([false, false, 1])
    await clock.advance(1)
    expect([budget.isSpent(), budget.work.aborted, budget.workLeftMs()]).toEqual([true, true, 0])
  })

  it('is spent after a freeze that only the wall clock saw', () => {
    const clock = manualClock()
    const budget = openBudget(stages, clock)
    clock.stepWall(stages.workMs)
    expect(budget.isSpent()).toBe(true)
    budget.close()
  })

  it('is not prolonged by a wall clock that is set back', async () => {
    const clock = manualClock()
    const budget = openBudget(stages, clock)
    clock.stepWall(-3_600_000)
    await clock.advance(stages.workMs)
    expect(budget.isSpent()).toBe(true)
  })

  it('ends at the first stop and remembers its reason', () => {
    const budget = openBudget(stages, manualClock())
    budget.stop('SIGTERM')
    budget.stop('SIGINT')
    expect([budget.isSpent(), budget.work.aborted, budget.stoppedBy()]).toEqual([true, true, 'SIGTERM'])
    budget.close()
  })

  it('leaves no sleeper behind when closed', async () => {
    const clock = manualClock()
    openBudget(stages, clock).close()
    await clock.advance(0)
    expect(clock.pending()).toBe(0)
  })
})
