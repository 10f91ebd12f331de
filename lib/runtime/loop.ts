// What the runtime has to know about a loop besides its reconciler.

import type { Config } from '../config.ts'
import type { KubernetesApi } from '../kubernetes/api.ts'
import type { Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { AnyReconciler } from '../tick/reconciler.ts'
import type { Clock } from '../time.ts'

/** What a reconciler is built from. */
export interface LoopParts {
  readonly api: KubernetesApi
  readonly config: Config
  readonly log: Log
  readonly metrics: Metrics
  readonly clock: Clock
}

/** One loop. */
export interface Loop {
  readonly name: string
  /** Its period, ms; ticks are named by it. */
  periodMs(config: Config): number
  /** Whether its schedule is switched on. */
  isEnabled(config: Config): boolean
  reconciler(parts: LoopParts): AnyReconciler
}
