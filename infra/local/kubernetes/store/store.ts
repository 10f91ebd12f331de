// A small stand-in for etcd: one revision counter over all resources, keys kept sorted, and enough history to list and watch
// from a past revision. Values are kept as serialised JSON, so a page is a concatenation. Everything is synchronous: what runs
// between a read and a commit is atomic. Nothing is persisted, and history is bounded by count, not by time.
import type { JsonObject } from '../errors.ts'

/** One version of one object. `body` is its JSON without the opening brace and without apiVersion and kind. */
export interface Entry {
  readonly key: string
  readonly revision: number
  readonly deleted: boolean
  readonly body: string
  readonly labels: Readonly<Record<string, string>>
  readonly fields: Readonly<Record<string, string>>
  previous: Entry | undefined
}

/** What a commit leaves in the history: the version written and the one it replaced. */
export interface Change {
  readonly revision: number
  readonly collection: string
  readonly entry: Entry
  readonly before: Entry | undefined
}

/** What selectors may ask of an object, extracted when it is written. */
export interface Index {
  labels: Record<string, string>
  fields: Record<string, string>
}

// Up to so many new keys are inserted one by one; more are appended and sorted together.
const FEW_KEYS = 32

/** The objects of one resource, keys in byte order. */
export class Collection {
  #keys: string[] = []
  readonly #added: string[] = []
  readonly entries = new Map<string, Entry>()
  tombstones = 0
  lastChange = 0

  /** The current version, or undefined when there is none or it was deleted. */
  get(key: string): Entry | undefined {
    const entry = this.entries.get(key)
    return entry === undefined || entry.deleted ? undefined : entry
  }

  /** The version that was current at `revision`, which must not be compacted. */
  at(key: string, revision: number): Entry | undefined {
    let entry = this.entries.get(key)
    while (entry !== undefined && entry.revision > revision) entry = entry.previous
    return entry === undefined || entry.deleted ? undefined : entry
  }

  /** All keys in byte order, those of deleted objects included while the history still knows them. */
  get keys(): readonly string[] {
    if (this.#added.length === 0) return this.#keys
    const added = this.#added.splice(0)
    if (added.length > FEW_KEYS) {
      for (const key of added) this.#keys.push(key)
      this.#keys.sort()
    } else {
      for (const key of added) this.#keys.splice(this.#search(key), 0, key)
    }
    return this.#keys
  }

  /** The position of the first key that is not before `key`. */
  position(key: string): number {
    return this.keys.length === 0 ? 0 : this.#search(key)
  }

  #search(key: string): number {
    let low = 0
    let high = this.#keys.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#keys[middle] as string) < key) low = middle + 1
      else high = middle
    }
    return low
  }

  put(entry: Entry): void {
    const before = this.entries.get(entry.key)
    if (before === undefined) {
      const last = this.#keys.at(-1)
      const isNext = this.#added.length === 0 && (last === undefined || last < entry.key)
      ;(isNext ? this.#keys : this.#added).push(entry.key)
    }
    this.tombstones += (entry.deleted ? 1 : 0) - (before?.deleted === true ? 1 : 0)
    this.entries.set(entry.key, entry)
    this.lastChange = entry.revision
  }

  /** Forgets deleted objects for good; entries that were replaced since are left alone. */
  drop(deleted: readonly Entry[]): void {
    const gone = deleted.filter(entry => this.entries.get(entry.key) === entry)
    for (const { key } of gone) this.entries.delete(key)
    this.tombstones -= gone.length
    const { keys } = this
    if (gone.length > FEW_KEYS) this.#keys = keys.filter(key => this.entries.has(key))
    else for (const { key } of gone) this.#keys.splice(this.#search(key), 1)
  }
}

/** The store. `historyLimit` is how many changes stay readable; older ones are compacted away. */
export class Store {
  revision = 1
  compacted = 0
  readonly #collections = new Map<string, Collection>()
  readonly #history: Change[] = []
  readonly #listeners = new Set<(change: Change) => void>()
  readonly #historyLimit: number

  constructor(historyLimit: number) {
    this.#historyLimit = historyLimit
  }

  /** The collection of that name, made when first asked for. */
  collection(name: string): Collection {
    let collection = this.#collections.get(name)
    if (collection === undefined) {
      collection = new Collection()
      this.#collections.set(name, collection)
    }
    return collection
  }

  /** Writes a version (stamping metadata.resourceVersion into `object`) and tells the listeners; returns it. */
  put(name: string, key: string, object: JsonObject, index: Index): Entry {
    this.revision += 1
    const metadata = object.metadata as JsonObject
    metadata.resourceVersion = String(this.revision)
    return this.#commit(name, { key, deleted: false, body: JSON.stringify(object).slice(1), ...index })
  }

  /** Removes an object; the history keeps `last`, stamped with the revision of the removal, for watchers. */
  remove(name: string, key: string, last: JsonObject, index: Index): void {
    this.revision += 1
    const metadata = { ...(last.metadata as JsonObject), resourceVersion: String(this.revision) }
    this.#commit(name, { key, deleted: true, body: JSON.stringify({ ...last, metadata }).slice(1), ...index })
  }

  #commit(name: string, version: Omit<Entry, 'revision' | 'previous'>): Entry {
    const collection = this.collection(name)
    const before = collection.entries.get(version.key)
    const entry: Entry = { ...version, revision: this.revision, previous: before }
    collection.put(entry)
    const change: Change = {
      revision: this.revision,
      collection: name,
      entry,
      before: before === undefined || before.deleted ? undefined : before,
    }
    this.#history.push(change)
    if (this.#history.length > this.#historyLimit * 1.25) this.#forget(this.#history.length - this.#historyLimit)
    for (const listener of this.#listeners) listener(change)
    return entry
  }

  /** The changes of one collection after `revision`, oldest first. */
  changesAfter(name: string, revision: number): Change[] {
    let low = 0
    let high = this.#history.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#history[middle] as Change).revision <= revision) low = middle + 1
      else high = middle
    }
    return this.#history.slice(low).filter(change => change.collection === name)
  }

  /** Calls `listener` after each commit until the returned function is called. */
  listen(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Makes every revision handed out so far unreadable, as a compaction of etcd does. */
  compact(): void {
    this.revision += 1
    this.#forget(this.#history.length)
    this.compacted = this.revision
  }

  #forget(count: number): void {
    const deleted = new Map<string, Entry[]>()
    for (const { collection, entry, revision } of this.#history.splice(0, count)) {
      entry.previous = undefined
      this.compacted = revision
      if (!entry.deleted) continue
      const entries = deleted.get(collection)
      if (entries === undefined) deleted.set(collection, [entry])
      else entries.push(entry)
    }
    for (const [name, entries] of deleted) this.collection(name).drop(entries)
  }
}
