// What every lease store must do, as one suite over backends. A backend brings a store over a fresh record and a few ways
// to act behind its back, as operators, other writers and broken networks do.

import { setMaxListeners } from 'node:events'
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { decide } from '../../lib/lease/decide.ts'
import { isMine, openLease } from '../../lib/lease/fenced-lease.ts'
import type { Claim, Ending, Grant, Lease, LeaseRecord, LeaseStore } from '../../lib/lease/lease.ts'
import { scheduledTick } from '../../lib/tick/schedule.ts'
import { manualClock, T0 } from '../support/clock.ts'
import { recordingLog } from '../support/log.ts'

/** One backend under test. */
export interface LeaseBackend {
  /** Makes a record as the manifests do, never acquired, under a new name; gives a store over it. */
  fresh(): Promise<{ store: LeaseStore; name: string }>
  /** Changes the record of `name` behind the store's back. */
  plant(name: string, fields: Partial<LeaseRecord>): Promise<void>
  /** Deletes the record of `name`, and creates it again when asked to. */
  remove(name: string): Promise<void>
  recreate(name: string): Promise<void>
  /** Lets the next change of a record take effect without an answer; absent where there is no network. */
  loseNextAnswer?(): void
  /** Adds something that the record does not model, and reads it back; absent where there is nothing else. */
  addForeign?(name: string): Promise<void>
  readForeign?(name: string): Promise<unknown>
  close?(): Promise<void>
}

const PERIOD = 300_000
const TERM = 75_000
const tick = scheduledTick(T0, PERIOD)
const nextTick = scheduledTick(T0 + PERIOD, PERIOD)
const manual = { id: 'manual/m', isScheduled: false }
const clean: Ending = { outcome: '{"kind":"completed"}', checkpoint: null, isDrained: true }
const { signal } = new AbortController()
setMaxListeners(0, signal)

/** Describes the suite for one backend. */
export function describeLease(title: string, open: () => Promise<LeaseBackend>): void {
  describe(`lease: ${title}`, () => {
    let backend: LeaseBackend
    let name: string
    let store: LeaseStore
    let clock: ReturnType<typeof manualClock>
    let log: ReturnType<typeof recordingLog>
    let lease: Lease

    beforeAll(async () => {
      backend = await open()
    })
    afterAll(async () => {
      await backend.close?.()
    })
    beforeEach(async () => {
      ;({ store, name } = await backend.fresh())
      clock = manualClock()
      log = recordingLog()
      lease = openLease({ store, name, clock, log })
    })

    const acquire = (of = tick as typeof manual, requestId = 'request') =>
      lease.acquire({ tick: of, requestId, termMs: TERM, signal })
    async function granted(of = tick as typeof manual): Promise<Grant> {
      const result = await acquire(of)
      if (result.kind !== 'acquired') throw new Error(`refused: ${result.reason}`)
      return result.grant
    }
    const read = () => lease.read(signal)
    const complete = (grant: Grant, ending = clean) => lease.complete(grant, ending, signal)

    it('gives a record that was never acquired token 1 and a term, as not drained', async () => {
      const grant = await granted()
      expect(grant).toMatchObject({ token: 1, isClean: false, tookOverFrom: undefined, completedTick: undefined })
      expect(grant.holder).toMatch(new RegExp(`^${name}/request/[0-9a-f]{16}$`))
      expect(await read()).toMatchObject({
        token: 1,
        holder: grant.holder,
        acquiredAtMs: T0,
        termEndsAtMs: T0 + TERM,
        tick: tick.id,
      })
      expect(log.lines.at(-1)).toEqual({
        level: 'info',
        message: 'lease acquired',
        fields: { lease: store.address, holder: grant.holder, token: 1, tick: tick.id, clean: false },
      })
    })

    it('gives 20 attempts at once exactly one grant; the others are refused as held by it', async () => {
      const results = await Promise.all(Array.from({ length: 20 }, (_, i) => acquire(tick, `request-${i}`)))
      const grants = results.flatMap(result => (result.kind === 'acquired' ? [result.grant] : []))
      expect(grants.length).toBe(1)
      const refusals = results.flatMap(result => (result.kind === 'refused' ? [result] : []))
      expect(refusals.map(({ reason, record }) => [reason, record.holder])).toEqual(
        Array.from({ length: 19 }, () => ['held', grants[0]?.holder]),
      )
      expect((await read()).token).toBe(1)
      expect(log.lines.filter(({ message }) => message === 'lease held by another')[0]?.fields).toMatchObject({
        lease: store.address,
        holder: grants[0]?.holder,
        token: 1,
      })
    })

    it('completes with ledger, checkpoint and release in one change', async () => {
      const grant = await granted()
      await complete(grant, { outcome: '{"kind":"completed"}', checkpoint: '{"v":1,"cursor":"a/b"}', isDrained: true })
      expect(await read()).toMatchObject({
        holder: '',
        token: 1,
        drained: 1,
        completedTick: tick.id,
        lastOutcome: '{"kind":"completed"}',
        checkpoint: '{"v":1,"cursor":"a/b"}',
      })
    })

    it('refuses a completed tick again, and one before it, and gives the next one', async () => {
      await complete(await granted())
      expect(await acquire()).toMatchObject({ kind: 'refused', reason: 'already-completed', record: { token: 1 } })
      expect(await acquire(scheduledTick(T0 - PERIOD, PERIOD))).toMatchObject({ kind: 'refused', reason: 'superseded' })
      expect(await granted(nextTick)).toMatchObject({ token: 2, isClean: true, completedTick: tick.id })
    })

    it('names a completed tick that is no instant, since every tick would be refused by it for good', async () => {
      await backend.plant(name, { completedTick: 'zzz' })
      await expect(acquire()).rejects.toThrow(
        /names "zzz" as its completed tick, which is no instant; remove that value/,
      )
      expect(await read()).toMatchObject({ holder: '', token: 0 })
    })

    it('clears what an acquire found drained, so that a crash leaves nothing behind', async () => {
      await complete(await granted())
      await granted(nextTick)
      expect((await read()).drained).toBeUndefined()
    })

    it('is not clean after a release that was not drained', async () => {
      const grant = await granted()
      await lease.release(grant, { ...clean, isDrained: false }, signal)
      expect(await read()).toMatchObject({ holder: '', drained: undefined, completedTick: undefined })
      expect(await granted(manual)).toMatchObject({ token: 2, isClean: false })
    })

    it.each([0, 2, 41])('is not clean when drained speaks for token %d and the last term was 1', async drained => {
      await complete(await granted())
      await backend.plant(name, { drained })
      expect((await granted(nextTick)).isClean).toBe(false)
    })

    it('takes over at the end of the term and not 1 ms earlier, with a higher token, as not clean', async () => {
      const first = await granted()
      await clock.advance(TERM - 1)
      expect(await acquire(nextTick)).toMatchObject({ kind: 'refused', reason: 'held' })
      await clock.advance(1)
      expect(await granted(nextTick)).toMatchObject({ token: 2, isClean: false, tookOverFrom: first.holder })
      expect(log.lines.at(-1)).toMatchObject({
        level: 'warn',
        message: 'lease taken over',
        fields: { tookOverFrom: first.holder, token: 2 },
      })
    })

    it('tells a holder that was overtaken, and leaves its successor’s record alone', async () => {
      const first = await granted()
      await clock.advance(TERM)
      const second = await granted(nextTick)
      const before = await read()
      await expect(complete(first)).rejects.toMatchObject({ code: 'LeaseLost' })
      await expect(lease.release(first, clean, signal)).rejects.toThrow(/token 1 was overtaken by token 2/)
      expect(await read()).toEqual(before)
      expect(isMine(before, second)).toBe(true)
      expect(log.lines.at(-1)).toMatchObject({
        message: 'lease lost',
        fields: { holder: first.holder, token: 1, currentToken: 2 },
      })
    })

    it('may be completed twice by its holder, and then changes nothing', async () => {
      const grant = await granted()
      await complete(grant)
      const after = await read()
      await complete(grant)
      expect(await read()).toEqual(after)
    })

    it('is completed all the same when a stranger emptied its holder and nobody acquired since', async () => {
      const grant = await granted()
      await backend.plant(name, { holder: '' })
      await complete(grant)
      expect(await read()).toMatchObject({ holder: '', token: 1, drained: 1, completedTick: tick.id })
      expect(await acquire()).toMatchObject({ kind: 'refused', reason: 'already-completed' })
    })

    it('gives its holder a higher token by hand of the fence, as not clean, and ends under it', async () => {
      await complete(await granted())
      const grant = await granted(nextTick as typeof manual)
      expect(grant).toMatchObject({ token: 2, isClean: true })
      const advanced = await lease.advance(grant, 41, signal)
      expect(advanced).toMatchObject({ holder: grant.holder, token: 41, isClean: false, endsAt: grant.endsAt })
      expect(await read()).toMatchObject({ token: 41, holder: grant.holder, drained: undefined })
      await expect(complete(grant)).rejects.toMatchObject({ name: 'LeaseLostError' })
      await complete(advanced)
      expect(await read()).toMatchObject({ token: 41, holder: '', drained: 41, completedTick: nextTick.id })
    })

    it('gives back what its own attempt holds under a higher token, as not drained, and completes nothing under it', async () => {
      const grant = await granted()
      await backend.plant(name, { token: 9, checkpoint: 'kept' })
      await expect(complete(grant)).rejects.toMatchObject({ name: 'LeaseLostError' })
      await lease.release(grant, { ...clean, checkpoint: 'ours' }, signal)
      const left = { holder: '', token: 9, drained: undefined, checkpoint: 'kept', completedTick: undefined }
      expect(await read()).toMatchObject(left)
    })

    it('confirms a term that is its own, whatever an operator switched, and no other', async () => {
      const grant = await granted()
      await lease.suspend(true, signal)
      await expect(lease.confirm(grant, signal)).resolves.toBeUndefined()
      await lease.free(signal)
      await expect(lease.confirm(grant, signal)).rejects.toMatchObject({ name: 'LeaseLostError' })
    })

    it('keeps what an operator changed while the token is advanced, and gives none to a holder that was overtaken', async () => {
      const grant = await granted()
      await lease.suspend(true, signal)
      await lease.advance(grant, 7, signal)
      expect(await read()).toMatchObject({ token: 7, isSuspended: true })
      await lease.free(signal)
      const before = await read()
      await expect(lease.advance({ ...grant, token: 7 }, 9, signal)).rejects.toMatchObject({ name: 'LeaseLostError' })
      expect(await read()).toEqual(before)
    })

    it('is lost to a holder whose record was deleted, and to one whose record was created again', async () => {
      const grant = await granted()
      await backend.remove(name)
      await expect(complete(grant)).rejects.toMatchObject({ code: 'LeaseMissing' })
      await backend.recreate(name)
      const anew = await read()
      await expect(complete(grant)).rejects.toMatchObject({ code: 'LeaseLost' })
      expect(await read()).toEqual(anew)
      expect(anew.recordId).not.toBe(grant.recordId)
      expect(await granted()).toMatchObject({ token: 1, isClean: false })
    })

    it('keeps a suspension that comes in the middle of a term, and refuses until it is resumed', async () => {
      const grant = await granted()
      expect(await lease.suspend(true, signal)).toMatchObject({ isSuspended: true, holder: grant.holder })
      await complete(grant)
      expect(await read()).toMatchObject({ isSuspended: true, holder: '', completedTick: tick.id })
      expect(await acquire(nextTick)).toMatchObject({ kind: 'refused', reason: 'suspended' })
      expect(await acquire(manual)).toMatchObject({ kind: 'refused', reason: 'suspended' })
      await lease.suspend(false, signal)
      expect(await granted(nextTick)).toMatchObject({ token: 2, isClean: true })
    })

    it('is freed by hand with a higher token, not drained, and lost to its holder', async () => {
      const grant = await granted()
      expect(await lease.free(signal)).toMatchObject({ token: 2, holder: '', drained: undefined })
      await expect(complete(grant)).rejects.toMatchObject({ code: 'LeaseLost' })
      expect(await granted()).toMatchObject({ token: 3, isClean: false })
    })

    it('names a foreign holder with the mending, writes nothing, and is freed of it after its term', async () => {
      await backend.plant(name, { holder: 'manager-0_5f0c', token: 7, acquiredAtMs: T0, termEndsAtMs: T0 + 15_000 })
      const before = await read()
      await expect(acquire()).rejects.toThrow(/held by "manager-0_5f0c".*LEADER_ELECT_ID/)
      await expect(lease.free(signal)).rejects.toMatchObject({ code: 'ForeignHolder' })
      await clock.advance(15_000)
      await expect(acquire()).rejects.toMatchObject({ code: 'ForeignHolder' })
      expect(await read()).toEqual(before)
      expect(await lease.free(signal)).toMatchObject({ token: 8, holder: '' })
      expect(await granted()).toMatchObject({ token: 9, isClean: false })
    })

    it('names a missing record with the command that creates it, and creates none', async () => {
      await backend.remove(name)
      for (const call of [() => acquire(), read, () => lease.suspend(true, signal), () => lease.free(signal)])
        await expect(call()).rejects.toThrow(/does not exist; create it with `/)
      await expect(read()).rejects.toMatchObject({ code: 'LeaseMissing' })
    })

    it('carries a checkpoint of 16 384 characters', async () => {
      const checkpoint = 'é'.repeat(16_384)
      await complete(await granted(), { ...clean, checkpoint })
      expect((await granted(nextTick)).checkpoint).toBe(checkpoint)
    })

    it('claims exactly what decide allows, over 300 random records', async () => {
      const holders = ['', `${name}/request/aa`, 'manager_1', `${name}x/request/aa`]
      const ticks = [undefined, '2026-11-21T07:00:00Z', tick.id, '2026-11-21T07:10:00Z']
      const fields = fc.record({
        holder: fc.constantFrom(...holders),
        token: fc.integer({ min: 1, max: 50 }),
        acquiredAtMs: fc.constant(T0 - 60_000),
        termEndsAtMs: fc.constantFrom(T0 - 1_000, T0, T0 + 1_000),
        drained: fc.constantFrom(undefined, 0, 1, 7),
        isSuspended: fc.boolean(),
        completedTick: fc.constantFrom(...ticks),
      })
      let round = 0
      await fc.assert(
        fc.asyncProperty(fields, fc.constantFrom<typeof manual>(tick, manual), async (planted, of) => {
          await backend.plant(name, planted)
          const record = await read()
          const claim: Claim = {
            holder: `${name}/r/${round++}`,
            holderPrefix: `${name}/`,
            tick: of,
            termMs: TERM,
            nowMs: T0,
          }
          const answer = await store.claim(claim, signal)
          const isAllowed = decide(record, claim).kind === 'acquire'
          expect(answer.kind).toBe(isAllowed ? 'claimed' : 'refused')
          if (answer.kind === 'refused') expect(await read()).toEqual(record)
          if (answer.kind !== 'claimed') return
          expect(answer.before).toMatchObject({ holder: planted.holder, drained: planted.drained })
          expect(answer.now.record).toEqual(await read())
          expect(answer.now.record).toMatchObject({
            holder: claim.holder,
            token: planted.token + 1,
            drained: undefined,
          })
        }),
        { numRuns: 300 },
      )
    })

    describe('when an answer is lost after its change took effect', () => {
      it('an acquire finds out that the lease is its own, with one token and not two', async ({ skip }) => {
        if (!backend.loseNextAnswer) return skip('this store has no network')
        backend.loseNextAnswer()
        const grant = await granted()
        expect(grant.token).toBe(1)
        expect(isMine(await read(), grant)).toBe(true)
      })

      it('a complete finds out that it happened', async ({ skip }) => {
        if (!backend.loseNextAnswer) return skip('this store has no network')
        const grant = await granted()
        backend.loseNextAnswer()
        await complete(grant)
        expect(await read()).toMatchObject({ holder: '', completedTick: tick.id, token: 1, drained: 1 })
      })

      it('an advance finds out that the token is its own', async ({ skip }) => {
        if (!backend.loseNextAnswer) skip()
        const grant = await granted()
        backend.loseNextAnswer?.()
        expect(await lease.advance(grant, 12, signal)).toMatchObject({ token: 12 })
        expect(await read()).toMatchObject({ token: 12, holder: grant.holder })
      })

      it('a release, a suspend and a free are done once', async ({ skip }) => {
        if (!backend.loseNextAnswer) return skip('this store has no network')
        const grant = await granted()
        backend.loseNextAnswer()
        await lease.release(grant, clean, signal)
        expect(await read()).toMatchObject({ holder: '', token: 1, completedTick: undefined })
        backend.loseNextAnswer()
        expect((await lease.suspend(true, signal)).isSuspended).toBe(true)
      })
    })

    it('keeps what the record does not model', async ({ skip }) => {
      if (!backend.addForeign || !backend.readForeign) return skip('this store holds nothing else')
      await backend.addForeign(name)
      const before = await backend.readForeign(name)
      await complete(await granted())
      await lease.suspend(true, signal)
      await lease.free(signal)
      expect(await backend.readForeign(name)).toEqual(before)
      expect(before).not.toEqual({})
    })
  })
}
