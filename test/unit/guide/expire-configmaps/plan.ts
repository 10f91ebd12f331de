// Which ConfigMaps are over, as data: pure, so that a dry run can print it, and the same for a page as for one object that
// is looked at again after a conflict. Every action is bound to the state it was judged on.

import type { Target } from '../../../../lib/kubernetes/api.ts'
import { keyOf } from '../../../../lib/kubernetes/api.ts'
import type { Action } from '../../../../lib/tick/reconciler.ts'
import { describeMs } from '../../../../lib/time.ts'
import { CONFIG_MAPS, type ConfigMap } from './config-map.ts'

/** One planned deletion. */
export interface Expiry extends Action {
  readonly to: 'deleted'
  readonly reason: 'ttlOver'
  readonly target: Target
}

/** Plans the deletion of those whose TTL is over (now > creation + TTL); one that is being deleted is left alone. */
export function planExpiry(items: readonly ConfigMap[], nowMs: number): Expiry[] {
  return items.flatMap(item => {
    const { createdAtMs, deletedAtMs } = item.metadata
    if (item.ttlMs === undefined || createdAtMs === undefined || deletedAtMs !== undefined) return []
    const overMs = nowMs - (createdAtMs + item.ttlMs)
    return overMs > 0 ? [toAction(item, `its ${describeMs(item.ttlMs)} were over ${describeMs(overMs)} ago`)] : []
  })
}

function toAction(item: ConfigMap, note: string): Expiry {
  const { namespace, name, uid, resourceVersion } = item.metadata
  return {
    object: keyOf(item),
    from: 'kept',
    to: 'deleted',
    reason: 'ttlOver',
    note,
    target: { resource: CONFIG_MAPS, ...(namespace !== undefined && { namespace }), name, uid, resourceVersion },
  }
}
