// Carries out one escalation's write, and tells of it: one audit record, one counter, one Event at most. After a conflict the
// escalation is read live and judged again by what was answered in this tick; a group that its live spec names and nobody was
// asked for keeps its members.

import { carryOut } from '../../fence/carry-out.ts'
import { tell } from '../../fence/tell.ts'
import type { KubernetesApi } from '../../kubernetes/api.ts'
import { readObject } from '../../kubernetes/pages.ts'
import { parseBreakglassEscalation } from '../../kubernetes/resources/breakglass-escalation.ts'
import type { Log } from '../../telemetry/log.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import type { Application, Applied } from '../../tick/reconciler.ts'
import { planStatusSync, type StatusSyncAction, WARNINGS } from './plan.ts'
import type { StatusSyncSettings } from './rules/settings.ts'

/** Who reports the Events of this loop. */
export const REPORTER = 'fencepost-status-sync'
/** Message of every audit record. */
export const AUDIT_MESSAGE = 'escalation synchronised'

/** What applying works with. */
export interface ApplyTools {
  readonly api: KubernetesApi
  readonly log: Log
  readonly metrics: Metrics
  readonly settings: StatusSyncSettings
}

/**
 * Carries out one action.
 *
 * @throws PermanentError – InvalidResource, when the escalation can't be understood any more.
 * @throws as `carryOut`, `ObjectWriter` and `KubernetesApi.request`.
 */
export async function applyStatusSync(
  action: StatusSyncAction,
  application: Application,
  tools: ApplyTools,
): Promise<Applied> {
  const { writer, confirm, signal, nowMs } = application
  return await carryOut(action, {
    write: ({ target, status }) => writer.patchStatus(target, status, signal),
    confirm,
    async judgeAgain({ target, candidate: { asked } }) {
      const raw = await readObject(tools.api, target.resource, target, signal)
      if (!raw || raw.metadata.uid !== target.uid) return undefined
      const items = [{ escalation: parseBreakglassEscalation(raw), asked }]
      return planStatusSync({ items }, nowMs, tools.settings)[0]
    },
    announce: (done, resourceVersion) => announce(done, resourceVersion, application, tools),
    signal,
  })
}

async function announce(
  { object, target, from, to, reason, note }: StatusSyncAction,
  resourceVersion: string | undefined,
  { writer, nowMs, signal }: Application,
  { log, metrics }: ApplyTools,
): Promise<void> {
  const versions = { judgedResourceVersion: target.resourceVersion, resourceVersion }
  log.info(AUDIT_MESSAGE, {
    actor: 'system',
    kind: target.resource.kind,
    object,
    uid: target.uid,
    ...versions,
    from,
    to,
    reason,
    note,
  })
  metrics.count('EscalationsSynced')
  if (reason === 'ConditionUpdated') return
  const event = {
    regarding: target,
    ...(resourceVersion !== undefined && { resourceVersion }),
    type: WARNINGS.includes(reason) ? ('Warning' as const) : ('Normal' as const),
    reason,
    action: 'SyncGroupMembers',
    note: `${to}: ${note}`,
    eventAtMs: nowMs,
    reporter: REPORTER,
  }
  await tell(event, { writer, signal, log, metrics })
}
