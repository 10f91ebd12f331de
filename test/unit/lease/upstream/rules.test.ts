import { describe, expect, it } from 'vitest'
import {
  HELD_PERIODS,
  heldRecord,
  isAlive,
  isYoung,
  judgeUpstream,
  UPSTREAM_SETTLE_MS,
  UPSTREAM_SKEW_MS,
  type UpstreamClaim,
  type UpstreamDecision,
  type UpstreamRecord,
} from '../../../../lib/lease/upstream/rules.ts'
import { MINUTE_MS, SECOND_MS } from '../../../../lib/time.ts'
import { T0 } from '../../../support/clock.ts'

const OURS = 'fencepost/edge'
const LEASE_MS = 15 * SECOND_MS

/** What a leader of upstream's leaves right after it renewed. */
const live: UpstreamRecord = {
  holder: 'breakglass-7d9c',
  transitions: 4,
  acquiredAtMs: T0 - 3_600_000,
  renewedAtMs: T0,
  durationMs: LEASE_MS,
}
const renewedAgo = (ms: number): UpstreamRecord => ({ ...live, renewedAtMs: T0 - ms })
const free: UpstreamRecord = { ...live, holder: '', durationMs: SECOND_MS }
const ours: UpstreamRecord = { ...live, holder: OURS, durationMs: 15 * MINUTE_MS }
const claim: UpstreamClaim = { mode: 'hold', identity: OURS, isByHand: false, periodMs: 5 * MINUTE_MS, nowMs: T0 }

describe('judgeUpstream', () => {
  const dead = renewedAgo(LEASE_MS + UPSTREAM_SKEW_MS)
  const rows: [string, UpstreamRecord | undefined, UpstreamDecision, UpstreamDecision, UpstreamDecision][] = [
    // record, refuse, hold, hold by hand
    ['no Lease', undefined, 'go', 'missing', 'missing'],
    ['a Lease without a spec', { ...free, acquiredAtMs: undefined, renewedAtMs: undefined }, 'go', 'take', 'take'],
    ['one that nobody holds, given back just now', free, 'go', 'take', 'take'],
    ['ours', ours, 'go', 'renew', 'renew'],
    ['ours, its time long over', { ...ours, renewedAtMs: T0 - 24 * 60 * MINUTE_MS }, 'go', 'renew', 'renew'],
    ['another’s, just renewed', live, 'active', 'active', 'take'],
    ['another’s, whose time is over by less than 60 s', renewedAgo(LEASE_MS + 59_999), 'active', 'active', 'take'],
    ['another’s, whose time is over by 60 s', dead, 'go', 'take', 'take'],
    ['another’s, renewed in the future', renewedAgo(-10 * MINUTE_MS), 'active', 'active', 'take'],
    ['another’s, which names no instant', { ...live, renewedAtMs: undefined }, 'active', 'active', 'take'],
    ['that of another installation of ours', { ...live, holder: 'fencepost/other' }, 'active', 'active', 'take'],
    ['one whose holder begins like ours', { ...live, holder: `${OURS}-2` }, 'active', 'active', 'take'],
  ]

  it.each(rows)('beside %s: refuse %s', (_title, record, refuse) => {
    expect(judgeUpstream(record, { ...claim, mode: 'refuse' })).toBe(refuse)
  })

  it.each(rows.map(([title, record, , hold]) => [title, hold, record] as const))(
    'beside %s: hold %s',
    (_title, hold, record) => {
      expect(judgeUpstream(record, claim)).toBe(hold)
    },
  )

  it.each(rows.map(([title, record, , , byHand]) => [title, byHand, record] as const))(
    'beside %s: by hand %s',
    (_title, byHand, record) => {
      expect(judgeUpstream(record, { ...claim, isByHand: true })).toBe(byHand)
    },
  )
})

describe('isAlive', () => {
  it.each<[string, UpstreamRecord, boolean]>([
    ['to the very end of its duration and 60 s', renewedAgo(LEASE_MS + UPSTREAM_SKEW_MS - 1), true],
    ['not at that end', renewedAgo(LEASE_MS + UPSTREAM_SKEW_MS), false],
    ['by the duration that the record names', { ...renewedAgo(2 * MINUTE_MS), durationMs: 3 * MINUTE_MS }, true],
    ['not without a holder, however new', free, false],
  ])('%s', (_title, record, expected) => {
    expect(isAlive(record, T0)).toBe(expected)
  })
})

describe('isYoung', () => {
  const youthMs = UPSTREAM_SETTLE_MS + UPSTREAM_SKEW_MS
  it.each<[string, number | undefined, boolean]>([
    ['a record taken now', T0, true],
    ['one that was taken by a clock ahead of ours', T0 + MINUTE_MS, true],
    ['one whose taker’s clock may be 60 s behind', T0 - youthMs + 1, true],
    ['not one that is older', T0 - youthMs, false],
    ['one that does not say', undefined, true],
  ])('%s', (_title, acquiredAtMs, expected) => {
    expect(isYoung({ ...ours, acquiredAtMs }, T0)).toBe(expected)
  })
})

describe('heldRecord', () => {
  const later = T0 + 2 * MINUTE_MS

  it('takes: one transition more, acquired and renewed now, for three periods', () => {
    expect(heldRecord(live, claim)).toEqual({
      holder: OURS,
      transitions: 5,
      acquiredAtMs: T0,
      renewedAtMs: T0,
      durationMs: HELD_PERIODS * 5 * MINUTE_MS,
    })
  })

  it('takes without counting on the time that another’s record names', () => {
    expect(heldRecord({ ...live, durationMs: 60 * MINUTE_MS }, claim).durationMs).toBe(15 * MINUTE_MS)
  })

  it('renews: the same transitions and acquireTime', () => {
    expect(heldRecord(ours, { ...claim, nowMs: later })).toEqual({
      ...ours,
      renewedAtMs: later,
      durationMs: 15 * MINUTE_MS,
    })
  })

  it.each<[string, number, number]>([
    ['a shorter period keeps the end that a longer one has set', 30 * MINUTE_MS, 28 * MINUTE_MS],
    ['a longer period moves the end on', 10 * MINUTE_MS, 15 * MINUTE_MS],
    ['an end that is over counts for nothing', MINUTE_MS, 15 * MINUTE_MS],
  ])('%s', (_title, durationMs, expected) => {
    expect(heldRecord({ ...ours, durationMs }, { ...claim, nowMs: later }).durationMs).toBe(expected)
  })
})
