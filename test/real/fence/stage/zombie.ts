// Processes that are stopped as a platform freezes a sandbox, or killed, as they send a request of a test's choice.

import { execFileSync } from 'node:child_process'
import type { ApiRequest } from '../../../../infra/local/kubernetes/http/request.ts'
import type { Interception } from '../../../../infra/local/kubernetes/server.ts'
import { type Child, startChild } from '../../../support/child.ts'
import type { FenceWorld } from './world.ts'

/** Starts a process that waits for ticks, and waits until it is ready. */
export async function startActor(environment: Record<string, string>): Promise<Child> {
  const child = startChild('../real/fence/stage/actor.ts', environment)
  await child.next()
  return child
}

/** The process that a request is of. */
export function processOf({ headers }: Pick<ApiRequest, 'headers'>): string {
  return /^Bearer ([^=]*)=/.exec(headers.authorization ?? '')?.[1] ?? ''
}

/** Whether a request would change a work object if it were let through: of the virtual user, and no canary. */
export function isWrite({ headers, query, body }: ApiRequest): boolean {
  return 'impersonate-user' in headers && query.get('dryRun') !== 'All' && !body.includes('"dryRun":["All"]')
}

/** Whether a request raises the Fence. */
export function isRaise({ method, path }: ApiRequest): boolean {
  return method === 'PATCH' && path.includes('/fences/')
}

/** Whether a request is a canary. */
export function isCanary(request: ApiRequest): boolean {
  return 'impersonate-user' in request.headers && !isWrite(request)
}

/** A request at which something happens to the process that sends it. */
export interface Point {
  readonly by: string
  readonly at: (request: ApiRequest) => boolean
  /** From 1. */
  readonly nth: number
  /** What becomes of the request; default it is lost on its way to the server. */
  readonly fate?: Exclude<Interception, undefined>
}

/** Does something once, as the nth request that matches is sent, and resolves when it is done. */
export function when({ hooks }: FenceWorld, point: Point, act: () => Promise<unknown> | unknown): Promise<void> {
  return new Promise(resolve => {
    let seen = 0
    hooks.intercept = async request => {
      if (processOf(request) !== point.by || !point.at(request) || ++seen !== point.nth) return undefined
      await act()
      hooks.intercept = undefined
      setImmediate(resolve)
      return point.fate ?? 'reset'
    }
  })
}

/** Tells a process of a tick and stops it at a point. */
export async function stopAt(world: FenceWorld, child: Child, point: Point, tickAtMs: number): Promise<void> {
  const stopped = when(world, point, () => child.process.kill('SIGSTOP'))
  child.send({ tickAtMs })
  await stopped
  const state = execFileSync('ps', ['-o', 'stat=', '-p', String(child.process.pid)], { encoding: 'utf8' })
  if (!state.startsWith('T')) throw new Error(`the process is not stopped but in state ${state}`)
}

/** Lets a stopped process go on. */
export function wake(child: Child): void {
  child.process.kill('SIGCONT')
}
