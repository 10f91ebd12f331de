// The config-check loop: whether each cluster can be reached with what is configured for it, told in its Ready condition. People get no
// session on a cluster that is not ready. It does what upstream's checker does on the same condition, and differs from it where
// docs/config-check.md says so: credentials are proven, nothing is run or used up, and one lost answer turns nobody away.

import type { KubernetesApi } from '../../kubernetes/api.ts'
import type { Log } from '../../telemetry/log.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import type { Reconciler } from '../../tick/reconciler.ts'
import type { Clock } from '../../time.ts'
import { createAnnouncer } from './announce.ts'
import { applyConfigCheck } from './apply.ts'
import { type Cursor, cursorSchema, type Memory, memorySchema } from './memory.ts'
import { observeConfigCheck } from './observe.ts'
import { type CheckAction, type Looked, planConfigCheck } from './plan.ts'

/** What the loop is made of. */
export interface ConfigCheckTools {
  readonly api: KubernetesApi
  readonly log: Log
  readonly metrics: Metrics
  /** Limits each look. */
  readonly clock: Clock
}

/** Makes the config-check loop. */
export function createConfigCheck(tools: ConfigCheckTools): Reconciler<Looked, CheckAction, Cursor, Memory> {
  const { api, log, metrics } = tools
  const announce = createAnnouncer(log, metrics)
  return {
    name: 'config-check',
    checkpoint: { version: 1, schema: cursorSchema, memory: memorySchema },
    observe: observation => observeConfigCheck(tools, observation),
    plan: planConfigCheck,
    apply: (action, application) => applyConfigCheck(action, application, { api, announce }),
  }
}
