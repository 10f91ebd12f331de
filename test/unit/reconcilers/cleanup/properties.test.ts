import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { RawObject } from '../../../../lib/kubernetes/api.ts'
import { parseBreakglassSession } from '../../../../lib/kubernetes/resources/breakglass-session.ts'
import { type Candidate, type CleanupAction, PHASES, planCleanup } from '../../../../lib/reconcilers/cleanup/plan.ts'
import { DEFAULT_SETTINGS } from '../../../../lib/reconcilers/cleanup/rules/settings.ts'
import { at, hour, minute, rawSession, second, T } from './fixtures.ts'

const LIVE = ['Pending', 'Approved', 'WaitingForScheduledTime']
const ENDED = ['Rejected', 'Withdrawn', 'Expired', 'IdleExpired', 'ApprovalTimeout']
const FOREIGN = ['', 'Provisional', 'approved']

/** The transitions that upstream's validator lets this loop make. */
const LEGAL: Record<string, string[]> = {
  Pending: ['ApprovalTimeout', 'Withdrawn'],
  WaitingForScheduledTime: ['Approved', 'Withdrawn', 'Expired'],
  Approved: ['Expired', 'IdleExpired'],
}

const instant = fc.oneof(
  fc.constantFrom(null, undefined, '0001-01-01T00:00:00Z'),
  fc.constantFrom(-hour, -minute, -second, 0, second, minute, hour).map(at),
)
const duration = fc.constantFrom(undefined, '', '0s', 'soon', '1s', '1m', '90m', '7d', '300y')

function sessions(states: readonly string[]): fc.Arbitrary<RawObject> {
  return fc
    .record({
      name: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
      user: fc.constantFrom('ann@example.test', 'bob@example.test'),
      createdAt: fc.constantFrom(at(-2 * hour), at(-hour)),
      hasOwner: fc.boolean(),
      spec: fc.record({ retainFor: duration, idleTimeout: duration, scheduledStartTime: instant }),
      status: fc.record({
        state: fc.constantFrom(...states),
        timeoutAt: instant,
        approvedAt: instant,
        rejectedAt: instant,
        expiresAt: instant,
        retainedUntil: instant,
        lastActivity: instant,
        conditions: fc.constantFrom(null, undefined, []),
      }),
    })
    .map(({ name, user, createdAt, hasOwner, spec, status }) =>
      rawSession(name, {
        metadata: { creationTimestamp: createdAt, ...(!hasOwner && { ownerReferences: null }) },
        spec: { user, ...spec },
        status,
      }),
    )
}

const groups = fc.uniqueArray(sessions([...LIVE, ...ENDED, '']), { selector: raw => raw.metadata.name, minLength: 1 })

/** Every candidate that a tick makes of these objects. */
function candidates(raws: RawObject[]): Candidate[] {
  const views = raws.map(parseBreakglassSession)
  return PHASES.flatMap((phase): Candidate[] => {
    if (phase === 'debug') return []
    if (phase === 'duplicates') return [{ phase, sessions: views, scope: {} }]
    return views.map(session => ({ phase, session }))
  })
}

const plan = (items: Candidate[]) => planCleanup({ items }, T, DEFAULT_SETTINGS)

function afterPatch(raw: RawObject, action: CleanupAction): RawObject {
  const patched = { ...(raw.status as object), ...action.status }
  return JSON.parse(JSON.stringify({ ...raw, status: patched })) as RawObject
}

describe('whatever the session, a plan', () => {
  it('gives nothing when it is made again after its patch, in the same phase', () => {
    fc.assert(
      fc.property(groups, raws => {
        for (const candidate of candidates(raws)) {
          const actions = plan([candidate]).filter(({ status }) => status)
          const after = raws.map(raw =>
            actions.filter(({ target }) => target.uid === raw.metadata.uid).reduce(afterPatch, raw),
          )
          const objects = actions.map(({ object }) => object)
          const again = plan(candidates(after).filter(({ phase }) => phase === candidate.phase))
          expect(again.filter(({ object }) => objects.includes(object))).toEqual([])
        }
      }),
    )
  })

  it('makes only transitions that upstream calls legal, and never null a list', () => {
    fc.assert(
      fc.property(groups, raws => {
        for (const { from, to, status } of plan(candidates(raws)).filter(action => action.status)) {
          expect(LEGAL[from]).toContain(to)
          expect(status?.conditions).toBeInstanceOf(Array)
          expect(Object.values(status ?? {})).not.toContain(null)
        }
      }),
    )
  })

  it('does nothing to an ended session but delete it, and deletes no other', () => {
    fc.assert(
      fc.property(groups, raws => {
        for (const { from, to } of plan(candidates(raws))) expect(to === 'deleted').toBe(ENDED.includes(from))
      }),
    )
  })

  it('leaves sessions without a state and with unknown states alone', () => {
    fc.assert(
      fc.property(sessions(FOREIGN), raw => {
        expect(plan(candidates([raw]))).toEqual([])
      }),
    )
  })

  it('leaves one session of each access, and asks a part of the duplicates for no more losers than all of them', () => {
    const rivals = fc.uniqueArray(sessions(LIVE), { selector: raw => raw.metadata.name, minLength: 2 })
    const losersOf = (raws: RawObject[]) =>
      plan(candidates(raws).filter(({ phase }) => phase === 'duplicates')).map(({ object }) => object)
    fc.assert(
      fc.property(rivals, fc.nat(), (raws, cut) => {
        const losers = losersOf(raws)
        expect(losers.length).toBeLessThan(raws.length)
        const part = losersOf(raws.slice(cut % raws.length))
        expect(part.filter(object => !losers.includes(object))).toEqual([])
      }),
    )
  })
})
