// Looks at every cluster, in the order of their keys, a few at a time. What takes long is other people's silence: a page ends early when
// its looks take long, so that a pass over many dead clusters still gets somewhere in each tick.

import { AbortedError } from '../../errors.ts'
import { type KubernetesApi, keyOf } from '../../kubernetes/api.ts'
import { listPages } from '../../kubernetes/pages.ts'
import { CLUSTER_CONFIGS, type ClusterConfig, parseClusterConfig } from '../../kubernetes/resources/cluster-config.ts'
import { readAll } from '../../kubernetes/resources/fields.ts'
import type { Log } from '../../telemetry/log.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import type { Observation, Page, Scope } from '../../tick/reconciler.ts'
import { type Clock, SECOND_MS } from '../../time.ts'
import { type LookResult, type LookTools, lookAt } from './look/look.ts'
import { listProviders } from './look/providers.ts'
import { type Cursor, type Memory, MOST_REMEMBERED, type Notes, openNotes } from './memory.ts'
import type { Looked } from './plan.ts'

/** Clusters that are looked at at a time. */
export const PARALLEL_LOOKS = 8
/** Clusters on one list page; what a tick was looking at when its time ended is looked at again. */
export const CLUSTERS_PER_PAGE = 50
/** After this time no look is begun for a page any more, ms; so one takes twice this at most. */
export const PAGE_MS = 5 * SECOND_MS

/** Counts looks that came to a verdict. */
export const CLUSTERS_CHECKED = 'ClustersChecked'
/** Counts those that found something wrong. */
export const CLUSTERS_FAILED = 'ClustersFailed'

/** What looking needs. */
export interface ObserveTools {
  readonly api: KubernetesApi
  readonly log: Log
  readonly metrics: Metrics
  readonly clock: Clock
}

/**
 * Looks at clusters from a cursor to the end.
 *
 * @returns what the next pass compares with.
 * @throws AbortedError – the signal was aborted inside a page. As `KubernetesApi.request`.
 */
export async function* observeConfigCheck(
  tools: ObserveTools,
  { from, memory, scope, signal }: Observation<Cursor, Memory>,
): AsyncGenerator<Page<Looked, Cursor>, Memory> {
  const { api, clock, log } = tools
  const notes = openNotes(memory, from?.noted)
  const lookTools: LookTools = { api, clock, providers: await listProviders(api, signal) }
  let after = from?.after
  for await (const raws of listPages(api, CLUSTER_CONFIGS, {
    ...(scope.namespace !== undefined && { namespace: scope.namespace }),
    ...(after !== undefined && { after }),
    limit: CLUSTERS_PER_PAGE,
    signal,
  })) {
    const { views, broken } = readAll(
      raws.filter(({ metadata }) => isInScope(scope, metadata)),
      parseClusterConfig,
    )
    let unread = broken
    let rest = views.filter(({ metadata }) => metadata.deletedAtMs === undefined)
    while (rest.length + unread.length > 0) {
      const cursor = { after, noted: notes.soFar() }
      const results = await lookAtSome(rest, lookTools, signal)
      yield pageOf(cursor, rest, results, { notes, unread, tools })
      const last = rest[results.length - 1]
      if (last) after = keyOf(last)
      rest = rest.slice(results.length)
      unread = []
    }
    after = raws.map(keyOf).at(-1)
  }
  if (notes.forgotten() > 0)
    log.warn('too many clusters fail at once', { remembered: MOST_REMEMBERED, left: notes.forgotten() })
  return notes.soFar()
}

/** Looks at clusters in their order until all are looked at or the page has taken long enough; gives what the first ones came to. */
async function lookAtSome(
  configs: readonly ClusterConfig[],
  tools: LookTools,
  signal: AbortSignal,
): Promise<LookResult[]> {
  const endsAtMs = tools.clock.monotonicMs() + PAGE_MS
  const results: LookResult[] = []
  let next = 0
  const lane = async () => {
    while (next < configs.length && tools.clock.monotonicMs() < endsAtMs) {
      const at = next++
      results[at] = await lookAt(configs[at] as ClusterConfig, tools, signal)
    }
  }
  await Promise.all(Array.from({ length: PARALLEL_LOOKS }, lane))
  // A look that was cut off says nothing about its cluster.
  if (signal.aborted) throw new AbortedError('the looks of a page were stopped')
  return results
}

interface PageParts {
  readonly notes: Notes
  readonly unread: Page<Looked, Cursor>['broken']
  readonly tools: ObserveTools
}

function pageOf(
  cursor: Cursor,
  configs: readonly ClusterConfig[],
  results: readonly LookResult[],
  { notes, unread, tools: { log, metrics } }: PageParts,
): Page<Looked, Cursor> {
  const items: Looked[] = []
  const broken = [...unread]
  for (const [at, look] of results.entries()) {
    const config = configs[at] as ClusterConfig
    if (look.kind === 'broken') {
      broken.push(look.failure)
      continue
    }
    const recalled = notes.recall(config, look)
    notes.note(config, look)
    items.push({ config, look, ...recalled })
    if (look.kind === 'failed')
      log.info('cluster failed', { object: keyOf(config), reason: look.reason, detail: look.message })
  }
  count(metrics, CLUSTERS_CHECKED, items.filter(({ look }) => look.kind !== 'untried').length)
  count(metrics, CLUSTERS_FAILED, items.filter(({ look }) => look.kind === 'failed').length)
  return { cursor, items, broken }
}

function count(metrics: Metrics, name: string, amount: number): void {
  if (amount > 0) metrics.count(name, amount)
}

function isInScope({ namespace, names }: Scope, metadata: { namespace?: string; name: string }): boolean {
  return (
    (namespace === undefined || namespace === metadata.namespace) &&
    (names === undefined || names.includes(metadata.name))
  )
}
