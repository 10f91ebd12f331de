import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { BreakglassEscalation, Members } from '../../../../lib/kubernetes/resources/breakglass-escalation.ts'
import {
  type Asked,
  type GroupAnswer,
  membershipOf,
  pendingGroups,
} from '../../../../lib/reconcilers/status-sync/rules/membership.ts'
import { escalation } from './support.ts'

type Answers = Readonly<Record<string, Readonly<Record<string, GroupAnswer>>>>

const asked = (answers: Answers): Asked => ({
  providers: Object.keys(answers),
  answerOf: (provider, group) => answers[provider]?.[group] ?? { kind: 'failed' },
})
const members = (...list: string[]): GroupAnswer => ({ kind: 'members', members: list })
const failed: GroupAnswer = { kind: 'failed' }
const missing: GroupAnswer = { kind: 'missing', seenBefore: false }
const missingAgain: GroupAnswer = { kind: 'missing', seenBefore: true }
const empty: GroupAnswer = { kind: 'empty', seenBefore: false }
const emptyAgain: GroupAnswer = { kind: 'empty', seenBefore: true }

/** What is written of the group `g` before, by provider, and as a whole. */
function written(byProvider: Readonly<Record<string, readonly string[]>>, all?: readonly string[]) {
  const idpGroupMemberships = Object.fromEntries(Object.entries(byProvider).map(([name, list]) => [name, { g: list }]))
  const union = all ?? [...new Set(Object.values(byProvider).flat())].sort()
  const isWritten = all !== undefined || Object.keys(byProvider).length > 0
  return { idpGroupMemberships, approverGroupMembers: isWritten ? { g: union } : ({} as Members) }
}

describe('the members of a group', () => {
  it.each<
    [
      string,
      ReturnType<typeof written>,
      Readonly<Record<string, GroupAnswer>>,
      Readonly<Record<string, readonly string[]>>,
      readonly string[] | undefined,
    ]
  >([
    ['are sorted, each once', written({}), { a: members('z', 'm', 'z') }, { a: ['m', 'z'] }, ['m', 'z']],
    [
      'are the union over providers',
      written({}),
      { a: members('x'), b: members('y', 'x') },
      { a: ['x'], b: ['x', 'y'] },
      ['x', 'y'],
    ],
    ['follow an answer at once', written({ a: ['x', 'y'] }), { a: members('y') }, { a: ['y'] }, ['y']],
    ['stay when nobody says', written({ a: ['x'] }), { a: failed }, { a: ['x'] }, ['x']],
    [
      'of a provider that does not say stay beside the others',
      written({ a: ['x'], b: ['y'] }),
      { a: failed, b: members('z') },
      { a: ['x'], b: ['z'] },
      ['x', 'z'],
    ],
    [
      'of nobody knows which provider stay while one does not say',
      written({}, ['old']),
      { a: members('x'), b: failed },
      { a: ['x'] },
      ['old', 'x'],
    ],
    [
      'of nobody knows which provider go once all have said',
      written({}, ['old']),
      { a: members('x'), b: members('y') },
      { a: ['x'], b: ['y'] },
      ['x', 'y'],
    ],
    ['are not written as long as nobody ever said', written({}), { a: failed }, {}, undefined],
    ['stay at the first look that finds none', written({ a: ['x'] }), { a: empty }, { a: ['x'] }, ['x']],
    ['are none at the second', written({ a: ['x'] }), { a: emptyAgain }, { a: [] }, []],
    ['stay at the first look that finds no group', written({ a: ['x'] }), { a: missing }, { a: ['x'] }, ['x']],
    ['are none at the second look that finds no group', written({ a: ['x'] }), { a: missingAgain }, { a: [] }, []],
    ['are not written at the first look at a new group that has none', written({}), { a: empty }, {}, undefined],
    ['are none at the second look at a new group', written({}), { a: emptyAgain }, { a: [] }, []],
    [
      'are none at the second look at a new group that is nowhere',
      written({}),
      { a: missingAgain, b: missingAgain },
      {},
      [],
    ],
    [
      'are not written where one provider has no group and the other does not say',
      written({}),
      { a: missingAgain, b: failed },
      {},
      undefined,
    ],
    [
      'need only one provider to have the group',
      written({ a: ['x'] }),
      { a: members('x'), b: missing },
      { a: ['x'] },
      ['x'],
    ],
    ['stay none while the only provider does not say', written({ a: [] }), { a: failed }, { a: [] }, []],
    ['come back at once', written({ a: [] }), { a: members('x') }, { a: ['x'] }, ['x']],
    [
      'of a provider that is not asked any more go',
      written({ a: ['x'], b: ['y'] }),
      { a: members('x') },
      { a: ['x'] },
      ['x'],
    ],
  ])('%s', (_, status, answers, byProvider, all) => {
    const perGroup = Object.fromEntries(Object.entries(answers).map(([provider, answer]) => [provider, { g: answer }]))
    const result = membershipOf(escalation(['g'], { status }), asked(perGroup), false)
    expect(result.idpGroupMemberships).toEqual(
      Object.fromEntries(Object.entries(byProvider).map(([provider, list]) => [provider, { g: list }])),
    )
    expect(result.approverGroupMembers).toEqual(all === undefined ? {} : { g: all })
  })

  it('stay for ever with EMPTY_GROUPS=keep, however often none are found', () => {
    const status = written({ a: ['x'] })
    for (const answer of [empty, emptyAgain, missing, missingAgain])
      expect(membershipOf(escalation(['g'], { status }), asked({ a: { g: answer } }), true)).toEqual(status)
  })

  it('stay when no provider can be asked', () => {
    const status = written({ a: ['x'] })
    expect(membershipOf(escalation(['g'], { status }), asked({}), false).approverGroupMembers).toEqual({ g: ['x'] })
  })

  it('go with their group', () => {
    const status = { idpGroupMemberships: { a: { g: ['x'], h: ['y'] } }, approverGroupMembers: { g: ['x'], h: ['y'] } }
    expect(membershipOf(escalation(['h'], { status }), asked({ a: { h: members('y') } }), false)).toEqual({
      idpGroupMemberships: { a: { h: ['y'] } },
      approverGroupMembers: { h: ['y'] },
    })
  })
})

describe('a group is remembered', () => {
  it.each<[string, boolean, ReturnType<typeof written>, Readonly<Record<string, GroupAnswer>>]>([
    ['when members are written and none are found', true, written({ a: ['x'] }), { a: empty }],
    ['when nothing is written of it and it is nowhere', true, written({}), { a: missing }],
    ['not when it is written as empty already', false, written({ a: [] }), { a: empty }],
    ['not when it has members', false, written({ a: ['x'] }), { a: members('y') }],
    ['not when nobody says', false, written({ a: ['x'] }), { a: failed }],
    ['not when another provider has it', false, written({ a: ['x'] }), { a: members('x'), b: missing }],
  ])('%s', (_, isPending, status, answers) => {
    const perGroup = Object.fromEntries(Object.entries(answers).map(([provider, answer]) => [provider, { g: answer }]))
    expect(pendingGroups(escalation(['g'], { status }), asked(perGroup))).toEqual(isPending ? ['g'] : [])
  })
})

describe('whatever is answered', () => {
  const names = fc.constantFrom('x', 'y', 'z')
  const list = fc.uniqueArray(names, { maxLength: 3 })
  const answer: fc.Arbitrary<GroupAnswer> = fc.oneof(
    fc.array(names, { minLength: 1, maxLength: 3 }).map(found => members(...found)),
    fc.constantFrom(failed, missing, missingAgain, empty, emptyAgain),
  )
  const answers = fc.dictionary(fc.constantFrom('a', 'b'), fc.record({ g: answer, h: answer }))
  const map = fc.dictionary(fc.constantFrom('g', 'h', 'gone'), list)
  const status = fc.record({
    approverGroupMembers: map,
    idpGroupMemberships: fc.dictionary(fc.constantFrom('a', 'b', 'c'), map),
  })
  const world = fc.record({ status, answers, keeps: fc.boolean() })
  const of = ({ status: before, answers: given, keeps }: { status: object; answers: Answers; keeps: boolean }) => {
    const object = escalation(['g', 'h'], { status: before })
    return { object, result: membershipOf(object, asked(given), keeps), given: asked(given) }
  }

  it('a second look at the same answers changes nothing', () => {
    fc.assert(
      fc.property(world, given => {
        const { object, result, given: answered } = of(given)
        const again: BreakglassEscalation = { ...object, status: { ...object.status, ...result } }
        expect(membershipOf(again, answered, given.keeps)).toEqual(result)
      }),
      { numRuns: 2_000 },
    )
  })

  it('a group is only emptied when every provider has answered', () => {
    fc.assert(
      fc.property(world, given => {
        const { object, result, given: answered } = of(given)
        for (const group of ['g', 'h']) {
          const had = object.status.approverGroupMembers[group]
          if (result.approverGroupMembers[group]?.length !== 0 || had?.length === 0) continue
          expect(answered.providers.map(name => answered.answerOf(name, group).kind)).not.toContain('members')
          const silent = answered.providers.filter(name => answered.answerOf(name, group).kind === 'failed')
          for (const name of silent) expect(object.status.idpGroupMemberships[name]?.[group]).toEqual([])
        }
      }),
      { numRuns: 2_000 },
    )
  })
})
