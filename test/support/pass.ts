// One pass of a loop over an embedded cluster: observed and planned, nothing written.

import { startKubernetesApi } from '../../infra/local/kubernetes/server.ts'
import { readCrds } from '../../infra/local/world/manifests.ts'
import type { KubernetesApi } from '../../lib/kubernetes/api.ts'
import { openTransport } from '../../lib/kubernetes/transport.ts'
import type { Action, AnyReconciler } from '../../lib/tick/reconciler.ts'
import { systemClock } from '../../lib/time.ts'

/** What a pass came to. */
export interface Pass {
  readonly observed: number
  readonly planned: readonly Action[]
  readonly elapsedMs: number
}

/** A log and metrics that keep nothing. */
export const UNHEARD = {
  log: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
  metrics: { count: () => {}, duration: () => {}, flush: () => {} },
}

/** Starts an embedded API with objects in namespace `team`, and gives a client of it. */
export async function startCluster(
  objects: readonly object[],
): Promise<{ api: KubernetesApi; close(): Promise<void> }> {
  const server = await startKubernetesApi({ crds: await readCrds() })
  server.load([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team' } }, ...objects])
  const connection = { server: new URL(server.url), tls: {}, headers: async () => ({}) }
  const api = openTransport(connection, { clock: systemClock })
  return {
    api,
    async close() {
      api.close()
      await server.close()
    },
  }
}

/** Runs a pass from the beginning. */
export async function runPass(reconciler: AnyReconciler): Promise<Pass> {
  const { signal } = new AbortController()
  const startedMs = performance.now()
  const nowMs = systemClock.wallMs()
  let observed = 0
  const planned: Action[] = []
  for await (const page of reconciler.observe({ from: undefined, memory: undefined, scope: {}, nowMs, signal })) {
    observed += page.items.length
    planned.push(...reconciler.plan(page, nowMs))
  }
  return { observed, planned, elapsedMs: performance.now() - startedMs }
}
