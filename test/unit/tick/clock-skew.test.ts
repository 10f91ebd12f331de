import { describe, expect, it } from 'vitest'
import { watchSkew } from '../../../lib/tick/clock-skew.ts'
import { recordingLog } from '../../support/log.ts'

describe('the difference between our clock and the API server’s', () => {
  it.each([
    ['is silent while unknown', undefined, 0],
    ['is silent up to 5 s', -5_000, 0],
    ['is warned of above 5 s ahead', -5_001, 1],
    ['is warned of above 5 s behind', 5_001, 1],
    ['is only warned of an hour behind: acting late harms nobody', 3_600_000, 1],
    ['is only warned of at 60 s ahead', -60_000, 1],
  ])('%s', (_title, skewMs, warnings) => {
    const log = recordingLog()
    watchSkew(skewMs, log)
    expect(log.lines.length).toBe(warnings)
  })

  it('above 60 s ahead lets nothing be expired', () => {
    expect(() => watchSkew(-60_001, recordingLog())).toThrow(/60.0 s ahead|1 min ahead/)
  })
})
