// What the server must know of a kind to serve it. A kind is a value: built-ins are written down beside this file, custom ones
// are made from their CustomResourceDefinition. Verbs know kinds only through this interface.
import type { FieldError, JsonObject, Named } from '../errors.ts'
import type { Decoded } from '../schema/native.ts'
import type { Schema } from '../schema/structural.ts'
import type { KubeObject } from './metadata.ts'
import { subdomainErrors } from './names.ts'

/** A column of the kind's table; `cell` computes its value at `nowMs`. */
export interface Column {
  name: string
  type: string
  format?: string
  description?: string
  priority?: number
  cell: (object: KubeObject, nowMs: number) => unknown
}

/** A part of an object with writes of its own. */
export type Subresource = 'status' | undefined

/** One served resource at one version. */
export interface Kind extends Named {
  version: string
  singular: string
  listKind: string
  shortNames: string[]
  categories: string[]
  namespaced: boolean
  /** Custom resources differ in bodies, lists and messages from Go structs. */
  custom: boolean
  /** The store's collection, and the path under /registry/ that conflict messages show. */
  collection: string
  hasStatus: boolean
  /** A PUT of a missing object creates it. */
  createsOnUpdate: boolean
  /** A PUT without resourceVersion overwrites. */
  updatesUnconditionally: boolean
  countsGenerations: boolean
  deletesCollections: boolean
  columns: Column[]
  /** Told with every answer, as of a deprecated version. */
  warning?: string
  /** The OpenAPI schema, for clients that explain fields; built-in kinds have none here. */
  schema?: Schema
  /** The labels a field selector may use beyond metadata.name and metadata.namespace. */
  fieldLabels: string[]
  /** The labels kept with a stored object, where that is more: kinds that share a collection keep each other's. */
  indexedLabels?: string[]
  /** The value of a field label; absent is the empty string. */
  field: (object: KubeObject, label: string) => string
  /** Canonical form of a body. @throws DecodeError */
  decode: (body: JsonObject) => Decoded
  prepareCreate: (object: KubeObject) => void
  prepareUpdate: (object: KubeObject, old: KubeObject, part: Subresource) => void
  nameErrors: (name: string) => string[]
  validate: (object: KubeObject) => FieldError[]
  validateUpdate: (object: KubeObject, old: KubeObject, part: Subresource) => FieldError[]
  /** The group that Invalid errors name, where it is not the kind's own. */
  invalidGroup: string
  /** Conversions to and from the form in the store, where it is not the kind's own. */
  toStored?: (object: KubeObject) => KubeObject
  fromStored?: (stored: KubeObject) => KubeObject
}

type Given = Pick<Kind, 'group' | 'version' | 'kind' | 'plural' | 'decode'> & Partial<Kind>

/** A kind with the defaults most have: namespaced, no status, no generations, conditional updates only. */
export function defineKind(given: Given): Kind {
  return {
    singular: given.kind.toLowerCase(),
    listKind: `${given.kind}List`,
    shortNames: [],
    categories: [],
    namespaced: true,
    custom: false,
    collection: given.plural,
    hasStatus: false,
    createsOnUpdate: false,
    updatesUnconditionally: false,
    countsGenerations: false,
    deletesCollections: true,
    columns: [],
    fieldLabels: [],
    field: () => '',
    prepareCreate: () => {},
    prepareUpdate: () => {},
    nameErrors: subdomainErrors,
    validate: () => [],
    validateUpdate: () => [],
    invalidGroup: given.group,
    ...given,
  }
}

/** `version` or `group/version`. */
export const apiVersionOf = ({ group, version }: { group: string; version: string }): string =>
  group === '' ? version : `${group}/${version}`

/** The key of an object in its collection. */
export const keyOf = (kind: Kind, namespace: string, name: string): string =>
  kind.namespaced ? `${namespace}/${name}` : name

/** What selectors may ask of an object of this kind. */
export const indexOf = (kind: Kind, object: KubeObject) => ({
  labels: object.metadata.labels ?? {},
  fields: Object.fromEntries((kind.indexedLabels ?? kind.fieldLabels).map(label => [label, kind.field(object, label)])),
})
