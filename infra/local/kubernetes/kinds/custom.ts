// Custom kinds, made from a CustomResourceDefinition: the schema prunes, defaults and judges; versions differ in apiVersion only
// (conversion None). Its rules in CEL are judged beside it.
import type { FieldError, JsonObject } from '../errors.ts'
import { compileRules, type JudgeRules } from '../policies/schema-rules.ts'
import { DecodeError, decodeNative } from '../schema/native.ts'
import { applyDefaults, dropNulls, prune, type Schema } from '../schema/structural.ts'
import { validateStructural } from '../schema/validate.ts'
import { ageOf, NAME } from './columns.ts'
import { compileJsonPath } from './json-path.ts'
import { type Column, defineKind, type Kind } from './kind.ts'
import { type KubeObject, OBJECT_META } from './metadata.ts'

/** The parts of a CustomResourceDefinition that serving needs. */
export interface Definition {
  group: string
  scope: 'Namespaced' | 'Cluster'
  names: {
    plural: string
    kind: string
    singular?: string
    listKind?: string
    shortNames?: string[]
    categories?: string[]
  }
  versions: DefinitionVersion[]
}

/** One version of a definition. */
export interface DefinitionVersion {
  name: string
  served: boolean
  storage: boolean
  deprecated?: boolean
  deprecationWarning?: string
  schema?: { openAPIV3Schema?: Schema }
  subresources?: { status?: JsonObject }
  selectableFields?: { jsonPath: string }[]
  additionalPrinterColumns?: {
    name: string
    type: string
    format?: string
    description?: string
    priority?: number
    jsonPath: string
  }[]
}

/** The served kinds of a definition, one per served version. */
export function customKinds({ group, scope, names, versions }: Definition): Kind[] {
  return versions
    .filter(version => version.served)
    .map(version => {
      const schema = version.schema?.openAPIV3Schema ?? {}
      const selectable = new Map(
        (version.selectableFields ?? []).map(({ jsonPath }) => [jsonPath.slice(1), compileJsonPath(jsonPath)]),
      )
      const judge = compileRules(schema)
      const hasStatus = version.subresources?.status !== undefined
      return defineKind({
        group,
        version: version.name,
        kind: names.kind,
        plural: names.plural,
        singular: names.singular ?? names.kind.toLowerCase(),
        listKind: names.listKind ?? `${names.kind}List`,
        shortNames: names.shortNames ?? [],
        categories: names.categories ?? [],
        namespaced: scope === 'Namespaced',
        custom: true,
        collection: `${group}/${names.plural}`,
        hasStatus,
        countsGenerations: true,
        columns: columnsOf(version),
        ...(version.deprecated === true
          ? { warning: version.deprecationWarning ?? `${group}/${version.name} ${names.kind} is deprecated` }
          : {}),
        schema,
        fieldLabels: [...selectable.keys()],
        field: (object, label) => toFieldValue(selectable.get(label)?.(object)[0]),
        decode: body => decodeCustom(body, schema),
        prepareCreate: object => {
          if (hasStatus) delete object.status
        },
        prepareUpdate: (object, old, part) => prepareUpdate(object, old, part, hasStatus),
        validate: object => withRules(validateStructural(object, schema), object, undefined, judge),
        validateUpdate: (object, old, part) => withRules(validateChange(object, schema, part), object, old, judge),
      })
    })
}

function decodeCustom(body: JsonObject, schema: Schema): { object: JsonObject; unknown: string[] } {
  const { apiVersion: _version, kind: _kind, metadata, ...rest } = body
  if (metadata !== undefined && metadata !== null && (typeof metadata !== 'object' || Array.isArray(metadata))) {
    const found = Array.isArray(metadata) ? 'array' : typeof metadata === 'boolean' ? 'bool' : typeof metadata
    throw new DecodeError(`json: cannot unmarshal ${found} into Go value of type v1.ObjectMeta`)
  }
  const decoded = decodeNative(metadata, OBJECT_META, '', 'metadata')
  dropNulls(rest, schema)
  applyDefaults(rest, schema)
  const unknown = prune(rest, schema, true)
  return { object: { metadata: decoded.object, ...rest }, unknown: [...decoded.unknown, ...unknown] }
}

function prepareUpdate(object: KubeObject, old: KubeObject, part: 'status' | undefined, hasStatus: boolean): void {
  if (part === 'status') {
    const status = object.status
    for (const key of Object.keys(object)) delete object[key]
    Object.assign(object, structuredClone(old))
    if (status === undefined) delete object.status
    else object.status = status
    return
  }
  if (hasStatus) {
    if (old.status === undefined) delete object.status
    else object.status = old.status
  }
  const { metadata: _now, ...content } = object
  const { metadata: _then, ...before } = old
  if (hasStatus) {
    delete content.status
    delete before.status
  }
  if (!isSame(content, before)) object.metadata.generation = (old.metadata.generation ?? 0) + 1
}

function validateChange(object: KubeObject, schema: Schema, part: 'status' | undefined): FieldError[] {
  if (part !== 'status') return validateStructural(object, schema)
  const status = schema.properties?.status
  return status === undefined || object.status === undefined
    ? []
    : validateStructural(object.status, status, 'status', '')
}

/** Errors after which a rule could not even be read. */
const BLOCKING = new Set<FieldError['type']>(['Required', 'TooLong', 'TooMany', 'TypeInvalid'])
const UNCHECKED =
  'some validation rules were not checked because the object was invalid; correct the existing errors to complete validation'

function withRules(
  errors: FieldError[],
  object: KubeObject,
  old: KubeObject | undefined,
  judge: JudgeRules | undefined,
): FieldError[] {
  if (judge === undefined) return errors
  if (errors.some(({ type }) => BLOCKING.has(type)))
    return [...errors, { type: 'Invalid', field: '<nil>', value: null, detail: UNCHECKED }]
  return [...errors, ...judge(object, old)]
}

/** Whether two JSON values are equal, whatever the order of their keys. */
export function isSame(one: unknown, other: unknown): boolean {
  if (one === other) return true
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false
  if (Array.isArray(one) !== Array.isArray(other)) return false
  const keys = Object.keys(one)
  return (
    keys.length === Object.keys(other).length &&
    keys.every(key => Object.hasOwn(other, key) && isSame((one as JsonObject)[key], (other as JsonObject)[key]))
  )
}

const toFieldValue = (value: unknown) =>
  value === undefined || value === null || typeof value === 'object' ? '' : String(value)

function columnsOf(version: DefinitionVersion): Column[] {
  const given = version.additionalPrinterColumns ?? [
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ]
  return [
    NAME,
    ...given.map(column => {
      const find = compileJsonPath(column.jsonPath)
      const cell: Column['cell'] = (object, nowMs) => toCell(find(object)[0], column.type, nowMs)
      const { jsonPath, ...header } = column
      return { description: `Custom resource definition column (in JSONPath format): ${jsonPath}`, ...header, cell }
    }),
  ]
}

function toCell(value: unknown, type: string, nowMs: number): unknown {
  if (value === undefined || value === null) return null
  if (type === 'date')
    return typeof value === 'string' && !Number.isNaN(Date.parse(value)) ? ageOf(value, nowMs) : '<invalid>'
  if (type === 'integer' || type === 'number') return typeof value === 'number' ? value : null
  if (type === 'boolean') return typeof value === 'boolean' ? value : null
  return typeof value === 'string' ? value : JSON.stringify(value)
}
