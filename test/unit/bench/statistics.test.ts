import { describe, expect, it } from 'vitest'
import { differences, ratios, spreadOf } from '../../bench/statistics.ts'

describe('spreadOf', () => {
  it.each([
    ['one measurement', [7], { median: 7, min: 7, max: 7 }],
    ['an odd number, in any order', [9, 1, 5], { median: 5, min: 1, max: 9 }],
    ['an even number: the mean of the middle two', [4, 1, 10, 2], { median: 3, min: 1, max: 10 }],
    ['numbers whose texts sort otherwise', [10, 9, 100], { median: 10, min: 9, max: 100 }],
  ])('gives median, least and greatest of %s', (_, measured, expected) => {
    expect(spreadOf(measured, 'ms')).toEqual({ ...expected, unit: 'ms' })
  })

  it('leaves its argument as it is', () => {
    const measured = [3, 1, 2]
    spreadOf(measured, '')
    expect(measured).toEqual([3, 1, 2])
  })

  it('refuses no measurement', () => {
    expect(() => spreadOf([], 's')).toThrow('nothing was measured')
  })
})

describe('pairs', () => {
  it('are divided and subtracted one by one, so that a drift of the machine cancels', () => {
    expect(ratios([2, 40], [4, 80])).toEqual([0.5, 0.5])
    expect(differences([12, 112], [10, 110])).toEqual([2, 2])
  })

  it('refuse 1 measurement beside 2', () => {
    expect(() => ratios([1], [1, 2])).toThrow('1 measurements beside 2')
  })
})
