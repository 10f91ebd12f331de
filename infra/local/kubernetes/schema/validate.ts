// Judges a value by a structural schema, with the field errors of a kube-apiserver. Lists of type map and set are judged here
// too. Rules written in CEL (x-kubernetes-validations) are not: policies/schema-rules.ts adds their errors beside these.
import type { FieldError, JsonObject } from '../errors.ts'
import { fitsFormat } from './formats.ts'
import { childSchema, type Schema } from './structural.ts'

/** Where in the object a check stands: `field` for the error's path, `said` for the path inside its message. */
interface At {
  field: string
  said: string
}

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const patterns = new Map<string, RegExp>()

// RE2 allows escapes that the unicode mode refuses; those patterns are compiled without it.
function compiled(pattern: string): RegExp {
  let expression = patterns.get(pattern)
  if (expression === undefined) {
    try {
      expression = new RegExp(pattern, 'u')
    } catch {
      expression = new RegExp(pattern)
    }
    patterns.set(pattern, expression)
  }
  return expression
}

function typeOf(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  return typeof value
}

/**
 * All field errors of `value` under `schema`, required fields before the others.
 * @param field the path of `value` in its object; the status subresource is judged with field `status` and messages that leave it out
 * @param said the path used inside messages, `field` unless told
 */
export function validateStructural(value: unknown, schema: Schema, field = '', said = field): FieldError[] {
  const errors: FieldError[] = []
  check(value, schema, { field, said }, errors)
  checkLists(value, schema, field, errors)
  return errors
}

function check(value: unknown, schema: Schema, at: At, errors: FieldError[]): void {
  if (value === null && schema.nullable === true) return
  const type = typeOf(value)
  const types =
    schema['x-kubernetes-int-or-string'] === true
      ? ['integer', 'string']
      : schema.type === undefined
        ? []
        : [schema.type]
  if (types.length > 0 && !types.includes(type) && !(type === 'integer' && types[0] === 'number')) {
    errors.push({
      type: 'TypeInvalid',
      field: at.field,
      value: type,
      detail: `${at.said} in body must be of type ${types.join(',')}: "${type}"`,
    })
  }
  checkCombined(value, schema, at, errors)
  if (typeof value === 'string') checkString(value, schema, at, errors)
  if (typeof value === 'number') checkNumber(value, schema, at, errors)
  if (schema.enum !== undefined && !schema.enum.some(allowed => JSON.stringify(allowed) === JSON.stringify(value))) {
    const supported = schema.enum.map(allowed =>
      JSON.stringify(typeof allowed === 'string' ? allowed : JSON.stringify(allowed)),
    )
    errors.push({ type: 'NotSupported', field: at.field, value, detail: `supported values: ${supported.join(', ')}` })
  }
  if (Array.isArray(value)) checkArray(value, schema, at, errors)
  if (isObject(value)) checkObject(value, schema, at, errors)
}

// Of length and pattern only the first failure is reported; the format is judged apart.
function checkString(value: string, schema: Schema, at: At, errors: FieldError[]): void {
  const { field, said } = at
  const { maxLength, minLength, pattern, format } = schema
  const length = [...value].length
  if (maxLength !== undefined && length > maxLength) {
    errors.push({ type: 'TooLong', field, detail: `may not be more than ${maxLength} bytes` })
  } else if (minLength !== undefined && length < minLength) {
    errors.push({ type: 'Invalid', field, value, detail: `${said} in body should be at least ${minLength} chars long` })
  } else if (pattern !== undefined && !compiled(pattern).test(value)) {
    errors.push({ type: 'Invalid', field, value, detail: `${said} in body should match '${pattern}'` })
  }
  if (format !== undefined && !fitsFormat(format, value)) {
    const detail = `${said} in body must be of type ${format}: ${JSON.stringify(value)}`
    errors.push({ type: 'TypeInvalid', field, value, detail })
  }
}

function checkNumber(value: number, schema: Schema, at: At, errors: FieldError[]): void {
  const invalid = (detail: string) =>
    errors.push({ type: 'Invalid', field: at.field, value, detail: `${at.said} in body should be ${detail}` })
  const { multipleOf, maximum, minimum } = schema
  // Upstream cuts the factor down to an integer where the value is one.
  const factor = multipleOf !== undefined && Number.isInteger(value) ? Math.trunc(multipleOf) : multipleOf
  if (factor === 0) {
    const detail = `factor MultipleOf declared for ${at.said} must be positive: 0`
    errors.push({ type: 'Invalid', field: at.field, value, detail })
  } else if (factor !== undefined && !Number.isInteger(value / factor)) invalid(`a multiple of ${multipleOf}`)
  if (maximum !== undefined && (schema.exclusiveMaximum === true ? value >= maximum : value > maximum)) {
    invalid(`less than ${schema.exclusiveMaximum === true ? '' : 'or equal to '}${maximum}`)
  }
  if (minimum !== undefined && (schema.exclusiveMinimum === true ? value <= minimum : value < minimum)) {
    invalid(`greater than ${schema.exclusiveMinimum === true ? '' : 'or equal to '}${minimum}`)
  }
}

function checkArray(value: unknown[], schema: Schema, at: At, errors: FieldError[]): void {
  for (const [index, item] of value.entries()) {
    if (schema.items !== undefined)
      check(item, schema.items, { field: `${at.field}[${index}]`, said: `${at.said}[${index}]` }, errors)
  }
  checkCount(value.length, schema.minItems, schema.maxItems, 'items', at, errors)
}

function checkObject(value: JsonObject, schema: Schema, at: At, errors: FieldError[]): void {
  checkCount(Object.keys(value).length, schema.minProperties, schema.maxProperties, 'properties', at, errors)
  const required =
    schema['x-kubernetes-embedded-resource'] === true
      ? ['apiVersion', 'kind', ...(schema.required ?? [])]
      : schema.required
  for (const key of required ?? []) {
    if (value[key] === undefined) errors.push({ type: 'Required', field: join(at.field, key) })
  }
  for (const [key, item] of Object.entries(value)) {
    const child = childSchema(schema, key)
    if (child !== undefined && item !== undefined)
      check(item, child, { field: join(at.field, key), said: join(at.said, key) }, errors)
  }
}

function checkCount(
  count: number,
  least: number | undefined,
  most: number | undefined,
  what: string,
  at: At,
  errors: FieldError[],
): void {
  if (least !== undefined && count < least) {
    errors.push({
      type: 'Invalid',
      field: at.field,
      value: count,
      detail: `${at.said} in body should have at least ${least} ${what}`,
    })
  }
  if (most !== undefined && count > most) {
    errors.push({ type: 'TooMany', field: at.field, value: count, detail: `must have at most ${most} items` })
  }
}

function checkCombined(value: unknown, schema: Schema, at: At, errors: FieldError[]): void {
  const fits = (branch: Schema) => {
    const found: FieldError[] = []
    check(value, branch, at, found)
    return found
  }
  const refuse = (detail: string) =>
    errors.push({ type: 'Invalid', field: '<nil>', value: '', detail: `"${at.said}" ${detail}` })
  for (const branch of schema.allOf ?? []) errors.push(...fits(branch))
  if (schema.anyOf !== undefined) {
    const tried = schema.anyOf.map(fits)
    if (tried.every(found => found.length > 0)) {
      refuse('must validate at least one schema (anyOf)')
      errors.push(...(tried[0] ?? []))
    }
  }
  if (schema.oneOf !== undefined) {
    const tried = schema.oneOf.map(fits)
    const valid = tried.filter(found => found.length === 0).length
    if (valid !== 1)
      refuse(
        `must validate one and only one schema (oneOf). Found ${valid === 0 ? 'none valid' : `${valid} valid alternatives`}`,
      )
    if (valid === 0) errors.push(...(tried[0] ?? []))
  }
  if (schema.not !== undefined && fits(schema.not).length === 0) refuse('must not validate the schema (not)')
}

function checkLists(value: unknown, schema: Schema | undefined, field: string, errors: FieldError[]): void {
  if (schema === undefined) return
  if (Array.isArray(value)) {
    const kind = schema['x-kubernetes-list-type']
    const keys = schema['x-kubernetes-list-map-keys'] ?? []
    const seen = new Set<string>()
    for (const [index, item] of value.entries()) {
      if (kind === 'map' || kind === 'set') {
        const key =
          kind === 'set' || !isObject(item)
            ? item
            : Object.fromEntries(keys.filter(name => name in item).map(name => [name, item[name]]))
        const text = JSON.stringify(key)
        if (seen.has(text)) errors.push({ type: 'Duplicate', field: `${field}[${index}]`, value: key })
        seen.add(text)
      }
      checkLists(item, schema.items, `${field}[${index}]`, errors)
    }
  } else if (isObject(value)) {
    for (const [key, item] of Object.entries(value))
      checkLists(item, childSchema(schema, key), join(field, key), errors)
  }
}

const join = (path: string, key: string) => (path === '' ? key : `${path}.${key}`)
