// What the condition ApprovalGroupMembersResolved says of an escalation, from what its identity providers answered. The first
// row that applies wins:
//
// | what was answered                               | status | reason                     |
// |-------------------------------------------------|--------|----------------------------|
// | there are no groups                             | True   | NoApproverGroupsConfigured |
// | no provider, or every provider failed for some  | False  | GroupSyncFailed            |
// | a provider failed for some group                | False  | GroupSyncPartialFailure    |
// | no provider has some group                      | False  | GroupNotFound              |
// | some group has no members anywhere              | True   | GroupMembersEmpty          |
// | every group has members                         | True   | GroupMembersResolved       |
//
// A group that one provider has and another has not is found. Messages hold counts and names, and no text of a provider.

import type { ConditionChange } from '../../../kubernetes/resources/condition.ts'
import type { Asked } from './membership.ts'

/** The condition that the loop writes. */
export const CONDITION = 'ApprovalGroupMembersResolved'

/** How many names a message lists. */
const LISTED = 10

/** Every reason the condition can have. */
export type Reason =
  | 'NoApproverGroupsConfigured'
  | 'GroupSyncFailed'
  | 'GroupSyncPartialFailure'
  | 'GroupNotFound'
  | 'GroupMembersEmpty'
  | 'GroupMembersResolved'

/** Judges the answers; `observedGeneration` is left to the caller. */
export function conditionOf(groups: readonly string[], asked: Asked): ConditionChange & { reason: Reason } {
  const { providers } = asked
  const kindsOf = (group: string) => providers.map(provider => asked.answerOf(provider, group).kind)
  const failed = providers.filter(provider => groups.some(group => asked.answerOf(provider, group).kind === 'failed'))
  const found = (group: string) => kindsOf(group).some(kind => kind === 'members')
  const missing = groups.filter(group => kindsOf(group).every(kind => kind === 'missing'))
  const empty = groups.filter(group => !found(group) && !missing.includes(group))
  const asking = `${counted(groups.length, 'approver group')} at ${counted(providers.length, 'identity provider')}`

  if (groups.length === 0) return say('True', 'NoApproverGroupsConfigured', 'no approver groups are configured')
  if (providers.length === 0)
    return say(
      'False',
      'GroupSyncFailed',
      `${asking}: none that synchronises groups is enabled; members stay as they were`,
    )
  if (failed.length > 0) {
    const reason = failed.length === providers.length ? 'GroupSyncFailed' : 'GroupSyncPartialFailure'
    return say(
      'False',
      reason,
      `${asking}: ${named(failed)} did not say for every group; what is not known stays as it was`,
    )
  }
  if (missing.length > 0) return say('False', 'GroupNotFound', `${asking}: ${named(missing)} not found`)
  if (empty.length > 0) return say('True', 'GroupMembersEmpty', `${asking}: ${named(empty)} without members`)
  return say('True', 'GroupMembersResolved', `${asking}: every group has members`)
}

function say(status: 'True' | 'False', reason: Reason, message: string) {
  return { type: CONDITION, status, reason, message }
}

/** A count with its noun. */
export function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}

function named(names: readonly string[]): string {
  const rest = names.length - LISTED
  return `${names.slice(0, LISTED).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`
}
