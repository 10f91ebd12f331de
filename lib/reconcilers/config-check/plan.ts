// What is to be done with looked-at clusters, as data: pure, so that a dry run can print it, and the same for a page as for one object
// that is read again after a conflict. A planned write is bound to the state it was judged on, and changes one condition.

import { keyOf, type Target } from '../../kubernetes/api.ts'
import { CLUSTER_CONFIGS, type ClusterConfig } from '../../kubernetes/resources/cluster-config.ts'
import { type Condition, withCondition } from '../../kubernetes/resources/condition.ts'
import type { Metadata } from '../../kubernetes/resources/fields.ts'
import type { Action } from '../../tick/reconciler.ts'
import type { Look } from './rules/look.ts'
import { decideReady, readyOf } from './rules/ready.ts'

/** A cluster that was looked at. */
export interface Looked {
  readonly config: ClusterConfig
  readonly look: Look
  /** The look before this one failed by network. */
  readonly failedBefore: boolean
  /** That it can't be tried, and why, was told before. */
  readonly isTold: boolean
}

/** One planned change of a condition, or one word about a cluster that can't be tried. */
export interface CheckAction extends Action {
  readonly target: Target
  /** What it follows from, for judging the object again. */
  readonly looked: Looked
  /** The merge patch of its status; absent: only something is told. */
  readonly status?: { readonly conditions: readonly Condition[] }
  /** Whether status or reason of the condition change, or something is told: other changes are written in silence. */
  readonly isTurn: boolean
}

/** Plans a page; clusters with nothing to do give nothing. */
export function planConfigCheck(page: { readonly items: readonly Looked[] }, nowMs: number): CheckAction[] {
  return page.items.flatMap(looked => planOne(looked, nowMs) ?? [])
}

function planOne(looked: Looked, nowMs: number): CheckAction | undefined {
  const { config, look, failedBefore, isTold } = looked
  if (config.metadata.deletedAtMs !== undefined) return undefined
  const before = readyOf(config)
  const about = { object: keyOf(config), from: stateOf(before), target: toTarget(config.metadata), looked }
  if (look.kind === 'untried')
    return isTold ? undefined : { ...about, to: about.from, reason: look.why, note: look.message, isTurn: true }
  const change = decideReady(config, look, failedBefore)
  return (
    change && {
      ...about,
      to: stateOf(change),
      reason: look.reason,
      note: look.message,
      status: { conditions: withCondition(config.status.conditions, change, nowMs) },
      isTurn: before?.status !== change.status || before.reason !== change.reason,
    }
  )
}

function stateOf(condition: { readonly status: string } | undefined): string {
  return `Ready=${condition?.status ?? 'unset'}`
}

function toTarget({ namespace, name, uid, resourceVersion }: Metadata): Target {
  return { resource: CLUSTER_CONFIGS, ...(namespace !== undefined && { namespace }), name, uid, resourceVersion }
}
