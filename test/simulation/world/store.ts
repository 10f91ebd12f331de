// The store that all API servers share, as etcd is one: a revisioned map whose only change is a compare-and-swap, and the
// log of every change. Whatever the invariants say is said of this log.

import type { Timeline } from './timeline.ts'

/** An object as it is stored; never changed in place. */
export interface Stored {
  readonly kind?: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly uid: string
    readonly resourceVersion: string
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
  }
  // biome-ignore lint/suspicious/noExplicitAny: objects of every kind; what reads one knows its kind.
  readonly [field: string]: any
}

/** An object before the store gave it identity and revision. */
export interface Unstored {
  readonly metadata: { readonly name: string; readonly [field: string]: unknown }
  readonly [field: string]: unknown
}

/** Who made a change: `by` of an attempt is the write itself, of everybody else a word. */
export type Author<Write> = Write | 'manifest' | 'operator' | 'foreigner' | 'stranger'

/** One change. */
export interface Commit<Write> {
  readonly atMs: number
  readonly revision: number
  /** The object's path, or `item/<name>` for what is in the table. */
  readonly key: string
  readonly before: Stored | undefined
  readonly after: Stored | undefined
  readonly by: Author<Write>
}

/** The shared store. */
export interface Store<Write> {
  get(key: string): Stored | undefined
  /** Objects under a path, by key. */
  list(prefix: string): Stored[]
  revision(): number
  /** Replaces (undefined: removes) an object if its revision is still the one given (undefined: absent). */
  swap(key: string, seen: string | undefined, next: Unstored | undefined, by: Author<Write>): Stored | boolean
  /** Changes an object as people do, at once. */
  change(key: string, by: Author<Write>, change: (object: Stored) => Unstored | undefined): void
  /** Appends to the log what was changed elsewhere. */
  note(key: string, before: Stored | undefined, after: Stored | undefined, by: Author<Write>): void
  readonly log: Commit<Write>[]
  onCommit(hear: (commit: Commit<Write>) => void): void
}

/** Makes an empty store. */
export function createStore<Write>(timeline: Timeline): Store<Write> {
  const objects = new Map<string, Stored>()
  const log: Commit<Write>[] = []
  const hearers: ((commit: Commit<Write>) => void)[] = []
  let revision = 100
  let uids = 0

  function note(key: string, before: Stored | undefined, after: Stored | undefined, by: Author<Write>): void {
    const commit = { atMs: timeline.nowMs(), revision, key, before, after, by }
    log.push(commit)
    for (const hear of hearers) hear(commit)
  }

  function swap(
    key: string,
    seen: string | undefined,
    next: Unstored | undefined,
    by: Author<Write>,
  ): Stored | boolean {
    const before = objects.get(key)
    if (before?.metadata.resourceVersion !== seen) return false
    revision++
    if (!next) {
      objects.delete(key)
      note(key, before, undefined, by)
      return true
    }
    const uid = before?.metadata.uid ?? `uid-${++uids}`
    const after = { ...next, metadata: { ...next.metadata, uid, resourceVersion: String(revision) } } as Stored
    objects.set(key, after)
    note(key, before, after, by)
    return after
  }

  return {
    get: key => objects.get(key),
    list: prefix =>
      [...objects]
        .filter(([key]) => key.startsWith(prefix))
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([, object]) => object),
    revision: () => revision,
    swap,
    change(key, by, change) {
      const object = objects.get(key)
      if (object) swap(key, object.metadata.resourceVersion, change(object), by)
    },
    note(key, before, after, by) {
      revision++
      note(key, before, after, by)
    },
    log,
    onCommit: hear => hearers.push(hear),
  }
}
