// What is told about a change that took effect: one audit record in the log, one counter, one Event. Each change is told
// once; a function that dies between the write and here tells nothing.

import { tell } from '../../fence/tell.ts'
import type { EventContent } from '../../kubernetes/resources/event.ts'
import type { Log } from '../../telemetry/log.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import type { Application } from '../../tick/reconciler.ts'
import { SECOND_MS } from '../../time.ts'
import type { CleanupAction } from './plan.ts'
import { TRANSITIONS } from './rules/transitions.ts'

/** Who reports the Events of this loop. */
export const REPORTER = 'fencepost-cleanup'
/** Message of every audit record. */
export const AUDIT_MESSAGE = 'session transition'

/** What is known besides the action itself: its application, and the resourceVersion it gave (none after a deletion). */
export interface Announcement extends Omit<Application, 'confirm'> {
  readonly resourceVersion: string | undefined
}

/**
 * Tells of one change.
 * @throws LeaseLostError – another one has taken over. FenceError. The change itself stands.
 */
export type Announcer = (action: CleanupAction, announcement: Announcement) => Promise<void>

/** Makes the announcer of the loop. */
export function createAnnouncer(log: Log, metrics: Metrics): Announcer {
  return async (action, announcement) => {
    log.info(AUDIT_MESSAGE, auditRecord(action, announcement))
    metrics.count(TRANSITIONS[action.reason].counter)
    await tell(eventAbout(action, announcement), { ...announcement, log, metrics })
  }
}

/** The audit record: words of ours, names, versions and instants, and nothing that a person wrote. */
function auditRecord(action: CleanupAction, { nowMs, resourceVersion }: Announcement): Record<string, unknown> {
  const { object, target, from, to, reason } = action
  return {
    event: TRANSITIONS[reason].audit,
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
  }
}

/** A deleted object's Event regards it by its uid all the same, in its namespace, and outlives it for as long as Events live. */
function eventAbout(action: CleanupAction, { nowMs, resourceVersion }: Announcement): EventContent {
  const { type, reason, action: verb, note } = TRANSITIONS[action.reason].event
  return {
    regarding: action.target,
    ...(resourceVersion !== undefined && { resourceVersion }),
    type,
    reason,
    action: verb,
    note: `${note}: ${action.note}`,
    eventAtMs: nowMs,
    reporter: REPORTER,
  }
}
