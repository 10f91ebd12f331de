// WATCH: the changes of a collection since a revision, one JSON document per line. A selector turns changes into and out of its
// selection into ADDED and DELETED. Bookmarks are sent only to end the initial events that a client asked for.
import { ApiError, expired } from '../errors.ts'
import { apiVersionOf, type Kind } from '../kinds/kind.ts'
import { readPage } from '../store/pages.ts'
import type { Change, Entry } from '../store/store.ts'
import type { Api } from './api.ts'
import { prefixOf, unreadable } from './list.ts'
import type { ListOptions } from './options.ts'
import { type Match, readSelectors } from './selectors.ts'

/** A watch ready to start: `start` emits what is due and then each change until the returned function is called; `end` is called when there is no more to tell. */
export interface Watch {
  start: (emit: (line: string) => void, end: () => void) => () => void
}

/** How an object is written into an event. */
export type Encode = (entry: Entry) => string

/**
 * Prepares a watch.
 * @param sendInitialEvents ends the initial ADDED events with a bookmark
 * @throws ApiError – 400 for a selector, 500 for an unreadable resourceVersion
 */
export function watch(
  api: Api,
  kind: Kind,
  namespace: string,
  options: ListOptions,
  sendInitialEvents: boolean,
  encode: Encode,
): Watch {
  const selected = readSelectors(kind, options.labelSelector, options.fieldSelector)
  const { resourceVersion } = options
  if (!/^\d*$/.test(resourceVersion)) throw new ApiError(500, undefined, unreadable(resourceVersion))
  const prefix = prefixOf(kind, namespace)
  const mine = (change: Change) => change.collection === kind.collection && change.entry.key.startsWith(prefix)
  return {
    start: (emit, end) => {
      const tell = (change: Change) => {
        const line = mine(change) ? toEvent(change, selected, encode) : undefined
        if (line !== undefined) emit(line)
      }
      const stop = api.store.listen(tell)
      const from = Number(resourceVersion)
      if (from === 0 || sendInitialEvents) {
        const request = { prefix, limit: 0, continueToken: '', revision: undefined, matches: selected }
        const page = readPage(api.store, api.store.collection(kind.collection), request)
        for (const entry of page.entries) emit(line('ADDED', encode(entry)))
        if (sendInitialEvents) emit(line('BOOKMARK', bookmark(kind, page.revision)))
      } else if (from < api.store.compacted) {
        emit(
          line('ERROR', JSON.stringify(expired(`too old resource version: ${from} (${api.store.compacted})`).status)),
        )
        end()
      } else {
        for (const change of api.store.changesAfter(kind.collection, from)) tell(change)
      }
      return stop
    },
  }
}

function toEvent({ entry, before }: Change, selected: Match | undefined, encode: Encode): string | undefined {
  const is = !entry.deleted && (selected?.(entry) ?? true)
  const was = before !== undefined && (selected?.(before) ?? true)
  if (is) return line(was ? 'MODIFIED' : 'ADDED', encode(entry))
  return was ? line('DELETED', encode(entry)) : undefined
}

const line = (type: string, object: string) => `{"type":"${type}","object":${object}}\n`

const bookmark = (kind: Kind, revision: number) =>
  JSON.stringify({
    apiVersion: apiVersionOf(kind),
    kind: kind.kind,
    metadata: { resourceVersion: String(revision), annotations: { 'k8s.io/initial-events-end': 'true' } },
  })
