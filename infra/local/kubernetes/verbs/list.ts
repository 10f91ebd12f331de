// GET of one object and of collections: snapshots, pages, selectors.
import { ApiError, badRequest, notFound } from '../errors.ts'
import type { Kind } from '../kinds/kind.ts'
import { keyOf } from '../kinds/kind.ts'
import { type Page, readPage } from '../store/pages.ts'
import type { Entry } from '../store/store.ts'
import type { Api, Target } from './api.ts'
import type { ListOptions } from './options.ts'
import { readSelectors } from './selectors.ts'

/** The keys of a namespace, or of the whole collection for the empty namespace. */
export const prefixOf = (kind: Kind, namespace: string): string =>
  kind.namespaced && namespace !== '' ? `${namespace}/` : ''

/**
 * One page of a collection.
 * @throws ApiError – 400 selector or token, 410 expired, 504 for a resourceVersion not reached yet
 */
export function list(api: Api, kind: Kind, namespace: string, options: ListOptions): Page {
  const { limit, continueToken, resourceVersion } = options
  const matches = readSelectors(kind, options.labelSelector, options.fieldSelector)
  if (!/^\d*$/.test(resourceVersion)) throw badRequest(`invalid resource version: ${unreadable(resourceVersion)}`)
  if (continueToken === '') refuseFuture(api, resourceVersion)
  // A bare resourceVersion asks for "not older than", which the present always is. The server ignores a limit beside "0".
  const revision = options.exact ? Number(resourceVersion) : undefined
  return readPage(api.store, api.store.collection(kind.collection), {
    prefix: prefixOf(kind, namespace),
    limit: resourceVersion === '0' ? 0 : limit,
    continueToken,
    revision,
    matches,
  })
}

/**
 * One object's entry.
 * @throws ApiError – 404, 504 for a resourceVersion not reached yet, 500 for an unreadable one
 */
export function get(api: Api, { kind, namespace, name }: Target, resourceVersion: string): Entry {
  if (!/^\d*$/.test(resourceVersion)) throw new ApiError(500, undefined, unreadable(resourceVersion))
  refuseFuture(api, resourceVersion)
  const entry = api.store.collection(kind.collection).get(keyOf(kind, namespace, name))
  if (entry === undefined) throw notFound(kind, name)
  return entry
}

/** How an unreadable resourceVersion is named. */
export const unreadable = (resourceVersion: string): string =>
  `resourceVersion: Invalid value: ${JSON.stringify(resourceVersion)}: strconv.ParseUint: parsing ${JSON.stringify(resourceVersion)}: invalid syntax`

function refuseFuture({ store }: Api, resourceVersion: string): void {
  if (Number(resourceVersion) <= store.revision) return
  const causes = [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }]
  const message = `Timeout: Too large resource version: ${resourceVersion}, current: ${store.revision}`
  throw new ApiError(504, 'Timeout', message, { causes, retryAfterSeconds: 1 })
}
