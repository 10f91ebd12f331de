// Carries out one action: a write that is bound to what was judged, then what is told about it. After a conflict the object
// (of duplicates: the whole group) is read live and judged again in the same phase at the same `now`; when nothing is to be
// done any more, nothing is told. Two writes of different objects are no transaction: a winner among duplicates that ends
// by itself between the reads and the write leaves the loser ended too.

import { carryOut } from '../../fence/carry-out.ts'
import type { KubernetesApi } from '../../kubernetes/api.ts'
import { readObject } from '../../kubernetes/pages.ts'
import { parseBreakglassSession } from '../../kubernetes/resources/breakglass-session.ts'
import { parseDebugSession } from '../../kubernetes/resources/debug-session.ts'
import type { Application, Applied } from '../../tick/reconciler.ts'
import type { Announcer } from './announce.ts'
import { readSessions } from './groups.ts'
import { type Candidate, type CleanupAction, planCleanup } from './plan.ts'
import type { CleanupSettings } from './rules/settings.ts'

/** What `applyCleanup` works with. */
export interface ApplyTools {
  readonly api: KubernetesApi
  readonly announce: Announcer
  readonly settings: CleanupSettings
}

/**
 * Carries out one action.
 *
 * @throws PermanentError – InvalidResource, when the object can't be understood any more.
 * @throws as `carryOut`, `ObjectWriter` and `KubernetesApi.request`.
 */
export async function applyCleanup(
  action: CleanupAction,
  application: Application,
  tools: ApplyTools,
): Promise<Applied> {
  const { writer, confirm, signal } = application
  return await carryOut(action, {
    write: ({ target, status }) =>
      status === undefined ? writer.delete(target, signal) : writer.patchStatus(target, status, signal),
    confirm,
    judgeAgain: judged => judgeAgain(judged, application, tools),
    announce: (done, resourceVersion) => tools.announce(done, { ...application, resourceVersion }),
    signal,
  })
}

/** Plans the same object afresh; undefined when it is gone, was made anew, or nothing is to be done any more. */
async function judgeAgain(
  action: CleanupAction,
  { nowMs, signal }: Application,
  { api, settings }: ApplyTools,
): Promise<CleanupAction | undefined> {
  const candidate = await readCandidate(api, action, signal)
  if (!candidate) return undefined
  return planCleanup({ items: [candidate] }, nowMs, settings).find(({ target }) => target.uid === action.target.uid)
}

async function readCandidate(
  api: KubernetesApi,
  { phase, target, group }: CleanupAction,
  signal: AbortSignal,
): Promise<Candidate | undefined> {
  if (phase === 'duplicates') {
    const { views } = await readSessions(api, group ?? [], signal)
    return { phase, sessions: views, scope: {} }
  }
  const raw = await readObject(api, target.resource, target, signal)
  if (!raw) return undefined
  return phase === 'debug'
    ? { phase, session: parseDebugSession(raw) }
    : { phase, session: parseBreakglassSession(raw) }
}
