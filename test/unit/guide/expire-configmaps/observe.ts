// Reads all ConfigMaps, page by page: one list call for a page and no read per object, since a delete is bound to the
// resourceVersion that the list gave.

import * as z from 'zod'
import { type KubernetesApi, keyOf } from '../../../../lib/kubernetes/api.ts'
import { listPages } from '../../../../lib/kubernetes/pages.ts'
import { readAll } from '../../../../lib/kubernetes/resources/fields.ts'
import type { Observation, Page } from '../../../../lib/tick/reconciler.ts'
import { CONFIG_MAPS, type ConfigMap, parseConfigMap } from './config-map.ts'

/** Schema of `Cursor`. */
export const cursorSchema = z.object({ after: z.string().optional() })

/** The key of the last ConfigMap of the page before; none at the beginning. */
export type Cursor = z.infer<typeof cursorSchema>

/**
 * Reads from a cursor to the end. Every page is told, even one without a single TTL, so that a budget that ends in a long
 * list still leaves its place.
 *
 * @throws as `KubernetesApi.request`.
 */
export async function* observeConfigMaps(
  api: KubernetesApi,
  { from, scope, signal }: Observation<Cursor>,
): AsyncGenerator<Page<ConfigMap, Cursor>> {
  const { namespace, names } = scope
  let cursor = from ?? {}
  for await (const raws of listPages(api, CONFIG_MAPS, {
    ...(namespace !== undefined && { namespace }),
    ...(cursor.after !== undefined && { after: cursor.after }),
    signal,
  })) {
    const asked = raws.filter(({ metadata: { name } }) => names === undefined || names.includes(name))
    const { views, broken } = readAll(asked, parseConfigMap)
    yield { cursor, items: views.filter(({ ttlMs }) => ttlMs !== undefined), broken }
    cursor = { after: raws.map(keyOf).at(-1) }
  }
}
