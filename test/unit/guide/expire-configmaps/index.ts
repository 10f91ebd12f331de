// The loop that deletes ConfigMaps whose time to live is over. One without the annotation is never touched.

import type { KubernetesApi } from '../../../../lib/kubernetes/api.ts'
import type { Metrics } from '../../../../lib/telemetry/metrics.ts'
import type { Reconciler } from '../../../../lib/tick/reconciler.ts'
import { applyExpiry } from './apply.ts'
import type { ConfigMap } from './config-map.ts'
import { type Cursor, cursorSchema, observeConfigMaps } from './observe.ts'
import { type Expiry, planExpiry } from './plan.ts'

/** Makes the loop. */
export function createExpireConfigmaps(tools: {
  api: KubernetesApi
  metrics: Metrics
}): Reconciler<ConfigMap, Expiry, Cursor> {
  return {
    name: 'expire-configmaps',
    checkpoint: { version: 1, schema: cursorSchema },
    observe: observation => observeConfigMaps(tools.api, observation),
    plan: (page, nowMs) => planExpiry(page.items, nowMs),
    apply: (action, application) => applyExpiry(action, application, tools),
  }
}
