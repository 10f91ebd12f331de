// A ValidatingAdmissionPolicy compiled, and what it says of one write under one parameter. Expressions see `object`, `oldObject`,
// `request`, `namespaceObject`, `variables` and, with a paramKind, `params`; there is no `authorizer`.
import { Environment } from '@marcbachmann/cel-js'
import type { KubeObject } from '../kinds/metadata.ts'
import { compile, type Program } from './cel.ts'
import type { MatchResources } from './match.ts'

/** The parts of a policy's spec that judging needs. */
export interface PolicySpec {
  failurePolicy?: 'Fail' | 'Ignore'
  paramKind?: { apiVersion: string; kind: string }
  matchConstraints?: MatchResources
  matchConditions?: { name: string; expression: string }[]
  variables?: { name: string; expression: string }[]
  validations?: Validation[]
  auditAnnotations?: { key: string; valueExpression: string }[]
}

/** One thing that a policy asks of a write. */
export interface Validation {
  expression: string
  message?: string
  messageExpression?: string
  reason?: string
}

/** A refusal: why, and the reason its status carries. */
export interface Denial {
  readonly message: string
  readonly reason: string
}

/** A policy ready to judge. */
export interface Policy {
  readonly spec: PolicySpec
  /** The first refusal of a write; undefined when there is none. */
  judge(context: Readonly<Record<string, unknown>>): Denial | undefined
}

const KIND = { group: 'string', version: 'string', kind: 'string' }
const RESOURCE = { group: 'string', version: 'string', resource: 'string' }
const REQUEST = {
  kind: KIND,
  resource: RESOURCE,
  subResource: 'string',
  requestKind: KIND,
  requestResource: RESOURCE,
  requestSubResource: 'string',
  name: 'string',
  namespace: 'string',
  operation: 'string',
  userInfo: { username: 'string', uid: 'string', groups: 'list<string>', extra: 'map<string, list<string>>' },
  dryRun: 'bool',
  options: 'dyn',
}
const MOST_MESSAGE_BYTES = 5 * 1024

/** What a policy's expressions may name. `variables` are those computed before, with their types; undefined: there are none yet. */
export function environmentOf(spec: PolicySpec, variables?: Readonly<Record<string, string>>): Environment {
  const environment = new Environment({ enableOptionalTypes: true })
  for (const name of ['object', 'oldObject', 'namespaceObject']) environment.registerVariable(name, 'dyn')
  environment.registerVariable({ name: 'request', schema: REQUEST })
  if (spec.paramKind !== undefined) environment.registerVariable('params', 'dyn')
  if (variables !== undefined) environment.registerVariable({ name: 'variables', schema: { ...variables } })
  return environment
}

/**
 * Compiles a stored policy.
 * @throws CompileError – never for one that was found valid
 */
export function compilePolicy(policy: KubeObject): Policy {
  const spec = policy.spec as PolicySpec
  const conditions = (spec.matchConditions ?? []).map(({ expression }) =>
    compile(environmentOf(spec), expression, 'bool'),
  )
  const types: Record<string, string> = {}
  const variables = (spec.variables ?? []).map(({ name, expression }) => {
    const program = compile(environmentOf(spec, types), expression)
    types[name] = program.type
    return [name, program] as const
  })
  const environment = environmentOf(spec, types)
  const validations = (spec.validations ?? []).map(validation => ({
    ...validation,
    program: compile(environment, validation.expression, 'bool'),
    text: validation.messageExpression ? compile(environment, validation.messageExpression, 'string') : undefined,
  }))
  const failed = ({ message }: Error): Denial | undefined =>
    spec.failurePolicy === 'Ignore' ? undefined : { message, reason: 'Invalid' }

  function judge(given: Readonly<Record<string, unknown>>): Denial | undefined {
    const context = { ...given, variables: computed(variables, given) }
    const matching = attempts(conditions, context)
    if (matching.some(({ value }) => value === false)) return undefined
    const [broken] = matching.flatMap(({ error }) => error ?? [])
    if (broken !== undefined) return failed(broken)
    for (const { program, text, message, reason = 'Invalid' } of validations) {
      const [{ value, error } = {}] = attempts([program], context)
      const denial =
        error !== undefined
          ? failed(error)
          : value === true
            ? undefined
            : {
                reason,
                message: told(text, context) || message?.trim() || `failed expression: ${program.expression.trim()}`,
              }
      if (denial !== undefined) return denial
    }
    return undefined
  }
  return { spec, judge }
}

interface Attempt {
  readonly value?: unknown
  readonly error?: Error
}

const attempts = (programs: readonly Program[], context: Readonly<Record<string, unknown>>): Attempt[] =>
  programs.map(program => {
    try {
      return { value: program.run(context) }
    } catch (error) {
      return { error: error as Error }
    }
  })

// Computed when first read, each from those before it, so that one that fails hurts only who reads it.
function computed(
  variables: readonly (readonly [string, Program])[],
  given: Readonly<Record<string, unknown>>,
): object {
  const values = {}
  for (const [name, program] of variables) {
    const get = () => {
      const value = program.run({ ...given, variables: values })
      Object.defineProperty(values, name, { value, enumerable: true })
      return value
    }
    Object.defineProperty(values, name, { get, enumerable: true, configurable: true })
  }
  return values
}

// A message that fails, is empty, too long or of several lines is none.
function told(text: Program | undefined, context: Readonly<Record<string, unknown>>): string {
  const [{ value } = {}] = text === undefined ? [] : attempts([text], context)
  const said = typeof value === 'string' ? value.trim() : ''
  return said.includes('\n') || Buffer.byteLength(said) > MOST_MESSAGE_BYTES ? '' : said
}
