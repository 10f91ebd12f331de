import { describe, expect, it } from 'vitest'
import { acquired, decide, ended, freed, isDrained } from '../../../lib/lease/decide.ts'
import type { Claim, LeaseRecord } from '../../../lib/lease/lease.ts'
import { T0 } from '../../support/clock.ts'

const TICK = '2026-11-21T07:05:00Z'
const PREFIX = 'fencepost-cleanup/'

/** A lease that ended cleanly one tick ago. */
const free: LeaseRecord = {
  recordId: 'record-1',
  holder: '',
  token: 41,
  acquiredAtMs: T0 - 300_000,
  termEndsAtMs: T0 - 225_000,
  drained: 41,
  isSuspended: false,
  tick: '2026-11-21T07:00:00Z',
  completedTick: '2026-11-21T07:00:00Z',
  lastOutcome: '{"kind":"completed"}',
  checkpoint: undefined,
}
const held: LeaseRecord = { ...free, holder: `${PREFIX}request-1/aa`, termEndsAtMs: T0 + 1, drained: undefined }
const claim: Claim = {
  holder: `${PREFIX}request-2/bb`,
  holderPrefix: PREFIX,
  tick: { id: TICK, isScheduled: true },
  termMs: 75_000,
  nowMs: T0,
}
const manualClaim: Claim = { ...claim, tick: { id: 'manual/request-2', isScheduled: false } }

describe('decide', () => {
  it.each<[string, LeaseRecord, Claim, object]>([
    ['acquires a free lease', free, claim, { kind: 'acquire' }],
    [
      'acquires a lease that was never held',
      { ...free, token: 0, completedTick: undefined },
      claim,
      { kind: 'acquire' },
    ],
    ['refuses one held to a later instant', held, claim, { kind: 'refuse', reason: 'held' }],
    ['takes over at the very end of the term', { ...held, termEndsAtMs: T0 }, claim, { kind: 'acquire' }],
    [
      'refuses a tick completed before',
      { ...free, completedTick: TICK },
      claim,
      { kind: 'refuse', reason: 'already-completed' },
    ],
    [
      'refuses a tick after a newer one',
      { ...free, completedTick: '2026-11-21T07:10:00Z' },
      claim,
      { kind: 'refuse', reason: 'superseded' },
    ],
    [
      'says completed rather than held',
      { ...held, completedTick: TICK },
      claim,
      { kind: 'refuse', reason: 'already-completed' },
    ],
    [
      'gives a manual run the lease after its tick was completed',
      { ...free, completedTick: TICK },
      manualClaim,
      { kind: 'acquire' },
    ],
    ['refuses a manual run while held', held, manualClaim, { kind: 'refuse', reason: 'held' }],
    ['refuses while suspended', { ...free, isSuspended: true }, claim, { kind: 'refuse', reason: 'suspended' }],
    [
      'refuses a manual run while suspended',
      { ...free, isSuspended: true },
      manualClaim,
      { kind: 'refuse', reason: 'suspended' },
    ],
    ['names a foreign holder', { ...held, holder: 'manager_6f1c' }, claim, { kind: 'foreign' }],
    [
      'names a foreign holder whose term has ended',
      { ...held, holder: 'manager_6f1c', termEndsAtMs: 0 },
      claim,
      { kind: 'foreign' },
    ],
    ['names another loop as foreign', { ...held, holder: 'fencepost-clean/request/aa' }, claim, { kind: 'foreign' }],
  ])('%s', (_title, record, request, decision) => {
    expect(decide(record, request)).toEqual(decision)
  })
})

describe('isDrained', () => {
  it.each<[string, number | undefined, boolean]>([
    ['holds for the very token', 41, true],
    ['fails when absent', undefined, false],
    ['fails for an older token', 40, false],
    ['fails for a newer token, as a restored record has', 42, false],
  ])('%s', (_title, drained, expected) => {
    expect(isDrained({ ...free, drained })).toBe(expected)
  })

  it('fails for a record created anew, whose token is 0', () => {
    expect(isDrained({ ...free, token: 0, drained: undefined })).toBe(false)
  })
})

describe('the record', () => {
  it('gets a higher token, a new term and no word on its end by an acquire', () => {
    expect(acquired(free, claim)).toEqual({
      ...free,
      holder: claim.holder,
      token: 42,
      acquiredAtMs: T0,
      termEndsAtMs: T0 + 75_000,
      drained: undefined,
      tick: TICK,
    })
  })

  it('keeps checkpoint and ledger when an ending says nothing of them', () => {
    const term = { ...acquired(free, claim), checkpoint: '{"v":1}' }
    const after = ended(term, { outcome: 'o', checkpoint: undefined, isDrained: false }, undefined)
    expect(after).toEqual({ ...term, holder: '', drained: undefined, lastOutcome: 'o' })
  })

  it('is drained by its own token, and clears or sets the checkpoint', () => {
    const term = { ...acquired(free, claim), checkpoint: 'old' }
    expect(ended(term, { outcome: 'o', checkpoint: null, isDrained: true }, TICK)).toMatchObject({
      drained: 42,
      completedTick: TICK,
      checkpoint: undefined,
    })
    expect(ended(term, { outcome: 'o', checkpoint: 'new', isDrained: true }, TICK).checkpoint).toBe('new')
  })

  it('is freed with a higher token and not drained', () => {
    expect(freed(held, PREFIX, T0)).toEqual({ ...held, holder: '', token: 42, drained: undefined })
  })

  it('is freed of a foreign holder only after its term', () => {
    const foreign = { ...held, holder: 'manager_6f1c' }
    expect(() => freed(foreign, PREFIX, T0)).toThrow(/"manager_6f1c" is not ours and its term has not ended/)
    expect(freed({ ...foreign, termEndsAtMs: T0 }, PREFIX, T0).holder).toBe('')
  })
})
