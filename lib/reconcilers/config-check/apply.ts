// Carries out one action: a write that is bound to what was judged, then what is told about it. After a conflict the object is read live
// and judged again by the same look, which holds as long as the spec is the one that was looked at; a changed one waits for the next tick.

import { carryOut } from '../../fence/carry-out.ts'
import type { KubernetesApi } from '../../kubernetes/api.ts'
import { readObject } from '../../kubernetes/pages.ts'
import { parseClusterConfig } from '../../kubernetes/resources/cluster-config.ts'
import type { Application, Applied } from '../../tick/reconciler.ts'
import type { Announcer } from './announce.ts'
import { type CheckAction, planConfigCheck } from './plan.ts'

/** What `applyConfigCheck` works with. */
export interface ApplyTools {
  readonly api: KubernetesApi
  readonly announce: Announcer
}

/**
 * Carries out one action.
 *
 * @throws PermanentError – InvalidResource, when the object can't be understood any more.
 * @throws as `carryOut`, `ObjectWriter` and `KubernetesApi.request`.
 */
export async function applyConfigCheck(
  action: CheckAction,
  application: Application,
  { api, announce }: ApplyTools,
): Promise<Applied> {
  const { writer, confirm, signal } = application
  const { status } = action
  if (!status) {
    await announce(action, { ...application, resourceVersion: undefined })
    return 'changed'
  }
  return await carryOut(action, {
    write: change => writer.patchStatus(change.target, { ...change.status }, signal),
    confirm,
    judgeAgain: judged => judgeAgain(judged, application, api),
    announce: (done, resourceVersion) => announce(done, { ...application, resourceVersion }),
    signal,
  })
}

async function judgeAgain(
  { target, looked }: CheckAction,
  { nowMs, signal }: Application,
  api: KubernetesApi,
): Promise<CheckAction | undefined> {
  const raw = await readObject(api, target.resource, target, signal)
  if (!raw) return undefined
  const config = parseClusterConfig(raw)
  const isSame = config.metadata.uid === target.uid && config.metadata.generation === looked.config.metadata.generation
  return isSame ? planConfigCheck({ items: [{ ...looked, config }] }, nowMs)[0] : undefined
}
