// Pages over a collection as etcd gives them: key order, a consistent snapshot per continue token, remaining count only when
// nothing is filtered. A token is opaque to clients; it carries the snapshot's revision and the next key.
import { badRequest, expired } from '../errors.ts'
import type { Collection, Entry, Store } from './store.ts'

/** What to list: keys under `prefix`, from a token or a revision, filtered, at most `limit` (0 = all). */
export interface PageRequest {
  prefix: string
  limit: number
  continueToken: string
  revision: number | undefined
  matches: ((entry: Entry) => boolean) | undefined
}

/** One page: entries in key order, the snapshot's revision, and how to go on. */
export interface Page {
  entries: Entry[]
  revision: number
  continueToken: string
  remaining: number | undefined
}

const STALE_TOKEN =
  'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.'

/**
 * Reads one page.
 * @throws ApiError – 410 Expired when the snapshot is compacted, 400 when the token is not one of ours
 */
export function readPage(store: Store, collection: Collection, request: PageRequest): Page {
  const token = request.continueToken === '' ? undefined : fromToken(request.continueToken)
  // -1 is the token of an expired list that the client chose to go on with: it reads on at the present revision.
  const revision = (token?.revision === -1 ? undefined : token?.revision) ?? request.revision ?? store.revision
  if (revision < store.compacted) {
    if (token === undefined) throw expired('The resourceVersion for the provided list is too old.')
    throw expired(STALE_TOKEN, toToken(-1, token.start))
  }
  const { keys } = collection
  const end = request.prefix === '' ? keys.length : collection.position(`${request.prefix}\uffff`)
  const first = collection.position(request.prefix + (token?.start ?? ''))
  const entries: Entry[] = []
  let position = first
  for (; position < end && (request.limit === 0 || entries.length < request.limit); position += 1) {
    const entry = collection.at(keys[position] as string, revision)
    if (entry !== undefined && (request.matches === undefined || request.matches(entry))) entries.push(entry)
  }
  const rest = position < end ? countFrom(collection, position, end, revision) : 0
  const last = entries.at(-1)
  if (rest === 0 || last === undefined) return { entries, revision, continueToken: '', remaining: undefined }
  return {
    entries,
    revision,
    continueToken: toToken(revision, `${last.key.slice(request.prefix.length)}\0`),
    remaining: request.matches === undefined ? rest : undefined,
  }
}

function countFrom(collection: Collection, from: number, end: number, revision: number): number {
  if (collection.tombstones === 0 && collection.lastChange <= revision) return end - from
  const { keys } = collection
  let count = 0
  for (let position = from; position < end; position += 1) {
    if (collection.at(keys[position] as string, revision) !== undefined) count += 1
  }
  return count
}

const refused = (why: string) => badRequest(`invalid continue token: continue key is not valid: ${why}`)

const toToken = (revision: number, start: string) =>
  Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv: revision, start })).toString('base64url')

function fromToken(token: string): { revision: number; start: string } {
  let parsed: unknown
  const text = Buffer.from(token, 'base64url').toString('utf8')
  try {
    parsed = JSON.parse(text)
  } catch {
    const isBegun = /^\s*([{["]|$)/.test(text)
    throw refused(
      isBegun
        ? 'unexpected end of JSON input'
        : `invalid character '${text.trimStart()[0]}' looking for beginning of value`,
    )
  }
  const { v, rv, start } = (parsed ?? {}) as { v?: unknown; rv?: unknown; start?: unknown }
  if (v !== 'meta.k8s.io/v1') throw refused(`server does not recognize this encoded version ${v ?? ''}`)
  if (typeof rv !== 'number' || !Number.isInteger(rv) || rv === 0) {
    throw refused('incorrect encoded start resourceVersion (version meta.k8s.io/v1)')
  }
  if (typeof start !== 'string' || start === '') {
    throw refused('encoded start key empty (version meta.k8s.io/v1)')
  }
  if (`/${start}`.includes('/../') || start.endsWith('/..')) throw refused(start)
  return { revision: rv, start }
}
