// apiextensions.k8s.io/v1 CustomResourceDefinition as an object. Its own validation covers names, versions, scope and the
// presence of types; a schema is stored as sent (unknown keywords neither pruned nor refused).
import type { FieldError, JsonObject } from '../errors.ts'
import { ruleErrors } from '../policies/schema-rules.ts'
import { decodeNative, type Shape } from '../schema/native.ts'
import type { Schema } from '../schema/structural.ts'
import { toTime } from '../schema/times.ts'
import { NAME } from './columns.ts'
import { type Definition, isSame } from './custom.ts'
import { defineKind } from './kind.ts'
import { type KubeObject, OBJECT_META } from './metadata.ts'

const any: Shape = { go: 'any' }
const DEFINITION: Shape = {
  go: 'struct',
  name: 'CustomResourceDefinition',
  fields: {
    apiVersion: { go: 'drop' },
    kind: { go: 'drop' },
    metadata: { ...OBJECT_META, always: {} },
    spec: {
      go: 'struct',
      name: 'CustomResourceDefinitionSpec',
      always: {},
      fields: {
        group: { go: 'string', always: '' },
        names: { ...any, always: {} },
        scope: { go: 'string', always: '' },
        versions: { go: 'list', of: any, always: [] },
        conversion: any,
        preserveUnknownFields: { go: 'bool' },
      },
    },
    status: any,
  },
}

/** The definition inside a CustomResourceDefinition object. */
export const definitionOf = (object: KubeObject): Definition => object.spec as unknown as Definition

function fillIn(object: KubeObject): void {
  const spec = definitionOf(object)
  if (spec.names.kind !== undefined) {
    spec.names.singular ??= spec.names.kind.toLowerCase()
    spec.names.listKind ??= `${spec.names.kind}List`
  }
  ;(object.spec as JsonObject).conversion ??= { strategy: 'None' }
}

const storageVersions = (definition: Definition) =>
  definition.versions.filter(version => version.storage).map(version => version.name)

function errorsOf(object: KubeObject): FieldError[] {
  const { group, names, scope, versions } = definitionOf(object)
  const errors: FieldError[] = []
  const required = (field: string, value: unknown) => {
    if (value === undefined || value === '') errors.push({ type: 'Required', field })
  }
  if (object.metadata.name !== `${names.plural}.${group}`) {
    errors.push({
      type: 'Invalid',
      field: 'metadata.name',
      value: object.metadata.name,
      detail: 'must be spec.names.plural+"."+spec.group',
    })
  }
  required('spec.group', group)
  if (scope !== 'Cluster' && scope !== 'Namespaced') {
    const supported = 'supported values: "Cluster", "Namespaced"'
    errors.push(
      (scope as string) === ''
        ? { type: 'Required', field: 'spec.scope' }
        : { type: 'NotSupported', field: 'spec.scope', value: scope, detail: supported },
    )
  }
  if (storageVersions(definitionOf(object)).length !== 1) {
    const detail = 'must have exactly one version marked as storage version'
    errors.push({ type: 'Invalid', field: 'spec.versions', value: versions, detail })
  }
  for (const key of ['plural', 'singular', 'kind', 'listKind'] as const) required(`spec.names.${key}`, names[key])
  for (const [at, version] of versions.entries()) {
    const schema = version.schema?.openAPIV3Schema
    if (schema === undefined) errors.push({ type: 'Required', field: `spec.versions[${at}].schema.openAPIV3Schema` })
    else {
      const path =
        versions.length === 1 ? 'spec.validation.openAPIV3Schema' : `spec.versions[${at}].schema.openAPIV3Schema`
      if (schema.type !== undefined && schema.type !== 'object') {
        errors.push({
          type: 'Invalid',
          field: `${path}.type`,
          value: schema.type,
          detail: 'must be object at the root',
        })
      }
      untyped(schema, path, errors)
      broken(schema, path, errors)
    }
  }
  return errors
}

function untyped(schema: Schema, path: string, errors: FieldError[]): void {
  const free = schema['x-kubernetes-int-or-string'] === true || schema['x-kubernetes-preserve-unknown-fields'] === true
  if (schema.type === undefined && !free) {
    errors.push({ type: 'Required', field: `${path}.type`, detail: 'must not be empty for specified object fields' })
  }
  for (const [key, property] of Object.entries(schema.properties ?? {}))
    untyped(property, `${path}.properties[${key}]`, errors)
  if (schema.items !== undefined) untyped(schema.items, `${path}.items`, errors)
  if (typeof schema.additionalProperties === 'object')
    untyped(schema.additionalProperties, `${path}.additionalProperties`, errors)
}

function broken(schema: Schema, path: string, errors: FieldError[]): void {
  errors.push(...ruleErrors(schema, path))
  for (const [key, property] of Object.entries(schema.properties ?? {}))
    broken(property, `${path}.properties[${key}]`, errors)
  if (schema.items !== undefined) broken(schema.items, `${path}.items`, errors)
  if (typeof schema.additionalProperties === 'object')
    broken(schema.additionalProperties, `${path}.additionalProperties`, errors)
}

/** What the naming and establishing controllers write once a definition has been accepted. */
export function acceptedStatus(object: KubeObject, atMs: number): JsonObject {
  const status = object.status as JsonObject
  const lastTransitionTime = toTime(atMs)
  const fresh = [
    { type: 'NamesAccepted', status: 'True', lastTransitionTime, reason: 'NoConflicts', message: 'no conflicts found' },
    {
      type: 'Established',
      status: 'True',
      lastTransitionTime,
      reason: 'InitialNamesAccepted',
      message: 'the initial names have been accepted',
    },
  ]
  return { ...status, conditions: status.conditions ?? fresh, acceptedNames: definitionOf(object).names }
}

/** How a definition looks when its deletion has been asked for; upstream a controller then removes the instances and it. */
export function terminating(object: KubeObject, atMs: number): KubeObject {
  const deletionTimestamp = object.metadata.deletionTimestamp ?? toTime(atMs)
  const status = object.status as JsonObject
  const condition = {
    type: 'Terminating',
    status: 'True',
    lastTransitionTime: deletionTimestamp,
    reason: 'InstanceDeletionPending',
    message: 'CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon',
  }
  const finalizers = [...(object.metadata.finalizers ?? []), 'customresourcecleanup.apiextensions.k8s.io']
  const conditions = [...((status.conditions as unknown[] | null) ?? []), condition]
  return {
    ...object,
    metadata: { ...object.metadata, deletionTimestamp, finalizers },
    status: { ...status, conditions },
  }
}

/** CustomResourceDefinitions. Serving what they define is the registry's work. */
export const DEFINITIONS = defineKind({
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  shortNames: ['crd', 'crds'],
  categories: ['api-extensions'],
  namespaced: false,
  collection: 'apiextensions.k8s.io/customresourcedefinitions',
  hasStatus: true,
  countsGenerations: true,
  columns: [NAME, { name: 'Created At', type: 'date', cell: object => object.metadata.creationTimestamp }],
  decode: body => {
    const decoded = decodeNative(body, DEFINITION)
    fillIn(decoded.object as KubeObject)
    return decoded
  },
  prepareCreate: object => {
    object.status = {
      conditions: null,
      acceptedNames: { plural: '', kind: '' },
      storedVersions: storageVersions(definitionOf(object)),
    }
  },
  prepareUpdate: (object, old, part) => {
    if (part === 'status') Object.assign(object, { metadata: old.metadata, spec: old.spec })
    else {
      object.status = old.status
      if (!isSame(object.spec, old.spec)) object.metadata.generation = (old.metadata.generation ?? 0) + 1
    }
  },
  validate: object => {
    const status = object.status as { storedVersions: string[] }
    const stored: FieldError[] =
      status.storedVersions.length > 0
        ? []
        : [
            {
              type: 'Invalid',
              field: 'status.storedVersions',
              value: null,
              detail: 'must have at least one stored version',
            },
          ]
    return [...errorsOf(object), ...stored]
  },
  validateUpdate: (object, old) => {
    const [now, then] = [definitionOf(object), definitionOf(old)]
    const errors = errorsOf(object)
    if (now.scope !== then.scope)
      errors.push({ type: 'Invalid', field: 'spec.scope', value: now.scope, detail: 'field is immutable' })
    return errors
  },
})
