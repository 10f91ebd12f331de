// Reads the escalations, page by page, each with what the identity providers say about its groups. What must stay true:
// providers are read anew in every tick, and a pass that goes on from a checkpoint remembers what it has seen so far.

import * as z from 'zod'
import { type KubernetesApi, keyOf } from '../../kubernetes/api.ts'
import { listPages } from '../../kubernetes/pages.ts'
import {
  BREAKGLASS_ESCALATIONS,
  type BreakglassEscalation,
  parseBreakglassEscalation,
} from '../../kubernetes/resources/breakglass-escalation.ts'
import { readAll } from '../../kubernetes/resources/fields.ts'
import type { Log } from '../../telemetry/log.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import type { Observation, Page, Scope } from '../../tick/reconciler.ts'
import type { Clock } from '../../time.ts'
import { type Directory, openDirectory } from './directory.ts'
import { keyOfPair, type Memory, MOST_EMPTY, memoryOf } from './memory.ts'
import type { Candidate } from './plan.ts'
import { readProviders } from './providers.ts'
import { pendingGroups } from './rules/membership.ts'
import type { StatusSyncSettings } from './rules/settings.ts'

/** Escalations on a page. */
export const ESCALATIONS_PER_PAGE = 100

/** Schema of `Cursor`. */
export const cursorSchema = z.object({
  after: z.string().optional(),
  empty: z.array(z.string()).max(MOST_EMPTY + 1),
})

/** The last key of the page before, and the groups that the pass has found empty or gone so far. */
export type Cursor = z.infer<typeof cursorSchema>

/** What observing works with. */
export interface ObserveTools {
  readonly api: KubernetesApi
  readonly log: Log
  readonly metrics: Metrics
  readonly clock: Clock
  readonly settings: StatusSyncSettings
}

/**
 * Reads all escalations, or those of a scope.
 * @returns what the next whole pass is to compare with.
 * @throws as `KubernetesApi.request`, when escalations or providers can't be listed.
 */
export async function* observeStatusSync(
  tools: ObserveTools,
  { from, memory, scope, signal }: Observation<Cursor, Memory>,
): AsyncGenerator<Page<Candidate, Cursor>, Memory> {
  const { api, log, metrics, clock, settings } = tools
  const providers = await readProviders(api, clock, signal)
  const directory = openDirectory({ providers, memory, settings, log, metrics })
  const empty = new Set(from?.empty)
  try {
    let cursor: Cursor = { ...(from?.after !== undefined && { after: from.after }), empty: [...empty] }
    const query = {
      ...(scope.namespace !== undefined && { namespace: scope.namespace }),
      ...(cursor.after !== undefined && { after: cursor.after }),
      limit: ESCALATIONS_PER_PAGE,
      signal,
    }
    for await (const raws of listPages(api, BREAKGLASS_ESCALATIONS, query)) {
      const { views, broken } = readAll(
        raws.filter(raw => isInScope(raw.metadata.name, scope)),
        parseBreakglassEscalation,
      )
      await directory.fetch(views, signal)
      const items = views.map(escalation => ({ escalation, asked: directory.askedFor(escalation) }))
      yield { cursor, items, broken }
      for (const { escalation } of items) note(empty, escalation, directory)
      cursor = { after: raws.map(keyOf).at(-1), empty: [...empty].slice(0, MOST_EMPTY + 1) }
    }
    if (empty.size > MOST_EMPTY)
      log.warn('too many empty groups', { groups: empty.size, limit: MOST_EMPTY, consequence: 'their members stay' })
    return memoryOf(empty, directory.health())
  } finally {
    directory.close()
  }
}

/** Remembers the groups that are written otherwise once the next pass finds them empty or gone as well. */
function note(empty: Set<string>, escalation: BreakglassEscalation, directory: Directory): void {
  const asked = directory.askedFor(escalation)
  for (const group of pendingGroups(escalation, asked))
    for (const provider of asked.providers) {
      const { kind } = asked.answerOf(provider, group)
      if (kind === 'empty' || kind === 'missing') empty.add(keyOfPair(provider, group))
    }
}

function isInScope(name: string, { names }: Scope): boolean {
  return names?.includes(name) ?? true
}
