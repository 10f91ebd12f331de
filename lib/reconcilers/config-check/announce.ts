// What is told about a turn of a cluster's Ready, and about a cluster that can't be tried: one audit record in the log, one Event, and for
// the latter one count. Each is told once; a function that dies between the write and here tells nothing.

import { tell } from '../../fence/tell.ts'
import type { Log } from '../../telemetry/log.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import type { Application } from '../../tick/reconciler.ts'
import { SECOND_MS } from '../../time.ts'
import type { CheckAction } from './plan.ts'

/** Who reports the Events of this loop. */
export const REPORTER = 'fencepost-config-check'
/** Message of every audit record. */
export const AUDIT_MESSAGE = 'cluster turn'
/** Counts clusters that turned out not to be tried. */
export const CLUSTERS_UNTRIED = 'ClustersUntried'

/** Events by what a look came to; the first two reasons are upstream's. */
export const EVENTS_BY_LOOK = {
  ready: { type: 'Normal', reason: 'ClusterConfigValidationSucceeded' },
  failed: { type: 'Warning', reason: 'ClusterConfigValidationFailed' },
  untried: { type: 'Warning', reason: 'ClusterConfigNotTried' },
} as const

/** What is known besides the action itself: its application, and the resourceVersion it gave (none where nothing was written). */
export interface Announcement extends Omit<Application, 'confirm'> {
  readonly resourceVersion: string | undefined
}

/**
 * Tells of one action.
 * @throws LeaseLostError – another one has taken over. FenceError. What was written stands.
 */
export type Announcer = (action: CheckAction, announcement: Announcement) => Promise<void>

/** Makes the announcer of the loop. */
export function createAnnouncer(log: Log, metrics: Metrics): Announcer {
  return async (action, announcement) => {
    if (!action.isTurn) return
    const { object, target, from, to, reason, note, looked } = action
    const { nowMs, resourceVersion } = announcement
    log.info(AUDIT_MESSAGE, {
      actor: 'system',
      kind: target.resource.kind,
      object,
      uid: target.uid,
      judgedResourceVersion: target.resourceVersion,
      resourceVersion,
      from,
      to,
      reason,
      atSeconds: nowMs / SECOND_MS,
    })
    if (looked.look.kind === 'untried') metrics.count(CLUSTERS_UNTRIED)
    const event = {
      ...EVENTS_BY_LOOK[looked.look.kind],
      regarding: target,
      ...(resourceVersion !== undefined && { resourceVersion }),
      action: 'Check',
      note: `${reason}: ${note}`,
      eventAtMs: nowMs,
      reporter: REPORTER,
    }
    await tell(event, { ...announcement, log, metrics })
  }
}
