// An elector of client-go, at its 15 s, 10 s and 2 s, on a Lease of ours. A lease is never shared on purpose: this is what
// happens when somebody does it by mistake. Neither takes a record that the other holds, ours names the stranger and writes
// nothing, and our annotations survive all that it does.
//
// What it may do to us: an elector that was frozen past its term, and is cancelled before it has looked again, empties the
// holder of whoever came after it. client-go reads the Lease there, but judges by what it saw before. Term, token and
// annotations stay as they were; only the holder, the times and the duration change.
//
// These tests wait for real seconds, for lines and records. They run beside each other, each on a Lease of its own.

import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest'
import type { Grant, LeaseRecord } from '../../../lib/lease/lease.ts'
import { describeWith } from '../world/left-out.ts'
import { type Elector, whyNoElector } from './elector.ts'
import { type Meeting, type Neighbourhood, openNeighbourhood, type SeenLease } from './neighbours.ts'

const BUILT_WITHIN_MS = 600_000
const DONE_WITHIN_MS = 80_000
/** What an elector writes, s. */
const LEASE_DURATION = 15
const { signal } = new AbortController()

const { kubernetes } = inject('realServers')
const server = typeof kubernetes === 'string' ? kubernetes : ((await whyNoElector()) ?? kubernetes)

describeWith(server, 'an elector of client-go that is misconfigured onto our Lease', real => {
  let neighbourhood: Neighbourhood

  beforeAll(async () => {
    neighbourhood = await openNeighbourhood(real)
  }, BUILT_WITHIN_MS)
  afterAll(() => neighbourhood?.close())

  /** Resolves when the term of whoever holds the record is over, and gives the record. */
  async function termOver({ lease }: Meeting): Promise<LeaseRecord> {
    return await vi.waitFor(
      async () => {
        const record = await lease.read(signal)
        if (record.termEndsAtMs > Date.now()) throw new Error('the term is not over')
        return record
      },
      { timeout: DONE_WITHIN_MS, interval: 250 },
    )
  }

  /**
   * Freezes a leading elector right after a renewal, in its rest of 2 s. Frozen inside a renewal it would find that one's
   * deadline passed, give up leading and release without another look.
   */
  async function freeze(elector: Elector): Promise<void> {
    await elector.until('leading')
    const renewals = elector.lines.filter(({ event }) => event === 'wrote').length
    await elector.until('wrote', (_line, at) => at >= renewals)
    elector.signal('SIGSTOP')
  }

  /** An elector leads, is frozen until its term is over and we act, and is cancelled before any read of its is answered. */
  async function emptiedByTheCancelled(meeting: Meeting): Promise<{ grant: Grant; acting: SeenLease }> {
    const elector = meeting.elector('controller-4', true)
    await freeze(elector)
    await termOver(meeting)
    await meeting.lease.free(signal)
    const grant = await meeting.acquire(60_000)
    const acting = await meeting.seen()
    meeting.holdReads(elector.until('cancelled'))
    elector.signal('SIGTERM')
    elector.signal('SIGCONT')
    await elector.until('released')
    return { grant, acting }
  }

  describe.concurrent('and', { timeout: DONE_WITHIN_MS }, () => {
    it('waits while we act, leads once we complete, and is named by every later tick, which writes nothing', async () => {
      const meeting = await neighbourhood.meet('wait')
      const grant = await meeting.acquire(60_000)
      const acting = await meeting.seen()
      const elector = meeting.elector('controller-7d9f')
      await elector.until('looked', (_line, at) => at === 2)
      expect(elector.lines.filter(({ event }) => event === 'wrote' || event === 'leading')).toEqual([])
      expect(elector.lines).toContainEqual(expect.objectContaining({ event: 'observed', holder: grant.holder }))
      expect(await meeting.seen()).toEqual(acting)

      await meeting.complete(grant)
      const completed = await meeting.seen()
      await elector.until('leading')
      const taken = await meeting.seen()
      expect(completed.annotations).toMatchObject({
        'fencepost.dev/completed-tick': '2020-11-21T07:05:00Z',
        'fencepost.dev/drained': '1',
      })
      expect(taken).toMatchObject({ annotations: completed.annotations, labels: { team: 'x' } })
      expect(taken.spec).toMatchObject({
        holderIdentity: 'controller-7d9f',
        leaseTransitions: 2,
        leaseDurationSeconds: LEASE_DURATION,
      })

      const before = meeting.sent().length
      const foreign = {
        outcome: {
          kind: 'failed',
          error: { code: 'ForeignHolder', message: expect.stringContaining('"controller-7d9f"') },
        },
      }
      await expect(meeting.tick()).rejects.toMatchObject(foreign)
      elector.signal('SIGKILL')
      await elector.ended
      const left = await meeting.seen()
      await termOver(meeting)
      await expect(meeting.tick()).rejects.toMatchObject(foreign)
      expect(new Set(meeting.sent().slice(before))).toEqual(new Set(['GET']))
      expect(await meeting.seen()).toEqual(left)
      expect(left.annotations).toEqual(completed.annotations)
    })

    it('takes over a term that we left, after the whole of its duration, and we find it lost', async () => {
      const meeting = await neighbourhood.meet('left')
      const grant = await meeting.acquire(10_000)
      const acting = await meeting.seen()
      const elector = meeting.elector('controller-1')
      await elector.until('looked')
      const lookedAtMs = performance.now()
      await elector.until('leading')
      expect(performance.now() - lookedAtMs).toBeGreaterThan(9_900)
      const taken = await meeting.seen()
      expect(taken).toMatchObject({ annotations: acting.annotations, spec: { holderIdentity: 'controller-1' } })
      expect(taken.spec.leaseTransitions).toBe(grant.token + 1)

      await expect(meeting.complete(grant)).rejects.toMatchObject({ name: 'LeaseLostError' })
      const after = await meeting.seen()
      expect(after.annotations).toEqual(acting.annotations)
      expect(after.spec).toMatchObject({ holderIdentity: 'controller-1', leaseTransitions: grant.token + 1 })

      elector.signal('SIGTERM')
      await elector.until('stopped')
      expect((await meeting.seen()).spec).toMatchObject({ holderIdentity: 'controller-1' })
    })

    it('gives the record back when it ends, and our next term counts on from its transitions, as after an unclean end', async () => {
      const meeting = await neighbourhood.meet('release')
      const elector = meeting.elector('controller-2', true)
      await elector.until('leading')
      const { annotations, spec } = await meeting.seen()
      elector.signal('SIGTERM')
      await elector.until('released')
      expect(await meeting.seen()).toMatchObject({
        annotations,
        labels: { team: 'x' },
        spec: { holderIdentity: '', leaseTransitions: spec.leaseTransitions, leaseDurationSeconds: 1 },
      })

      const grant = await meeting.acquire(60_000)
      expect(grant).toMatchObject({ token: (spec.leaseTransitions ?? 0) + 1, tookOverFrom: undefined, isClean: false })
      await meeting.complete(grant)
      expect((await meeting.seen()).annotations).toMatchObject({
        'fencepost.dev/completed-tick': '2020-11-21T07:05:00Z',
        'fencepost.dev/drained': String(grant.token),
      })
    })

    it('frozen past its term, goes on, sees our term and leaves it alone, also when it is cancelled then', async () => {
      const meeting = await neighbourhood.meet('frozen')
      const elector = meeting.elector('controller-3', true)
      await freeze(elector)
      await termOver(meeting)
      await meeting.lease.free(signal)
      const grant = await meeting.acquire(60_000)
      const acting = await meeting.seen()

      elector.signal('SIGCONT')
      await elector.until('looked', ({ holder }) => holder === grant.holder)
      elector.signal('SIGTERM')
      await elector.until('stopped')
      expect(elector.lines.filter(({ event }) => event === 'released')).toEqual([])
      expect(await meeting.seen()).toEqual(acting)
      await meeting.complete(grant)
      expect((await meeting.seen()).annotations).toMatchObject({
        'fencepost.dev/completed-tick': '2020-11-21T07:05:00Z',
      })
    })

    it('frozen past its term and cancelled before it looks, empties our holder and nothing else of ours', async () => {
      const meeting = await neighbourhood.meet('emptied')
      const { grant, acting } = await emptiedByTheCancelled(meeting)
      const emptied = await meeting.seen()
      expect(emptied).toMatchObject({ annotations: acting.annotations, labels: acting.labels })
      expect(emptied.spec).toMatchObject({
        holderIdentity: '',
        leaseTransitions: grant.token,
        leaseDurationSeconds: 1,
      })
      const next = await meeting.acquire(60_000)
      expect(next).toMatchObject({ token: grant.token + 1, isClean: false })
      await expect(meeting.complete(grant)).rejects.toMatchObject({ name: 'LeaseLostError' })
    })

    it('having emptied our holder, does not keep our tick from being completed', async () => {
      const meeting = await neighbourhood.meet('noticed')
      const { grant } = await emptiedByTheCancelled(meeting)
      const told = await meeting.complete(grant).then(
        () => 'completed',
        (error: Error) => error.name,
      )
      const { annotations } = await meeting.seen()
      const isWritten = annotations['fencepost.dev/completed-tick'] === grant.tick.id
      expect({ told, isWritten }).toEqual({ told: 'completed', isWritten: true })
    })
  })
})
