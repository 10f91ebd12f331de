// What is to be written into an escalation's status: its two maps of members and the loop's own condition. Pure. The patch
// names only what changes, so that whatever else stands in the status stays as its writers left it.

import { keyOf, type Target } from '../../kubernetes/api.ts'
import {
  BREAKGLASS_ESCALATIONS,
  type BreakglassEscalation,
  type Members,
} from '../../kubernetes/resources/breakglass-escalation.ts'
import { withCondition } from '../../kubernetes/resources/condition.ts'
import type { Action } from '../../tick/reconciler.ts'
import { CONDITION, conditionOf, counted, type Reason } from './rules/condition.ts'
import { type Asked, membershipOf } from './rules/membership.ts'
import type { StatusSyncSettings } from './rules/settings.ts'

/** One escalation and what was asked for it. */
export interface Candidate {
  readonly escalation: BreakglassEscalation
  readonly asked: Asked
}

/** One write; `reason` is that of its Event, or `ConditionUpdated`, which has none. */
export interface StatusSyncAction extends Action {
  readonly reason: 'GroupMembersSynced' | 'ConditionUpdated' | Reason
  readonly candidate: Candidate
  readonly target: Target
  /** A merge patch of the status. */
  readonly status: Readonly<Record<string, unknown>>
}

/** Reasons that are told as warnings when the condition comes to have them. */
export const WARNINGS: readonly string[] = [
  'GroupSyncFailed',
  'GroupSyncPartialFailure',
  'GroupNotFound',
  'GroupMembersEmpty',
]

/** Plans a page: at most one write for each escalation. */
export function planStatusSync(
  page: { readonly items: readonly Candidate[] },
  nowMs: number,
  settings: StatusSyncSettings,
): StatusSyncAction[] {
  return page.items.flatMap(candidate => planOne(candidate, nowMs, settings) ?? [])
}

function planOne(candidate: Candidate, nowMs: number, settings: StatusSyncSettings): StatusSyncAction | undefined {
  const { escalation, asked } = candidate
  const { metadata, spec, status } = escalation
  if (metadata.deletedAtMs !== undefined) return undefined
  const { name, namespace, uid, resourceVersion, generation } = metadata
  const wanted = membershipOf(escalation, asked, settings.emptyGroups === 'keep')
  const members = patchOf(status.approverGroupMembers, wanted.approverGroupMembers, patchOfList)
  const memberships = patchOf(status.idpGroupMemberships, wanted.idpGroupMemberships, patchOfMembers)
  const change = {
    ...conditionOf(spec.approverGroups, asked),
    ...(generation !== undefined && { observedGeneration: generation }),
  }
  const before = status.conditions.find(({ type }) => type === CONDITION)
  const conditions = withCondition(status.conditions, change, nowMs)
  const isConditionNew = JSON.stringify(conditions) !== JSON.stringify(status.conditions)
  if (!members && !memberships && !isConditionNew) return undefined

  const isNewlyBad = before?.reason !== change.reason && WARNINGS.includes(change.reason)
  const synced = members || memberships ? 'GroupMembersSynced' : 'ConditionUpdated'
  return {
    object: keyOf(escalation),
    from: typeof before?.reason === 'string' ? before.reason : 'none',
    to: change.reason,
    reason: isNewlyBad ? change.reason : synced,
    note: noteOf(status.approverGroupMembers, wanted.approverGroupMembers),
    candidate,
    target: {
      resource: BREAKGLASS_ESCALATIONS,
      ...(namespace !== undefined && { namespace }),
      name,
      uid,
      resourceVersion,
    },
    status: {
      ...(members && { approverGroupMembers: members }),
      ...(memberships && { idpGroupMemberships: memberships }),
      ...(isConditionNew && { conditions }),
    },
  }
}

type Patch = Readonly<Record<string, unknown>>

/** A merge patch from one map to another: changed keys with what `inside` gives for them, dropped keys as null. */
function patchOf<Value>(
  before: Readonly<Record<string, Value>>,
  after: Readonly<Record<string, Value>>,
  inside: (before: Value | undefined, after: Value) => unknown,
): Patch | undefined {
  const patch: Record<string, unknown> = {}
  for (const key of Object.keys(before)) if (!(key in after)) patch[key] = null
  for (const [key, value] of Object.entries(after)) {
    const change = inside(before[key], value)
    if (change !== undefined) patch[key] = change
  }
  return Object.keys(patch).length > 0 ? patch : undefined
}

/** The order in which another writer left a list is no change. */
function patchOfList(before: readonly string[] | undefined, after: readonly string[]): readonly string[] | undefined {
  return before && JSON.stringify([...before].sort()) === JSON.stringify(after) ? undefined : after
}

function patchOfMembers(before: Members | undefined, after: Members): Patch | undefined {
  return patchOf(before ?? {}, after, patchOfList)
}

/** How many members come and go; names of people are not for notes. */
function noteOf(before: Members, after: Members): string {
  const all = (members: Members) =>
    new Set(Object.entries(members).flatMap(([group, list]) => list.map(member => `${group}\n${member}`)))
  const [was, is] = [all(before), all(after)]
  const comes = [...is].filter(member => !was.has(member)).length
  const goes = [...was].filter(member => !is.has(member)).length
  return `${counted(is.size, 'member')} of ${counted(Object.keys(after).length, 'group')}, ${comes} came, ${goes} went`
}
