// What is to be done with a page of candidates, as data: pure, so that a dry run can print it, and the same for a page as
// for one object that is looked at again after a conflict. Who is a candidate says `observe.ts`, what happens to it the
// rules. Every action is bound to the state it was judged on.

import type { Target } from '../../kubernetes/api.ts'
import { keyOf, type Resource } from '../../kubernetes/api.ts'
import { BREAKGLASS_SESSIONS, type BreakglassSession } from '../../kubernetes/resources/breakglass-session.ts'
import { DEBUG_SESSIONS, type DebugSession } from '../../kubernetes/resources/debug-session.ts'
import type { Metadata } from '../../kubernetes/resources/fields.ts'
import type { Action, Scope } from '../../tick/reconciler.ts'
import { decideDebug } from './rules/debug.ts'
import type { Decision, StatusPatch } from './rules/decision.ts'
import { decideDuplicates } from './rules/duplicates.ts'
import { decideSession, type SessionPhase } from './rules/session.ts'
import type { CleanupSettings } from './rules/settings.ts'
import type { CleanupReason } from './rules/transitions.ts'

/**
 * The phases of a tick in their order: late activations are seen by the expiry of the same tick, and sessions that are
 * over by the clock are gone before duplicates are judged.
 */
export const PHASES = ['activate', 'timeout', 'expire', 'duplicates', 'idle', 'retention', 'debug'] as const

/** A phase of a tick. */
export type Phase = (typeof PHASES)[number]

/** What a phase judges: a session, all live sessions that may be duplicates of each other, or a debug session. */
export type Candidate =
  | { readonly phase: SessionPhase; readonly session: BreakglassSession }
  | { readonly phase: 'duplicates'; readonly sessions: readonly BreakglassSession[]; readonly scope: Scope }
  | { readonly phase: 'debug'; readonly session: DebugSession }

/** One planned change of a session or a debug session. */
export interface CleanupAction extends Action {
  readonly phase: Phase
  readonly reason: CleanupReason
  readonly target: Target
  /** The merge patch of its status; absent: it is to be deleted. */
  readonly status?: StatusPatch
  /** Only of phase duplicates: the keys of everyone it was compared with, itself among them. */
  readonly group?: readonly string[]
}

/** Plans a page; candidates with nothing to do give nothing. */
export function planCleanup(
  page: { readonly items: readonly Candidate[] },
  nowMs: number,
  settings: CleanupSettings,
): CleanupAction[] {
  return page.items.flatMap(candidate => planCandidate(candidate, nowMs, settings))
}

/** Whether a manual run that is narrowed to `scope` may act on an object. */
export function isInScope(scope: Scope, { namespace, name }: { namespace?: string; name: string }): boolean {
  return (
    (scope.namespace === undefined || scope.namespace === namespace) &&
    (scope.names === undefined || scope.names.includes(name))
  )
}

function planCandidate(candidate: Candidate, nowMs: number, settings: CleanupSettings): CleanupAction[] {
  if (candidate.phase === 'duplicates') return planGroup(candidate.sessions, candidate.scope, nowMs)
  const { phase, session } = candidate
  const decision = phase === 'debug' ? decideDebug(session, nowMs, settings) : decideSession(phase, session, nowMs)
  return decision ? [toAction(phase, session, decision)] : []
}

function planGroup(sessions: readonly BreakglassSession[], scope: Scope, nowMs: number): CleanupAction[] {
  const group = sessions.map(keyOf)
  return decideDuplicates(sessions, nowMs)
    .filter(({ session }) => isInScope(scope, session.metadata))
    .map(({ session, decision }) => ({ ...toAction('duplicates', session, decision), group }))
}

function toAction(
  phase: Phase,
  session: { metadata: Metadata; status: { state: string } },
  decision: Decision,
): CleanupAction {
  return {
    phase,
    object: keyOf(session),
    from: session.status.state,
    ...decision,
    target: toTarget(phase === 'debug' ? DEBUG_SESSIONS : BREAKGLASS_SESSIONS, session.metadata),
  }
}

function toTarget(resource: Resource, { namespace, name, uid, resourceVersion }: Metadata): Target {
  return { resource, ...(namespace !== undefined && { namespace }), name, uid, resourceVersion }
}
