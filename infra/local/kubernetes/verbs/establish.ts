// What upstream leaves to controllers inside the API server, done here before the answer: a definition's kinds are served once it
// is stored, and withdrawn with all their objects, finalizers or not, once it is deleted.
import { acceptedStatus, definitionOf } from '../kinds/definitions.ts'
import type { Kind } from '../kinds/kind.ts'
import type { KubeObject } from '../kinds/metadata.ts'
import { type Api, commit, current, discard, fromEntry } from './api.ts'

/** Serves what a definition defines, and writes the status its controllers would. */
export function establish(api: Api, kind: Kind, object: KubeObject): void {
  const name = object.metadata.name ?? ''
  const stored = current(api, { kind, namespace: '', name })?.object
  if (stored === undefined || stored.metadata.deletionTimestamp !== undefined) return
  api.registry.define(definitionOf(stored))
  const status = acceptedStatus(stored, api.clock())
  if (JSON.stringify(status) !== JSON.stringify(stored.status))
    commit(api, { kind, namespace: '', name }, { ...stored, status })
}

/** Stops serving what a definition defined and forgets its objects. */
export function withdraw(api: Api, object: KubeObject): void {
  const definition = definitionOf(object)
  const version = definition.versions.find(one => one.served)?.name ?? ''
  const kind = api.registry.find(definition.group, version, definition.names.plural)
  if (kind !== undefined) {
    const collection = api.store.collection(kind.collection)
    for (const key of [...collection.keys]) {
      const entry = collection.get(key)
      const [namespace = '', name = ''] = kind.namespaced ? key.split('/') : ['', key]
      if (entry !== undefined) discard(api, { kind, namespace, name }, fromEntry(kind, entry))
    }
  }
  api.registry.undefine(definition)
}
