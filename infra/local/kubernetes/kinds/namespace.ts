// v1 Namespace. A deleted namespace stays Terminating for ever: finalising is a controller's work, and none runs here.
import type { JsonObject } from '../errors.ts'
import { decodeNative, type Shape } from '../schema/native.ts'
import { AGE, NAME } from './columns.ts'
import { defineKind } from './kind.ts'
import { type KubeObject, OBJECT_META } from './metadata.ts'
import { labelErrors } from './names.ts'

const NAMESPACE: Shape = {
  go: 'struct',
  name: 'Namespace',
  fields: {
    apiVersion: { go: 'drop' },
    kind: { go: 'drop' },
    metadata: { ...OBJECT_META, always: {} },
    spec: {
      go: 'struct',
      name: 'NamespaceSpec',
      always: {},
      fields: { finalizers: { go: 'list', of: { go: 'string' } } },
    },
    status: {
      go: 'struct',
      name: 'NamespaceStatus',
      always: {},
      fields: { phase: { go: 'string' }, conditions: { go: 'any' } },
    },
  },
}

const phaseOf = (object: KubeObject) => (object.status as JsonObject).phase as string

function nameLabel(object: KubeObject): void {
  object.metadata.labels = { ...object.metadata.labels, 'kubernetes.io/metadata.name': object.metadata.name ?? '' }
}

/** Namespaces. */
export const NAMESPACES = defineKind({
  group: '',
  version: 'v1',
  kind: 'Namespace',
  plural: 'namespaces',
  shortNames: ['ns'],
  namespaced: false,
  hasStatus: true,
  updatesUnconditionally: true,
  deletesCollections: false,
  columns: [NAME, { name: 'Status', type: 'string', cell: phaseOf }, AGE],
  fieldLabels: ['status.phase'],
  field: phaseOf,
  decode: body => decodeNative(body, NAMESPACE),
  prepareCreate: object => {
    nameLabel(object)
    object.spec = { finalizers: ['kubernetes'] }
    object.status = { phase: 'Active' }
  },
  prepareUpdate: (object, old, part) => {
    if (part === 'status') {
      Object.assign(object, { metadata: old.metadata, spec: old.spec })
    } else {
      nameLabel(object)
      Object.assign(object, { spec: old.spec, status: old.status })
    }
  },
  nameErrors: labelErrors,
  validateUpdate: (object, _old, part) => {
    if (part !== 'status') return []
    const wanted = object.metadata.deletionTimestamp === undefined ? 'Active' : 'Terminating'
    if (phaseOf(object) === wanted) return []
    const not = wanted === 'Active' ? 'empty' : 'not empty'
    const detail = `may only be '${wanted}' if \`deletionTimestamp\` is ${not}`
    return [{ type: 'Invalid', field: 'status.Phase', value: phaseOf(object) ?? '', detail }]
  },
})
