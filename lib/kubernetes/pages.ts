// Lists by pages and single reads. A list is consistent within one continue chain; when the chain expires (410) it starts
// again from the beginning and leaves out what was already given, so that each object is seen at most once, and one
// created meanwhile behind the place that was reached may be missed until the next tick.
// Reads never ask for `resourceVersion=0`: they see everything that was acknowledged before they were sent.

import { PermanentError } from '../errors.ts'
import { type KubernetesApi, keyOf, pathOf, type RawObject, type Resource } from './api.ts'

/** Objects per page; 500 is what client-go's pager and kubectl ask for. */
export const PAGE_SIZE = 500

/** Which objects are listed. */
export interface ListQuery {
  /** Default: all namespaces. */
  readonly namespace?: string
  /** One field that must equal a value, e.g. `{ path: 'status.state', value: 'Approved' }`. */
  readonly field?: { readonly path: string; readonly value: string }
  /** Leaves out every object whose key (`namespace/name`) is not greater. */
  readonly after?: string
  /** Objects per page; default `PAGE_SIZE`. */
  readonly limit?: number
  readonly signal: AbortSignal
}

/**
 * Lists a resource page by page, in the order of their keys; pages that turn out empty are left out.
 *
 * A server that does not know the field selector (400; custom resources before Kubernetes 1.31) is asked for the whole
 * list instead, and the field is compared here.
 *
 * @throws as `KubernetesApi.request`.
 * @see https://kubernetes.io/docs/reference/using-api/api-concepts/#retrieving-large-results-sets-in-chunks
 */
export async function* listPages(
  api: KubernetesApi,
  resource: Resource,
  query: ListQuery,
): AsyncGenerator<RawObject[]> {
  const path = pathOf(resource, query.namespace === undefined ? {} : { namespace: query.namespace })
  const limit = String(query.limit ?? PAGE_SIZE)
  let selector = query.field && `${query.field.path}=${query.field.value}`
  let after = query.after
  let token: string | undefined
  for (;;) {
    const answer = await api.request(
      {
        method: 'GET',
        path,
        query: { limit, fieldSelector: selector, continue: token },
        repeat: 'read',
        signal: query.signal,
      },
      [...(token === undefined ? [] : [410]), ...(selector === undefined ? [] : [400])],
    )
    if (answer.status === 410) token = undefined
    else if (answer.status === 400) selector = undefined
    else {
      const list = toList(answer.body, path)
      const items = list.items.filter(
        item => isAfter(item, after) && hasField(item, selector ? undefined : query.field),
      )
      const last = list.items.at(-1)
      if (last && isAfter(last, after)) after = keyOf(last)
      token = list.continue
      if (items.length > 0) yield items
      if (token === undefined) return
    }
  }
}

/** What a list answer says; Go writes a list of nothing as null. */
function toList(body: unknown, path: string): { items: RawObject[]; continue: string | undefined } {
  const { metadata, items } = body as { metadata?: { continue?: string }; items?: RawObject[] | null }
  if (metadata && (Array.isArray(items) || items === null))
    return { items: items ?? [], continue: metadata.continue || undefined }
  throw new PermanentError('InvalidResource', `GET ${path}: the answer is no list`)
}

/** Reads one object; undefined when it does not exist. */
export async function readObject(
  api: KubernetesApi,
  resource: Resource,
  at: { namespace?: string; name: string },
  signal: AbortSignal,
): Promise<RawObject | undefined> {
  const answer = await api.request({ method: 'GET', path: pathOf(resource, at), repeat: 'read', signal }, [404])
  return answer.status === 404 ? undefined : (answer.body as RawObject)
}

function isAfter(item: RawObject, after: string | undefined): boolean {
  return after === undefined || keyOf(item) > after
}

function hasField(item: RawObject, field: ListQuery['field']): boolean {
  if (!field) return true
  const found = field.path
    .split('.')
    .reduce<unknown>((at, step) => (at as Record<string, unknown> | undefined)?.[step], item)
  return (found ?? '') === field.value
}
