// Carries out one action: a write that is bound to what was judged, then what is told about it. After a conflict the object
// (of duplicates: the whole group) is read live and judged again in the same phase at the same `now`; when nothing is to be
// done any more, nothing is told. Two writes of different objects are no transaction: a winner among duplicates that ends
// by itself between the reads and the write leaves the loser ended too.

import { AbortedError, TransientError } from '../../errors.ts'
import type { Deleted, Written } from '../../fence/writer.ts'
import type { KubernetesApi } from '../../kubernetes/api.ts'
import { readObject } from '../../kubernetes/pages.ts'
import { parseBreakglassSession } from '../../kubernetes/resources/breakglass-session.ts'
import { parseDebugSession } from '../../kubernetes/resources/debug-session.ts'
import type { Application, Applied } from '../../tick/reconciler.ts'
import type { Announcer } from './announce.ts'
import { readSessions } from './groups.ts'
import { type Candidate, type CleanupAction, planCleanup } from './plan.ts'
import type { CleanupSettings } from './rules/settings.ts'

/** How often one object is tried when others keep changing it. */
export const MAX_TRIES = 5

/** What `applyCleanup` works with. */
export interface ApplyTools {
  readonly api: KubernetesApi
  readonly announce: Announcer
  readonly settings: CleanupSettings
}

/**
 * Carries out one action.
 *
 * @throws LeaseLostError – after a conflict, when the term was overtaken.
 * @throws TransientError – Conflict, when the object changed under each of `MAX_TRIES` tries.
 * @throws PermanentError – InvalidResource, when the object can't be understood any more.
 * @throws AbortedError – the signal was aborted between two steps.
 * @throws as `ObjectWriter` and `KubernetesApi.request`.
 */
export async function applyCleanup(
  action: CleanupAction,
  application: Application,
  tools: ApplyTools,
): Promise<Applied> {
  let current: CleanupAction | undefined = action
  for (let tries = 1; tries <= MAX_TRIES; tries++) {
    const result = await write(current, application)
    if (result.kind === 'gone') return 'unchanged'
    if (result.kind !== 'conflict') {
      const resourceVersion = result.kind === 'written' ? result.object.metadata.resourceVersion : undefined
      await tools.announce(current, { ...application, resourceVersion })
      return 'changed'
    }
    if (tries === MAX_TRIES) break
    await application.confirm()
    current = await judgeAgain(current, application, tools)
    if (!current) return 'unchanged'
  }
  throw new TransientError('Conflict', `${action.object} changed under each of ${MAX_TRIES} tries (${action.reason})`)
}

async function write(action: CleanupAction, { writer, signal }: Application): Promise<Written | Deleted> {
  stopIfAborted(signal)
  return action.status === undefined
    ? await writer.delete(action.target, signal)
    : await writer.patchStatus(action.target, action.status, signal)
}

/** Plans the same object afresh; undefined when it is gone, was made anew, or nothing is to be done any more. */
async function judgeAgain(
  action: CleanupAction,
  { nowMs, signal }: Application,
  { api, settings }: ApplyTools,
): Promise<CleanupAction | undefined> {
  stopIfAborted(signal)
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

function stopIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw new AbortedError('the work was stopped before it was written')
}
