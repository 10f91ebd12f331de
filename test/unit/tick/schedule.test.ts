import { describe, expect, it } from 'vitest'
import { isTooLate, manualTick, missedTicks, scheduledTick } from '../../../lib/tick/schedule.ts'
import { T0 } from '../../support/clock.ts'

const PERIOD = 300_000

describe('a tick', () => {
  it('is named by its scheduled time, floored to the period', () => {
    expect(scheduledTick(T0, PERIOD).id).toBe('2026-11-21T07:05:00Z')
    expect(scheduledTick(T0 + PERIOD - 1, PERIOD).id).toBe('2026-11-21T07:05:00Z')
    expect(scheduledTick(T0 + PERIOD, PERIOD).id).toBe('2026-11-21T07:10:00Z')
  })

  it('of a manual run is named by its request and is not scheduled', () => {
    expect(manualTick('request-7')).toEqual({ id: 'manual/request-7', isScheduled: false })
  })

  it.each([
    ['exactly at its deadline is not too late', PERIOD, false],
    ['1 ms after its deadline is too late', PERIOD + 1, true],
    ['a period in the future is accepted', -PERIOD, false],
  ])('%s', (_title, agoMs, late) => {
    expect(isTooLate(scheduledTick(T0, PERIOD), PERIOD, PERIOD, T0 + agoMs)).toBe(late)
  })

  it('more than a period in the future is refused', () => {
    expect(() => isTooLate(scheduledTick(T0, PERIOD), PERIOD, PERIOD, T0 - PERIOD - 1)).toThrow(
      /2026-11-21T07:05:00Z is 5 min in the future/,
    )
  })
})

describe('missed ticks', () => {
  const tick = scheduledTick(T0, PERIOD)
  it.each([
    ['are 0 after the one before', '2026-11-21T07:00:00Z', 0],
    ['are 2 after three periods', '2026-11-21T06:50:00Z', 2],
    ['are 0 when none was ever completed', undefined, 0],
  ])('%s', (_title, completed, missed) => {
    expect(missedTicks(completed, tick, PERIOD)).toBe(missed)
  })

  it('are 0 for a manual run', () => {
    expect(missedTicks('2026-11-21T06:50:00Z', manualTick('r'), PERIOD)).toBe(0)
  })
})
