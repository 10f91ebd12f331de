// Who is written as the members of an escalation's groups, from what its identity providers answered and what is written
// there already. What must stay true: members that are known are only replaced by an answer, never by the lack of one; a
// group that is found empty or gone keeps them until that was seen twice; no group is written as null.

import type { BreakglassEscalation, Members } from '../../../kubernetes/resources/breakglass-escalation.ts'

/**
 * What one provider says about one group; `seenBefore` on what is empty or gone: the pass before saw the same.
 *
 * `failed`: nobody knows.
 */
export type GroupAnswer =
  | { readonly kind: 'members'; readonly members: readonly string[] }
  | { readonly kind: 'empty' | 'missing'; readonly seenBefore: boolean }
  | { readonly kind: 'failed' }

/** What was asked for one escalation. */
export interface Asked {
  /** The providers it takes approvers from, those that could not be asked included. */
  readonly providers: readonly string[]
  answerOf(provider: string, group: string): GroupAnswer
}

/** The two maps of an escalation's status. */
export type Membership = Pick<BreakglassEscalation['status'], 'approverGroupMembers' | 'idpGroupMemberships'>

/**
 * The maps as they are to be; lists are sorted.
 *
 * @param keepsEmpty an empty or missing group keeps its last members for ever.
 */
export function membershipOf({ spec, status }: BreakglassEscalation, asked: Asked, keepsEmpty: boolean): Membership {
  const approverGroupMembers: Record<string, readonly string[]> = {}
  const idpGroupMemberships: Record<string, Members> = {}
  for (const group of spec.approverGroups) {
    const union = new Set<string>()
    let isKnown = false
    let isOpen = asked.providers.length === 0
    for (const provider of asked.providers) {
      const known = status.idpGroupMemberships[provider]?.[group]
      const answer = asked.answerOf(provider, group)
      const list = listOf(answer, known, keepsEmpty)
      if (list) idpGroupMemberships[provider] = { ...idpGroupMemberships[provider], [group]: list }
      for (const member of list ?? []) union.add(member)
      isKnown ||= answer.kind !== 'failed'
      // Whoever did not say, and of whom nothing is written, may be the one that the written members are of.
      isOpen ||= answer.kind !== 'members' && !isFinal(answer, keepsEmpty) && known === undefined
    }
    const written = status.approverGroupMembers[group]
    if (isOpen) for (const member of written ?? []) union.add(member)
    if (union.size > 0 || written !== undefined || (isKnown && !isOpen)) approverGroupMembers[group] = sorted(union)
  }
  return { approverGroupMembers, idpGroupMemberships }
}

/** The groups that would be written otherwise if what is empty or gone had been seen twice. */
export function pendingGroups(escalation: BreakglassEscalation, asked: Asked): string[] {
  const now = membershipOf(escalation, withEmpties(asked, false), false)
  const then = membershipOf(escalation, withEmpties(asked, true), false)
  return escalation.spec.approverGroups.filter(group => textOf(now, group) !== textOf(then, group))
}

/** Whether an answer is the last word about a group. */
function isFinal(answer: GroupAnswer, keepsEmpty: boolean): boolean {
  if (answer.kind === 'failed') return false
  return answer.kind === 'members' || (answer.seenBefore && !keepsEmpty)
}

function listOf(
  answer: GroupAnswer,
  known: readonly string[] | undefined,
  keepsEmpty: boolean,
): readonly string[] | undefined {
  if (answer.kind === 'members') return sorted(answer.members)
  if (!isFinal(answer, keepsEmpty)) return known
  // A group that a provider never had is not written of it.
  return known === undefined && answer.kind === 'missing' ? undefined : []
}

function withEmpties(asked: Asked, seenBefore: boolean): Asked {
  const { providers } = asked
  const answerOf = (provider: string, group: string): GroupAnswer => {
    const answer = asked.answerOf(provider, group)
    return answer.kind === 'empty' || answer.kind === 'missing' ? { ...answer, seenBefore } : answer
  }
  return { providers, answerOf }
}

function textOf({ approverGroupMembers, idpGroupMemberships }: Membership, group: string): string {
  return JSON.stringify([
    approverGroupMembers[group] ?? null,
    Object.entries(idpGroupMemberships).map(([provider, members]) => [provider, members[group] ?? null]),
  ])
}

function sorted(members: Iterable<string>): string[] {
  return [...new Set(members)].sort()
}
