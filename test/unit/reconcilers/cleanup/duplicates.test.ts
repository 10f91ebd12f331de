import { describe, expect, it } from 'vitest'
import type { RawObject } from '../../../../lib/kubernetes/api.ts'
import { parseBreakglassSession } from '../../../../lib/kubernetes/resources/breakglass-session.ts'
import { type CleanupAction, planCleanup } from '../../../../lib/reconcilers/cleanup/plan.ts'
import { DEFAULT_SETTINGS } from '../../../../lib/reconcilers/cleanup/rules/settings.ts'
import type { Scope } from '../../../../lib/tick/reconciler.ts'
import {
  at,
  type Changes,
  FRESH_CONDITION,
  hour,
  minute,
  rawPending,
  rawSession,
  rawWaiting,
  second,
  T,
} from './fixtures.ts'

type Factory = (name: string, changes?: Changes) => RawObject

/** A session for the one access that everybody here wants. */
function rival(factory: Factory, name: string, changes: Changes = {}): RawObject {
  return factory(name, { ...changes, spec: { user: 'ann@example.test', ...changes.spec } })
}

function planGroup(raws: RawObject[], scope: Scope = {}): CleanupAction[] {
  const sessions = raws.map(parseBreakglassSession)
  return planCleanup({ items: [{ phase: 'duplicates', sessions, scope }] }, T, DEFAULT_SETTINGS)
}

const older = { creationTimestamp: at(-3 * hour) }
const deleting = { deletionTimestamp: at(-minute) }

describe('electing who stays', () => {
  const table: [title: string, rivals: RawObject[], losers: string[]][] = [
    [
      'keeps the approved one before an older waiting one',
      [rival(rawSession, 'a'), rival(rawWaiting, 'b', { metadata: older })],
      ['team/b'],
    ],
    [
      'keeps the approved one before an older pending one',
      [rival(rawPending, 'a', { metadata: older }), rival(rawSession, 'b')],
      ['team/a'],
    ],
    [
      'keeps the waiting one before an older pending one',
      [rival(rawPending, 'a', { metadata: older }), rival(rawWaiting, 'b')],
      ['team/a'],
    ],
    [
      'keeps the oldest of two approved ones',
      [rival(rawSession, 'a'), rival(rawSession, 'b', { metadata: older })],
      ['team/a'],
    ],
    ['keeps the first by name when they are of one age', [rival(rawSession, 'b'), rival(rawSession, 'a')], ['team/b']],
    [
      'keeps the first by namespace when name and age are equal',
      [
        rival(rawSession, 'a', { metadata: { namespace: 'two' } }),
        rival(rawSession, 'a', { metadata: { namespace: 'one' } }),
      ],
      ['two/a'],
    ],
    [
      'keeps one of three',
      [rival(rawPending, 'a'), rival(rawSession, 'b'), rival(rawWaiting, 'c')],
      ['team/c', 'team/a'],
    ],
    [
      'keeps both when the clusters differ',
      [rival(rawSession, 'a'), rival(rawSession, 'b', { spec: { cluster: 'edge-8' } })],
      [],
    ],
    [
      'keeps both when the users differ',
      [rival(rawSession, 'a'), rival(rawSession, 'b', { spec: { user: 'bob@example.test' } })],
      [],
    ],
    [
      'keeps both when the groups differ',
      [rival(rawSession, 'a'), rival(rawSession, 'b', { spec: { grantedGroup: 'readers' } })],
      [],
    ],
    ['keeps the only live one', [rival(rawSession, 'a'), rival(rawSession, 'b', { status: { state: 'Expired' } })], []],
    [
      'does not let one without a state contend',
      [rival(rawSession, 'a', { status: { state: '' } }), rival(rawPending, 'b')],
      [],
    ],
    [
      'does not let one that is being deleted win',
      [rival(rawSession, 'a', { metadata: deleting }), rival(rawPending, 'b')],
      [],
    ],
    [
      'does not let an approved one that is past its end win',
      [rival(rawSession, 'a', { status: { expiresAt: at(-second) } }), rival(rawPending, 'b')],
      [],
    ],
    [
      'does not let a waiting one that is over win',
      [rival(rawWaiting, 'a', { spec: { scheduledStartTime: null } }), rival(rawPending, 'b')],
      [],
    ],
    [
      'does not let a pending one past its deadline win',
      [rival(rawPending, 'a', { metadata: older, status: { timeoutAt: at(0) } }), rival(rawPending, 'b')],
      [],
    ],
    [
      'lets an approved one in its last second win',
      [rival(rawSession, 'a', { status: { expiresAt: at(0) } }), rival(rawPending, 'b')],
      ['team/b'],
    ],
  ]
  it.each(table)('%s', (_title, rivals, losers) => {
    expect(planGroup(rivals).map(({ object }) => object)).toEqual(losers)
  })

  it.each<[string, Scope, string[]]>([
    ['a namespace', { namespace: 'team' }, ['team/b']],
    ['names', { names: ['c'] }, ['other/c']],
    ['names in a namespace', { namespace: 'team', names: ['c'] }, []],
  ])('acts only on losers in a scope of %s, and lets all others win', (_title, scope, losers) => {
    const rivals = [
      rival(rawSession, 'a', { metadata: { namespace: 'other' } }),
      rival(rawPending, 'b'),
      rival(rawPending, 'c', { metadata: { namespace: 'other' } }),
    ]
    expect(planGroup(rivals, scope).map(({ object }) => object)).toEqual(losers)
  })
})

describe('the patch of a loser', () => {
  const winner = rival(rawSession, 'w', { metadata: older })
  const condition = { status: 'True', observedGeneration: 2, lastTransitionTime: at(0) }

  it.each<[string, Factory]>([
    ['pending', rawPending],
    ['waiting', rawWaiting],
  ])('withdraws a %s one', (_title, factory) => {
    const [action] = planGroup([winner, rival(factory, 'a')])
    expect(action).toMatchObject({ to: 'Withdrawn', reason: 'withdrawn', note: 'duplicate of team/w' })
    expect(action?.group).toEqual(['team/w', 'team/a'])
    expect(action?.status).toEqual({
      state: 'Withdrawn',
      reasonEnded: 'withdrawn',
      withdrawnAt: at(0),
      retainedUntil: at(24 * hour),
      observedGeneration: 2,
      conditions: [
        FRESH_CONDITION,
        {
          ...condition,
          type: 'Canceled',
          reason: 'DuplicateSessionWithdrawn',
          message: 'The request was withdrawn: another one for the same access stays.',
        },
      ],
    })
  })

  it('expires an approved one now', () => {
    const [action] = planGroup([winner, rival(rawSession, 'a')])
    expect(action).toMatchObject({ to: 'Expired', reason: 'duplicateCleanup' })
    expect(action?.status).toEqual({
      state: 'Expired',
      reasonEnded: 'duplicateCleanup',
      expiresAt: at(0),
      retainedUntil: at(24 * hour),
      observedGeneration: 2,
      conditions: [
        FRESH_CONDITION,
        {
          ...condition,
          type: 'Expired',
          reason: 'DuplicateSessionTerminated',
          message: 'The session was ended: another one for the same access stays.',
        },
      ],
    })
  })

  it('leaves a retention and a withdrawal that are already set', () => {
    const status = { retainedUntil: at(hour), withdrawnAt: at(-hour) }
    const [action] = planGroup([winner, rival(rawPending, 'a', { status })])
    expect(action?.status).not.toHaveProperty('retainedUntil')
    expect(action?.status).not.toHaveProperty('withdrawnAt')
  })
})
