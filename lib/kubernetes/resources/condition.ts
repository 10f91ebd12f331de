// Kubernetes' `metav1.Condition` and the one way to change a list of them. A merge patch replaces a list whole, so a
// changed list always starts from the one that was read, and entries of other writers go back exactly as they came.

import * as z from 'zod'
import { toInstant } from '../../time.ts'

/** One entry of `status.conditions`; unknown fields are kept. */
export const conditionField = z.looseObject({ type: z.string(), status: z.string() })

/** A list of conditions; null and missing are the empty list. */
export const conditionsField = z
  .array(conditionField)
  .nullish()
  .transform(list => list ?? [])

/** One condition as it was read. */
export type Condition = z.infer<typeof conditionField>

/** A condition to be set. */
export interface ConditionChange {
  readonly type: string
  readonly status: 'True' | 'False' | 'Unknown'
  /** A stable CamelCase word. */
  readonly reason: string
  readonly message: string
  /** The `metadata.generation` that was judged. */
  readonly observedGeneration?: number
}

/**
 * Gives the list with one condition replaced in its place, or appended; the given list is left alone.
 *
 * `lastTransitionTime` becomes `nowMs` at second precision, unless the status stays what it was.
 *
 * @see https://pkg.go.dev/k8s.io/apimachinery/pkg/api/meta#SetStatusCondition
 */
export function withCondition(conditions: readonly Condition[], change: ConditionChange, nowMs: number): Condition[] {
  const before = conditions.find(({ type }) => type === change.type)
  const since = before?.status === change.status ? before.lastTransitionTime : undefined
  const after = { ...before, ...change, lastTransitionTime: since ?? toInstant(nowMs) }
  return before ? conditions.map(condition => (condition === before ? after : condition)) : [...conditions, after]
}
