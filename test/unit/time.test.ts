import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  DAY_MS,
  describeMs,
  HOUR_MS,
  parseDuration,
  parseInstant,
  systemClock,
  toInstant,
  toMicroTime,
  within,
} from '../../lib/time.ts'
import { manualClock } from '../support/clock.ts'

describe('parseDuration', () => {
  it.each([
    ['1h', HOUR_MS],
    ['90m', 90 * 60_000],
    ['1h30m', 90 * 60_000],
    ['1.5h', 90 * 60_000],
    ['250ms', 250],
    ['7d', 7 * DAY_MS],
    ['1d12h', 36 * HOUR_MS],
    ['2w', 14 * DAY_MS],
    ['1y', 365 * DAY_MS],
    ['1y2w3d4h', (365 + 14 + 3) * DAY_MS + 4 * HOUR_MS],
    ['365d', 365 * DAY_MS],
    ['0', 0],
    ['0s', 0],
  ])('reads %s', (text, ms) => {
    expect(parseDuration(text)).toBe(ms)
  })

  it.each(['', ' ', '5', '5 m', '-5m', '+5m', '5x', '1h-5m', '366d', '12h1d', '1d1y', 'd', 'h', '1.5d', '5mins', '١h'])(
    'refuses «%s»',
    text => {
      expect(parseDuration(text)).toBeUndefined()
    },
  )

  it('reads back every chain of whole units', () => {
    const chain = fc.record({ d: fc.nat(365), h: fc.nat(100), m: fc.nat(100), s: fc.nat(100) })
    fc.assert(
      fc.property(chain, ({ d, h, m, s }) => {
        expect(parseDuration(`${d}d${h}h${m}m${s}s`)).toBe(d * DAY_MS + h * HOUR_MS + m * 60_000 + s * 1000)
      }),
    )
  })
})

describe('parseInstant', () => {
  it('reads UTC, offsets and fractions', () => {
    const atMs = Date.parse('2026-11-21T07:05:00Z')
    expect(parseInstant('2026-11-21T07:05:00Z')).toBe(atMs)
    expect(parseInstant('2026-11-21T08:05:00+01:00')).toBe(atMs)
    expect(parseInstant('2026-11-21T07:05:00.250000Z')).toBe(atMs + 250)
  })

  it.each([undefined, null, '', '0001-01-01T00:00:00Z', 5, 'yesterday', '2026-11-21', '2026-13-40T00:00:00Z'])(
    'takes %s for unset',
    value => {
      expect(parseInstant(value)).toBeUndefined()
    },
  )

  it('reads what toInstant and toMicroTime wrote, to their precision', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4_000_000_000_000 }), atMs => {
        expect(parseInstant(toInstant(atMs))).toBe(Math.floor(atMs / 1000) * 1000)
        expect(parseInstant(toMicroTime(atMs))).toBe(atMs)
        expect(toMicroTime(atMs)).toMatch(/\.\d{6}Z$/)
      }),
    )
  })
})

describe('describeMs', () => {
  it.each([
    [84, '84 ms'],
    [28_900, '28.9 s'],
    [180_000, '3 min'],
    [7_200_000, '2 h'],
    [-180_000, '3 min'],
    [9 * DAY_MS, '9 d'],
  ])('writes %d as «%s»', (ms, text) => {
    expect(describeMs(ms)).toBe(text)
  })
})

describe('the system clock', () => {
  it('ends a sleep at once when its signal is aborted, before and while sleeping', async () => {
    await systemClock.sleep(3_600_000, AbortSignal.abort())
    const controller = new AbortController()
    const sleeping = systemClock.sleep(3_600_000, controller.signal)
    controller.abort()
    await sleeping
  })
})

describe('within', () => {
  it('aborts the work after its limit and leaves no sleeper behind', async () => {
    const clock = manualClock()
    const work = within(
      clock,
      3000,
      signal => new Promise<string>(resolve => signal.addEventListener('abort', () => resolve('aborted'))),
    )
    await clock.advance(2999)
    expect(clock.pending()).toBe(1)
    await clock.advance(1)
    expect(await work).toBe('aborted')
    expect(await within(clock, 3000, async signal => signal.aborted)).toBe(false)
    expect(clock.pending()).toBe(0)
  })
})
