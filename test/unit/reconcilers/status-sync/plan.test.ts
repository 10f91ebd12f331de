import { describe, expect, it } from 'vitest'
import { type Candidate, planStatusSync } from '../../../../lib/reconcilers/status-sync/plan.ts'
import { CONDITION } from '../../../../lib/reconcilers/status-sync/rules/condition.ts'
import type { GroupAnswer } from '../../../../lib/reconcilers/status-sync/rules/membership.ts'
import { DEFAULT_SETTINGS } from '../../../../lib/reconcilers/status-sync/rules/settings.ts'
import { escalation } from './support.ts'

const NOW = Date.parse('2026-09-01T08:00:00Z')

type Answers = Readonly<Record<string, Readonly<Record<string, GroupAnswer>>>>

const members = (...list: string[]): GroupAnswer => ({ kind: 'members', members: list })
const failed: GroupAnswer = { kind: 'failed' }
const missing: GroupAnswer = { kind: 'missing', seenBefore: true }
const empty: GroupAnswer = { kind: 'empty', seenBefore: true }

function candidate(answers: Answers, options: Parameters<typeof escalation>[1] = {}, groups = ['g', 'h']): Candidate {
  return {
    escalation: escalation(groups, options),
    asked: {
      providers: Object.keys(answers),
      answerOf: (provider, group) => answers[provider]?.[group] ?? failed,
    },
  }
}

const plan = (...items: Candidate[]) => planStatusSync({ items }, NOW, DEFAULT_SETTINGS)

/** The candidate as it would be read after its plan was written. */
function afterwards(of: Candidate): Candidate {
  const [action] = plan(of)
  if (!action) return of
  const status = mergePatch(of.escalation.status, action.status) as Candidate['escalation']['status']
  return { ...of, escalation: { ...of.escalation, status } }
}

/** @see https://www.rfc-editor.org/rfc/rfc7396#section-2 */
function mergePatch(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch
  const result: Record<string, unknown> = typeof target === 'object' && target !== null ? { ...target } : {}
  for (const [key, value] of Object.entries(patch))
    if (value === null) delete result[key]
    else result[key] = mergePatch(result[key], value)
  return result
}

describe('the condition', () => {
  const ok = { g: members('x'), h: members('y') }
  it.each<[string, Answers, string[], 'True' | 'False', string, RegExp]>([
    [
      'every group has members',
      { a: ok },
      ['g', 'h'],
      'True',
      'GroupMembersResolved',
      /^2 approver groups at 1 identity provider: every group has members$/,
    ],
    [
      'a group that one of two providers has is found',
      { a: ok, b: { g: members('x'), h: missing } },
      ['g', 'h'],
      'True',
      'GroupMembersResolved',
      /2 identity providers/,
    ],
    [
      'some group is empty after the union',
      { a: { g: members('x'), h: empty } },
      ['g', 'h'],
      'True',
      'GroupMembersEmpty',
      /: h without members$/,
    ],
    [
      'a group that one provider has empty and the other not at all is empty',
      { a: { g: empty }, b: { g: missing } },
      ['g'],
      'True',
      'GroupMembersEmpty',
      /: g without members$/,
    ],
    [
      'some provider failed',
      { a: ok, b: { g: failed, h: members('y') } },
      ['g', 'h'],
      'False',
      'GroupSyncPartialFailure',
      /: b did not say/,
    ],
    [
      'some provider failed, and the other has no such group',
      { a: { g: missing, h: missing }, b: {} },
      ['g', 'h'],
      'False',
      'GroupSyncPartialFailure',
      /: b did not say/,
    ],
    [
      'every error is not found',
      { a: { g: missing, h: members('y') } },
      ['g', 'h'],
      'False',
      'GroupNotFound',
      /: g not found$/,
    ],
    [
      'every provider failed',
      { a: { g: failed, h: members('y') } },
      ['g', 'h'],
      'False',
      'GroupSyncFailed',
      /: a did not say/,
    ],
    ['there is no provider', {}, ['g'], 'False', 'GroupSyncFailed', /none that synchronises groups is enabled/],
    ['there are no groups', { a: {} }, [], 'True', 'NoApproverGroupsConfigured', /^no approver groups are configured$/],
  ])('%s', (_, answers, groups, status, reason, message) => {
    const [action] = plan(candidate(answers, {}, groups))
    expect(action?.to).toBe(reason)
    expect(action?.status.conditions).toEqual([
      {
        type: CONDITION,
        status,
        reason,
        message: expect.stringMatching(message),
        observedGeneration: 3,
        lastTransitionTime: '2026-09-01T08:00:00Z',
      },
    ])
  })

  it('lists ten names and counts the others', () => {
    const groups = Array.from({ length: 13 }, (_, i) => `g${i + 1}`)
    const answers = { a: Object.fromEntries(groups.map(group => [group, missing])) }
    const conditions = plan(candidate(answers, {}, groups))[0]?.status.conditions
    expect(conditions).toMatchObject([{ message: expect.stringMatching(/: g1, .*, g10 and 3 more not found$/) }])
  })

  it('keeps its transition time as long as its status stays, and other writers’ conditions as they are', () => {
    const foreign = { type: 'Ready', status: 'True', extra: { by: 'another' } }
    const own = {
      type: CONDITION,
      status: 'True',
      reason: 'GroupMembersEmpty',
      lastTransitionTime: '2026-08-01T00:00:00Z',
    }
    const [action] = plan(candidate({ a: { g: members('x') } }, { status: { conditions: [own, foreign] } }, ['g']))
    expect(action?.status.conditions).toEqual([
      expect.objectContaining({ reason: 'GroupMembersResolved', lastTransitionTime: '2026-08-01T00:00:00Z' }),
      foreign,
    ])
  })
})

describe('the plan', () => {
  it('is empty once it was carried out', () => {
    for (const answers of [{ a: { g: members('x'), h: empty } }, { a: { g: failed, h: missing } }, {}] as Answers[]) {
      const once = afterwards(candidate(answers))
      expect(plan(once)).toEqual([])
    }
  })

  it('takes no notice of the order in which another one left a list', () => {
    const answers = { a: { g: members('x', 'y') } }
    const once = afterwards(candidate(answers, {}, ['g']))
    const { status } = once.escalation
    const reordered = { ...status, approverGroupMembers: { g: ['y', 'x'] } }
    expect(plan({ ...once, escalation: { ...once.escalation, status: reordered } })).toEqual([])
  })

  it('names only what changes, and drops what is no longer configured', () => {
    const status = {
      approverGroupMembers: { g: ['x'], gone: ['z'] },
      idpGroupMemberships: { a: { g: ['x'], gone: ['z'] }, left: { g: ['x'] } },
    }
    const [action] = plan(candidate({ a: { g: members('x'), h: members('y') } }, { status }))
    expect(action?.status).toEqual({
      approverGroupMembers: { h: ['y'], gone: null },
      idpGroupMemberships: { a: { h: ['y'], gone: null }, left: null },
      conditions: expect.any(Array),
    })
    expect(action?.note).toBe('2 members of 2 groups, 1 came, 1 went')
  })

  it('writes an empty list and never a null for a group that is configured', () => {
    const status = { approverGroupMembers: { g: ['x'] }, idpGroupMemberships: { a: { g: ['x'] } } }
    const [action] = plan(candidate({ a: { g: empty } }, { status }, ['g']))
    expect(action?.status).toMatchObject({ approverGroupMembers: { g: [] }, idpGroupMemberships: { a: { g: [] } } })
  })

  it('clears both maps where no groups are configured any more', () => {
    const status = { approverGroupMembers: { g: ['x'] }, idpGroupMemberships: { a: { g: ['x'] } } }
    const [action] = plan(candidate({ a: {} }, { status }, []))
    expect(action?.status).toMatchObject({ approverGroupMembers: { g: null }, idpGroupMemberships: { a: null } })
  })

  it.each<[string, Answers, object, string]>([
    ['members came', { a: { g: members('x') } }, {}, 'GroupMembersSynced'],
    ['a group was found empty', { a: { g: empty } }, {}, 'GroupMembersEmpty'],
    ['a provider began to fail', { a: {} }, {}, 'GroupSyncFailed'],
    [
      'a provider is failing still, and the generation rose',
      { a: {} },
      { conditions: [{ type: CONDITION, status: 'False', reason: 'GroupSyncFailed' }] },
      'ConditionUpdated',
    ],
    [
      'a provider recovered and nobody changed',
      { a: { g: members('x') } },
      {
        approverGroupMembers: { g: ['x'] },
        idpGroupMemberships: { a: { g: ['x'] } },
        conditions: [{ type: CONDITION, status: 'False', reason: 'GroupSyncFailed' }],
      },
      'ConditionUpdated',
    ],
  ])('gives the reason of its event: %s', (_, answers, status, reason) => {
    expect(plan(candidate(answers, { status }, ['g']))[0]?.reason).toBe(reason)
  })

  it('leaves an escalation alone that is being deleted', () => {
    expect(plan(candidate({ a: { g: members('x') } }, { metadata: { deletedAtMs: NOW } }, ['g']))).toEqual([])
  })
})
