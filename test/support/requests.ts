// What a function's request is for, told by its method, path and query: for whatever counts, cuts off or holds some of
// them; and what came of a raise.

import { FENCE, type FenceSpec } from '../../lib/fence/fence.ts'
import { type KubernetesApi, pathOf } from '../../lib/kubernetes/api.ts'

/** A request as a hook sees it, or as a server recorded it. */
export interface Asked {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams | string
}

/** Whether it publishes a term's token. */
export function isRaise({ method, path }: Asked): boolean {
  return method === 'PATCH' && path.includes('/fences/')
}

/** Whether it is a write that is judged and not stored. */
export function isCanary({ query }: Asked): boolean {
  return new URLSearchParams(query).has('dryRun')
}

/** Whether it writes a work object: a status, a deletion, or an Event. */
export function isWork(asked: Asked): boolean {
  const { method, path } = asked
  return method !== 'GET' && !isCanary(asked) && !/\/(fences|leases)\//.test(path)
}

/** Whether it writes a status. */
export function isStatus(asked: Asked): boolean {
  return isWork(asked) && asked.method === 'PATCH' && asked.path.endsWith('/status')
}

/** Reads what a Fence says; undefined when it was never raised. @throws as `KubernetesApi.request` */
export async function readFence(api: KubernetesApi, name: string): Promise<FenceSpec | undefined> {
  const { body } = await api.request({ method: 'GET', path: pathOf(FENCE, { name }), repeat: 'read' })
  return (body as { spec?: FenceSpec }).spec
}
