// The rules in CEL that a CustomResourceDefinition's schema carries (x-kubernetes-validations): compiled once with the definition,
// judged at every write. A rule that reads oldSelf speaks of changes alone; one that does not is spared where nothing changed.
import { Environment } from '@marcbachmann/cel-js'
import type { FieldError, JsonObject } from '../errors.ts'
import { childSchema, type Schema } from '../schema/structural.ts'
import { CompileError, compile, type Program, toCel, WrongType } from './cel.ts'

/** A rule as a schema carries it. */
export interface SchemaRule {
  rule: string
  message?: string
  messageExpression?: string
  reason?: 'FieldValueInvalid' | 'FieldValueForbidden' | 'FieldValueRequired' | 'FieldValueDuplicate'
  fieldPath?: string
  optionalOldSelf?: boolean
}

interface CompiledRule extends SchemaRule {
  readonly program: Program
  readonly text: Program | undefined
}

const TYPES = {
  FieldValueInvalid: 'Invalid',
  FieldValueForbidden: 'Forbidden',
  FieldValueRequired: 'Required',
  FieldValueDuplicate: 'Duplicate',
} as const

function environment(): Environment {
  return new Environment({ enableOptionalTypes: true })
    .registerVariable('self', 'dyn')
    .registerVariable('oldSelf', 'dyn')
}

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Field errors of a schema's own rules: those that do not compile. `path` is the schema's. */
export function ruleErrors(schema: Schema, path: string): FieldError[] {
  return (schema['x-kubernetes-validations'] ?? []).flatMap((rule, at) => {
    const field = `${path}.x-kubernetes-validations[${at}]`
    const errors = expressionErrors(rule, 'rule', field)
    if (rule.messageExpression !== undefined) errors.push(...expressionErrors(rule, 'messageExpression', field))
    if (rule.message?.trim().includes('\n'))
      errors.push({
        type: 'Invalid',
        field: `${field}.message`,
        value: rule.message,
        detail: 'must not contain line breaks',
      })
    return errors
  })
}

const WANTED = {
  rule: ['bool', 'cel expression must evaluate to a bool'],
  messageExpression: ['string', 'messageExpression must evaluate to a string'],
} as const

function expressionErrors(rule: SchemaRule, key: keyof typeof WANTED, path: string): FieldError[] {
  const field = `${path}.${key}`
  const [type, otherwise] = WANTED[key]
  const expression = rule[key] ?? ''
  if (expression.trim() === '') return [{ type: 'Required', field, detail: `${key} is not specified` }]
  try {
    compile(environment(), expression, type, true)
    return []
  } catch (error) {
    if (!(error instanceof CompileError)) throw error
    return [
      { type: 'Invalid', field, value: inGo(rule), detail: error instanceof WrongType ? otherwise : error.message },
    ]
  }
}

/** The rule as the server quotes it: a Go struct's fields. */
const inGo = ({ rule, message = '', messageExpression = '', reason, fieldPath = '', optionalOldSelf }: SchemaRule) => ({
  Rule: rule,
  Message: message,
  MessageExpression: messageExpression,
  Reason: reason ?? null,
  FieldPath: fieldPath,
  OptionalOldSelf: optionalOldSelf ?? null,
})

/** Judges an object by the rules of its schema; `old` is what it replaces. The paths are those of a structural error. */
export type JudgeRules = (object: JsonObject, old: JsonObject | undefined) => FieldError[]

/**
 * Compiles the rules of a schema; undefined when it has none.
 * @throws CompileError – never for a definition that was found valid
 */
export function compileRules(schema: Schema): JudgeRules | undefined {
  const words = environment()
  const compiled = new Map<Schema, CompiledRule[]>()
  const gather = (one: Schema | undefined): boolean => {
    if (one === undefined) return false
    const own = (one['x-kubernetes-validations'] ?? []).map(rule => ({
      ...rule,
      program: compile(words, rule.rule, 'bool', true),
      text: rule.messageExpression === undefined ? undefined : compile(words, rule.messageExpression, 'string', true),
    }))
    compiled.set(one, own)
    const below = [...Object.values(one.properties ?? {}), one.items, one.additionalProperties]
    return below.map(child => (typeof child === 'object' ? gather(child) : false)).includes(true) || own.length > 0
  }
  if (!gather(schema)) return undefined

  function judge(value: unknown, one: Schema | undefined, old: unknown, field: string): FieldError[] {
    if (one === undefined || value === undefined || value === null) return []
    const own = (compiled.get(one) ?? []).flatMap(rule => broken(rule, one, value, old, field))
    if (Array.isArray(value)) {
      const before = correlated(one, value, old)
      return [...own, ...value.flatMap((item, at) => judge(item, one.items, before(at), `${field}[${at}]`))]
    }
    if (!isObject(value)) return own
    const below = Object.entries(value).flatMap(([key, item]) => {
      const path = field === '' ? key : `${field}.${key}`
      return judge(item, childSchema(one, key), isObject(old) ? old[key] : undefined, path)
    })
    return [...own, ...below]
  }
  return (object, old) => judge(object, schema, old, '')
}

// Items of a list have a past only where keys tell which is which.
function correlated(schema: Schema, value: unknown[], old: unknown): (at: number) => unknown {
  const keys = schema['x-kubernetes-list-map-keys'] ?? []
  if (schema['x-kubernetes-list-type'] !== 'map' || !Array.isArray(old)) return () => undefined
  const keyOf = (item: unknown) => JSON.stringify(keys.map(key => (isObject(item) ? item[key] : undefined)))
  return at => old.find(item => keyOf(item) === keyOf(value[at]))
}

function broken(rule: CompiledRule, schema: Schema, value: unknown, old: unknown, field: string): FieldError[] {
  const { program, text, optionalOldSelf } = rule
  const speaksOfChange = program.reads('oldSelf')
  if (speaksOfChange && old === undefined && optionalOldSelf !== true) return []
  if (!speaksOfChange && old !== undefined && JSON.stringify(old) === JSON.stringify(value)) return []
  const context = { self: typed(value, schema), oldSelf: typed(old, schema) }
  const at = `${field}${rule.fieldPath ?? ''}` || '<nil>'
  const kind = schema.type ?? ''
  try {
    if (program.run(context) === true) return []
  } catch (error) {
    return [{ type: 'Invalid', field: at, value: kind, detail: `rule evaluation error: ${(error as Error).message}` }]
  }
  const type = TYPES[rule.reason ?? 'FieldValueInvalid']
  return [
    {
      type,
      field: at,
      value: kind,
      detail: told(text, context) || rule.message?.trim() || `failed rule: ${rule.rule.trim()}`,
    },
  ]
}

function told(text: Program | undefined, context: Readonly<Record<string, unknown>>): string {
  try {
    const said = text?.run(context)
    return typeof said === 'string' && !said.includes('\n') ? said.trim() : ''
  } catch {
    return ''
  }
}

/** A value as CEL takes it under its schema: a number of type `number` is a double, a `date-time` an instant. */
function typed(value: unknown, schema: Schema | undefined): unknown {
  if (schema?.type === 'number' && typeof value === 'number') return value
  if (schema?.type === 'string' && schema.format === 'date-time' && typeof value === 'string') return new Date(value)
  if (Array.isArray(value)) return value.map(item => typed(item, schema?.items))
  if (!isObject(value) || schema === undefined) return toCel(value)
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== undefined)
      .map(([key, item]) => [key, typed(item, childSchema(schema, key))]),
  )
}
