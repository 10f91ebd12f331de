// The status-sync loop: who the members of each escalation's approver groups are, from Keycloak into the escalation's status.
// What it writes decides who may approve, so that nothing is ever written for the lack of an answer. It does what upstream's
// EscalationStatusUpdater does, on the same fields, and leaves everything else in the status to its writers.

import type { KubernetesApi } from '../../kubernetes/api.ts'
import type { Log } from '../../telemetry/log.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import type { Reconciler } from '../../tick/reconciler.ts'
import type { Clock } from '../../time.ts'
import { applyStatusSync } from './apply.ts'
import { type Memory, memorySchema } from './memory.ts'
import { type Cursor, cursorSchema, observeStatusSync } from './observe.ts'
import { type Candidate, planStatusSync, type StatusSyncAction } from './plan.ts'
import { DEFAULT_SETTINGS, type StatusSyncSettings } from './rules/settings.ts'

export { DEFAULT_SETTINGS, type StatusSyncSettings } from './rules/settings.ts'

/** What the loop is made of. */
export interface StatusSyncTools {
  readonly api: KubernetesApi
  readonly log: Log
  readonly metrics: Metrics
  readonly clock: Clock
  /** Default `DEFAULT_SETTINGS`. */
  readonly settings?: StatusSyncSettings
}

/** Makes the status-sync loop. */
export function createStatusSync(tools: StatusSyncTools): Reconciler<Candidate, StatusSyncAction, Cursor, Memory> {
  const settings = tools.settings ?? DEFAULT_SETTINGS
  return {
    name: 'status-sync',
    checkpoint: { version: 1, schema: cursorSchema, memory: memorySchema },
    observe: observation => observeStatusSync({ ...tools, settings }, observation),
    plan: (page, nowMs) => planStatusSync(page, nowMs, settings),
    apply: (action, application) => applyStatusSync(action, application, { ...tools, settings }),
  }
}
