// The cleanup loop: breakglass sessions are activated at their scheduled start, time out, expire, lose to duplicates, end
// for being idle, and are deleted after their retention; so are debug sessions. It does what upstream's CleanupRoutine
// does, on the same fields. It never repairs a session without a state, and access never depends on it being punctual:
// upstream's webhook judges every request by the session's own times.

import type { KubernetesApi } from '../../kubernetes/api.ts'
import type { Log } from '../../telemetry/log.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import type { Reconciler } from '../../tick/reconciler.ts'
import { createAnnouncer } from './announce.ts'
import { applyCleanup } from './apply.ts'
import { type Cursor, cursorSchema } from './cursor.ts'
import { observeCleanup } from './observe.ts'
import { type Candidate, type CleanupAction, planCleanup } from './plan.ts'
import { type CleanupSettings, DEFAULT_SETTINGS } from './rules/settings.ts'

export { type CleanupSettings, DEFAULT_SETTINGS } from './rules/settings.ts'

/** What the loop is made of. */
export interface CleanupTools {
  readonly api: KubernetesApi
  readonly log: Log
  readonly metrics: Metrics
  /** Default `DEFAULT_SETTINGS`. */
  readonly settings?: CleanupSettings
}

/** Makes the cleanup loop. */
export function createCleanup(tools: CleanupTools): Reconciler<Candidate, CleanupAction, Cursor> {
  const { api, log, metrics, settings = DEFAULT_SETTINGS } = tools
  const announce = createAnnouncer(log, metrics)
  return {
    name: 'cleanup',
    checkpoint: { version: 1, schema: cursorSchema },
    observe: observation => observeCleanup(api, observation),
    plan: (page, nowMs) => planCleanup(page, nowMs, settings),
    apply: (action, application) => applyCleanup(action, application, { api, announce, settings }),
  }
}
