// What must be reached once nothing goes wrong any more.

import { toInstant } from '../../../lib/time.ts'
import type { Fail, Goal } from '../invariants.ts'
import { LEASE_PATH, SESSIONS_PATH } from '../world/names.ts'
import type { World } from '../world/world.ts'

/** Checks progress. */
export function checkProgress({ store, table, attempts }: World, { leaseKind, lastTick }: Goal, fail: Fail): void {
  const completed =
    leaseKind === 'kubernetes'
      ? store.get(LEASE_PATH)?.metadata.annotations?.['fencepost.dev/completed-tick']
      : table.item()?.completedTick?.S
  if (completed !== toInstant(lastTick))
    fail('progress', `the completed tick is ${completed} and not ${toInstant(lastTick)}`)
  for (const { metadata, spec, status } of store.list(`${SESSIONS_PATH}/`)) {
    const isDone = status.state === 'closed' && (spec.isKept || spec.goesAtMs > lastTick)
    if (!isDone) fail('progress', `${metadata.name} is still ${status.state}`)
  }
  const last = attempts.at(-1)?.outcome
  if (last?.kind !== 'completed') fail('progress', `the last tick is ${last?.kind ?? 'without an outcome'}`)
}
