// Carries out one deletion, bound to what was judged. After a conflict the ConfigMap is read live and judged again at the
// same `now`: somebody may have given it more time.

import { TransientError } from '../../../../lib/errors.ts'
import type { KubernetesApi } from '../../../../lib/kubernetes/api.ts'
import { readObject } from '../../../../lib/kubernetes/pages.ts'
import type { Metrics } from '../../../../lib/telemetry/metrics.ts'
import type { Application, Applied } from '../../../../lib/tick/reconciler.ts'
import { parseConfigMap } from './config-map.ts'
import { type Expiry, planExpiry } from './plan.ts'

/** How often one ConfigMap is tried when others keep changing it. */
export const MAX_TRIES = 5

/** What `applyExpiry` works with. */
export interface ApplyTools {
  readonly api: KubernetesApi
  readonly metrics: Metrics
}

/**
 * Deletes one ConfigMap.
 *
 * @throws TransientError – Conflict, when it changed under each of `MAX_TRIES` tries.
 * @throws as `ObjectWriter` and `KubernetesApi.request`.
 */
export async function applyExpiry(action: Expiry, application: Application, tools: ApplyTools): Promise<Applied> {
  let current: Expiry | undefined = action
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const { kind } = await application.writer.delete(current.target, application.signal)
    if (kind === 'gone') return 'unchanged'
    if (kind === 'deleted') {
      tools.metrics.count('ConfigMapsExpired')
      return 'changed'
    }
    await application.confirm()
    current = await judgeAgain(current, application, tools.api)
    if (!current) return 'unchanged'
  }
  throw new TransientError('Conflict', `${action.object} changed under each of ${MAX_TRIES} tries`)
}

/** Plans the same ConfigMap afresh; undefined when it is gone, was made anew, or has time again. */
async function judgeAgain(
  { target }: Expiry,
  { nowMs, signal }: Application,
  api: KubernetesApi,
): Promise<Expiry | undefined> {
  const raw = await readObject(api, target.resource, target, signal)
  if (raw?.metadata.uid !== target.uid) return undefined
  return planExpiry([parseConfigMap(raw)], nowMs)[0]
}
