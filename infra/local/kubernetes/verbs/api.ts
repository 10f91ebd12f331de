// What every verb works on, and the two ways an object passes between a kind and the store.
import type { Kind } from '../kinds/kind.ts'
import { indexOf, keyOf } from '../kinds/kind.ts'
import type { KubeObject } from '../kinds/metadata.ts'
import type { Registry } from '../kinds/registry.ts'
import type { Entry, Store } from '../store/store.ts'
import type { Admission } from './admission.ts'

/** The server's state: objects, kinds, the clock (ms since the epoch) and who may refuse a write. */
export interface Api {
  store: Store
  registry: Registry
  clock: () => number
  admission: Admission[]
}

/** One addressed object. */
export interface Target {
  kind: Kind
  namespace: string
  name: string
  part: 'status' | undefined
}

/** The object in an entry, as its kind shows it. */
export function fromEntry(kind: Kind, entry: Entry): KubeObject {
  const stored = JSON.parse(`{${entry.body}`) as KubeObject
  return kind.fromStored?.(stored) ?? stored
}

/** The current object of a target, with its entry. */
export function current({ store }: Api, { kind, namespace, name }: Omit<Target, 'part'>) {
  const entry = store.collection(kind.collection).get(keyOf(kind, namespace, name))
  return entry === undefined ? undefined : { entry, object: fromEntry(kind, entry) }
}

/** Writes an object; its resourceVersion is stamped in place. */
export function commit({ store }: Api, { kind, namespace, name }: Omit<Target, 'part'>, object: KubeObject): void {
  const stored = kind.toStored?.(object) ?? object
  store.put(kind.collection, keyOf(kind, namespace, name), stored, indexOf(kind, object))
}

/** Removes an object; watchers see `object` as its last state. */
export function discard({ store }: Api, { kind, namespace, name }: Omit<Target, 'part'>, object: KubeObject): void {
  const stored = kind.toStored?.(object) ?? object
  store.remove(kind.collection, keyOf(kind, namespace, name), stored, indexOf(kind, object))
}
