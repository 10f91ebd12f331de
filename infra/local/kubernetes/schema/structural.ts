// What a CustomResourceDefinition's schema does to a body before it is judged: nulls are dropped where null is not allowed,
// defaults are filled in, unknown fields are pruned and reported. Judging is in validate.ts.
import type { JsonObject } from '../errors.ts'
import type { SchemaRule } from '../policies/schema-rules.ts'

/** A structural OpenAPI v3 schema as CRDs carry it (the keywords used here; others ride along). */
export interface Schema {
  type?: string
  format?: string
  nullable?: boolean
  default?: unknown
  properties?: Record<string, Schema>
  additionalProperties?: Schema | boolean
  items?: Schema
  required?: string[]
  enum?: unknown[]
  pattern?: string
  minimum?: number
  maximum?: number
  exclusiveMinimum?: boolean
  exclusiveMaximum?: boolean
  multipleOf?: number
  minLength?: number
  maxLength?: number
  minItems?: number
  maxItems?: number
  minProperties?: number
  maxProperties?: number
  uniqueItems?: boolean
  allOf?: Schema[]
  anyOf?: Schema[]
  oneOf?: Schema[]
  not?: Schema
  'x-kubernetes-preserve-unknown-fields'?: boolean
  'x-kubernetes-int-or-string'?: boolean
  'x-kubernetes-embedded-resource'?: boolean
  'x-kubernetes-list-type'?: 'atomic' | 'set' | 'map'
  'x-kubernetes-list-map-keys'?: string[]
  'x-kubernetes-validations'?: SchemaRule[]
}

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The schema of one key of an object: its property, else the additional properties', else none. */
export function childSchema(schema: Schema, key: string): Schema | undefined {
  const property = schema.properties?.[key]
  if (property !== undefined) return property
  return typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined
}

/** Removes, in place, nulls of known fields that are neither nullable nor defaulted. */
export function dropNulls(value: unknown, schema: Schema | undefined): void {
  if (schema === undefined) return
  if (Array.isArray(value)) {
    for (const item of value) dropNulls(item, schema.items)
  } else if (isObject(value)) {
    for (const [key, item] of Object.entries(value)) {
      const child = childSchema(schema, key)
      if (item === null && child !== undefined && child.nullable !== true && child.default === undefined)
        delete value[key]
      else dropNulls(item, child)
    }
  }
}

/** Fills in, in place, the defaults of missing fields (and of nulls where null is not allowed). */
export function applyDefaults(value: unknown, schema: Schema | undefined): void {
  if (schema === undefined) return
  if (Array.isArray(value)) {
    for (const item of value) applyDefaults(item, schema.items)
  } else if (isObject(value)) {
    for (const [key, property] of Object.entries(schema.properties ?? {})) {
      const present = value[key] !== undefined && !(value[key] === null && property.nullable !== true)
      if (property.default !== undefined && !present) value[key] = structuredClone(property.default)
    }
    for (const [key, item] of Object.entries(value)) applyDefaults(item, childSchema(schema, key))
  }
}

const ALWAYS_KNOWN = new Set(['apiVersion', 'kind', 'metadata'])

/** Removes, in place, fields the schema does not know; returns their paths, sorted as the server reports them. */
export function prune(value: unknown, schema: Schema, root: boolean): string[] {
  const unknown: string[] = []
  pruneAt(value, schema, '', root || schema['x-kubernetes-embedded-resource'] === true, unknown)
  return unknown.sort()
}

function pruneAt(
  value: unknown,
  schema: Schema | undefined,
  path: string,
  isResource: boolean,
  unknown: string[],
): void {
  if (schema === undefined) return
  if (Array.isArray(value)) {
    for (const [at, item] of value.entries()) {
      const embedded = schema.items?.['x-kubernetes-embedded-resource'] === true
      pruneAt(item, schema.items, `${path}[${at}]`, embedded, unknown)
    }
    return
  }
  if (!isObject(value)) return
  const keeps = schema['x-kubernetes-preserve-unknown-fields'] === true || schema.additionalProperties === true
  for (const [key, item] of Object.entries(value)) {
    if (isResource && ALWAYS_KNOWN.has(key)) continue
    const here = path === '' ? key : `${path}.${key}`
    const child = childSchema(schema, key)
    if (child !== undefined) pruneAt(item, child, here, child['x-kubernetes-embedded-resource'] === true, unknown)
    else if (!keeps) {
      delete value[key]
      unknown.push(here)
    }
  }
}
