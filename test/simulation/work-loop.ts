// The loop of the simulated world: sessions that open, close and go at their times. Each opening writes a receipt under a
// fixed name before it changes the state; each change is told by an Event under a fixed name. Every action is a function of
// the session's own state and bound to it, and a conflict is judged afresh from a live read, as the real loops do.

import * as z from 'zod'
import { AbortedError, errorCode, LeaseLostError, TransientError } from '../../lib/errors.ts'
import { type KubernetesApi, keyOf, type RawObject, type Resource, type Target } from '../../lib/kubernetes/api.ts'
import { listPages, readObject } from '../../lib/kubernetes/pages.ts'
import { EVENTS } from '../../lib/kubernetes/resources/event.ts'
import type { Log } from '../../lib/telemetry/log.ts'
import type { Action, Application, Applied, Reconciler } from '../../lib/tick/reconciler.ts'
import { WORK_NAMESPACE } from './world/names.ts'

const GROUP = { group: 'breakglass.t-caas.telekom.com', version: 'v1alpha1', namespaced: true }
const SESSIONS: Resource = { ...GROUP, kind: 'BreakglassSession', plural: 'breakglasssessions' }
const RECEIPTS: Resource = { ...GROUP, kind: 'DebugSession', plural: 'debugsessions' }
const PAGE = 2
const MAX_TRIES = 5
const namespace = WORK_NAMESPACE

/** A session: its times are epoch ms; `isKept` keeps it from being removed. */
export interface Session extends RawObject {
  readonly spec: {
    readonly opensAtMs: number
    readonly closesAtMs: number
    readonly goesAtMs: number
    readonly isKept: boolean
  }
  readonly status: { readonly state: State; readonly steps: number }
}
/** What a session goes through, in this order. */
export type State = 'waiting' | 'open' | 'closed'

interface Step extends Action {
  readonly target: Target
  /** undefined: it is removed. */
  readonly status: Session['status'] | undefined
}

const cursor = z.object({ after: z.string().optional() })
type Cursor = { after?: string | undefined }

/** Makes the loop. */
export function createWorkLoop(api: KubernetesApi, log: Log): Reconciler<Session, Step, Cursor> {
  return {
    name: 'cleanup',
    checkpoint: { version: 1, schema: cursor },
    async *observe({ from, scope, signal }) {
      const { after } = from ?? {}
      let place: Cursor = { after }
      const query = { namespace, limit: PAGE, signal, ...(after !== undefined && { after }) }
      for await (const objects of listPages(api, SESSIONS, query)) {
        const items = (objects as Session[]).filter(({ metadata }) => scope.names?.includes(metadata.name) ?? true)
        yield { cursor: place, items, broken: [] }
        place = { after: objects.map(keyOf).at(-1) }
      }
    },
    plan: (page, nowMs) => page.items.flatMap(session => stepOf(session, nowMs) ?? []),
    apply: (step, application) => apply(api, log, step, application),
  }
}

/** What is due for a session, by its own state. */
export function stepOf({ metadata, spec, status }: Session, nowMs: number): Step | undefined {
  const target = { resource: SESSIONS, namespace, ...pick(metadata) }
  const common = { object: `${namespace}/${metadata.name}`, from: status.state, note: '', target }
  const steps = status.steps + 1
  if (status.state === 'waiting' && nowMs >= spec.opensAtMs)
    return { ...common, to: 'open', reason: 'opened', status: { state: 'open', steps } }
  if (status.state === 'open' && nowMs >= spec.closesAtMs)
    return { ...common, to: 'closed', reason: 'closed', status: { state: 'closed', steps } }
  if (status.state === 'closed' && nowMs >= spec.goesAtMs && !spec.isKept)
    return { ...common, to: 'deleted', reason: 'removed', status: undefined }
  return undefined
}

function pick({ name, uid, resourceVersion }: RawObject['metadata']) {
  return { name, uid, resourceVersion }
}

async function apply(api: KubernetesApi, log: Log, first: Step, application: Application): Promise<Applied> {
  const { writer, signal } = application
  let step = first
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    if (signal.aborted) throw new AbortedError('stopped')
    const { target, status } = step
    if (status?.state === 'open') await writer.create(RECEIPTS, named(`${target.name}.${target.uid}`), signal)
    const result = status ? await writer.patchStatus(target, status, signal) : await writer.delete(target, signal)
    if (result.kind === 'gone') return 'unchanged'
    if (result.kind !== 'conflict') {
      await tell(step, application, log)
      return 'changed'
    }
    if (signal.aborted) throw new AbortedError('stopped')
    await application.confirm()
    const again = await judgeAgain(api, target, application)
    if (!again) return 'unchanged'
    step = again
  }
  throw new TransientError('Conflict', `${first.object} changed under each try`)
}

/** Plans the same session from a live read; undefined when nothing is to be done any more. */
async function judgeAgain(
  api: KubernetesApi,
  target: Target,
  { nowMs, signal }: Application,
): Promise<Step | undefined> {
  const live = (await readObject(api, SESSIONS, target, signal)) as Session | undefined
  return live && live.metadata.uid === target.uid ? stepOf(live, nowMs) : undefined
}

/** An Event that can't be written never fails the change. */
async function tell({ target, reason }: Step, { writer, signal }: Application, log: Log): Promise<void> {
  try {
    await writer.create(EVENTS, named(`${target.name}.${target.uid}.${target.resourceVersion}.${reason}`), signal)
  } catch (error) {
    if (error instanceof LeaseLostError) throw error
    log.warn('event not written', { code: errorCode(error) })
  }
}

function named(name: string) {
  return { metadata: { name, namespace } }
}
