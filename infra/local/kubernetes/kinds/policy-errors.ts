// How a kube-apiserver judges a ValidatingAdmissionPolicy and its binding before it stores them: what must be there, the values
// it knows, and that every expression compiles to the right type. Costs of expressions are not estimated.
import type { Environment } from '@marcbachmann/cel-js'
import type { FieldError } from '../errors.ts'
import { CompileError, compile } from '../policies/cel.ts'
import type { MatchResources, ResourceRule } from '../policies/match.ts'
import { environmentOf, type PolicySpec, type Validation } from '../policies/policy.ts'
import type { KubeObject } from './metadata.ts'
import { qualifiedErrors, subdomainErrors } from './names.ts'

const required = (field: string, detail?: string): FieldError => ({
  type: 'Required',
  field,
  ...(detail !== undefined && { detail }),
})
const wrong = (field: string, value: unknown, detail: string): FieldError => ({ type: 'Invalid', field, value, detail })
const among = (field: string, value: unknown, ...known: string[]): FieldError[] => {
  const detail = `supported values: ${known.map(one => JSON.stringify(one)).join(', ')}`
  return known.includes(value as string) ? [] : [{ type: 'NotSupported', field, value, detail }]
}

const IDENTIFIER = /^[_a-zA-Z][_a-zA-Z0-9]*$/
/** What an expression yields; one that does not compile is told of elsewhere. */
const typeOf = (environment: Environment, expression: string) => environment.check(expression).type ?? 'dyn'

/** Field errors of a ValidatingAdmissionPolicy. */
export function policyErrors(policy: KubeObject): FieldError[] {
  const spec = policy.spec as PolicySpec
  const { paramKind, matchConstraints, matchConditions, validations = [], auditAnnotations = [], variables = [] } = spec
  const errors = among('spec.failurePolicy', spec.failurePolicy, 'Fail', 'Ignore')
  if (paramKind !== undefined) {
    const { apiVersion, kind } = paramKind
    if (!apiVersion) errors.push(required('spec.paramKind.apiVersion'))
    else if (apiVersion.split('/').length > 2)
      errors.push(wrong('spec.paramKind.apiVersion', apiVersion, `unexpected GroupVersion string: ${apiVersion}`))
    if (!kind) errors.push(required('spec.paramKind.kind'))
  }
  if (matchConstraints === undefined) errors.push(required('spec.matchConstraints'))
  else {
    errors.push(...resourcesErrors(matchConstraints, 'spec.matchConstraints'))
    if ((matchConstraints.resourceRules ?? []).length === 0)
      errors.push(required('spec.matchConstraints.resourceRules'))
  }
  errors.push(...conditionErrors(matchConditions ?? [], environmentOf(spec)))
  const types: Record<string, string> = {}
  for (const [at, { name, expression }] of variables.entries()) {
    const path = `spec.variables[${at}]`
    if (name.trim() === '') errors.push(required(`${path}.name`, 'name is not specified'))
    else if (!IDENTIFIER.test(name)) errors.push(wrong(`${path}.name`, name, 'must be a valid CEL identifier'))
    errors.push(...expressionErrors(environmentOf(spec, types), `${path}.expression`, expression))
    if (IDENTIFIER.test(name)) types[name] = typeOf(environmentOf(spec, types), expression)
  }
  const environment = environmentOf(spec, types)
  if (validations.length + auditAnnotations.length === 0) {
    for (const field of ['spec.validations', 'spec.auditAnnotations'])
      errors.push(required(field, 'validations or auditAnnotations must contain at least one item'))
  }
  for (const [at, one] of validations.entries())
    errors.push(...validationErrors(one, `spec.validations[${at}]`, environment))
  for (const [at, { key, valueExpression }] of auditAnnotations.entries()) {
    const path = `spec.auditAnnotations[${at}]`
    if (key === '') errors.push(required(`${path}.key`))
    errors.push(...expressionErrors(environment, `${path}.valueExpression`, valueExpression))
  }
  return errors
}

function expressionErrors(
  environment: Environment,
  field: string,
  expression: string,
  wanted?: 'bool' | 'string',
): FieldError[] {
  if (expression.trim() === '') return [required(field, 'expression is not specified')]
  try {
    compile(environment, expression, wanted)
    return []
  } catch (error) {
    if (!(error instanceof CompileError)) throw error
    return [wrong(field, expression, error.message)]
  }
}

function conditionErrors(conditions: { name: string; expression: string }[], environment: Environment): FieldError[] {
  const names = new Set<string>()
  return conditions.flatMap(({ name, expression }, at) => {
    const path = `spec.matchConditions[${at}]`
    const errors =
      expression.trim() === ''
        ? [required(`${path}.expression`)]
        : expressionErrors(environment, `${path}.expression`, expression, 'bool')
    if (name === '') errors.push(required(`${path}.name`))
    else for (const detail of qualifiedErrors(name)) errors.push(wrong(`${path}.name`, name, detail))
    if (names.has(name)) errors.push({ type: 'Duplicate', field: `${path}.name`, value: name })
    names.add(name)
    return errors
  })
}

function validationErrors(validation: Validation, path: string, environment: Environment): FieldError[] {
  const { expression, message, messageExpression, reason } = validation
  const errors = expressionErrors(environment, `${path}.expression`, expression, 'bool')
  if (messageExpression !== undefined)
    errors.push(...expressionErrors(environment, `${path}.messageExpression`, messageExpression, 'string'))
  if (message !== undefined && message.trim() === '')
    errors.push(wrong(`${path}.message`, message, 'must be non-empty if specified'))
  else if (message?.trim().includes('\n'))
    errors.push(wrong(`${path}.message`, message, 'must not contain line breaks'))
  if (reason !== undefined)
    errors.push(...among(`${path}.reason`, reason, 'Forbidden', 'Invalid', 'RequestEntityTooLarge'))
  return errors
}

function resourcesErrors({ matchPolicy, ...rules }: MatchResources, path: string): FieldError[] {
  return [
    ...among(`${path}.matchPolicy`, matchPolicy, 'Equivalent', 'Exact'),
    ...(['resourceRules', 'excludeResourceRules'] as const).flatMap(key =>
      (rules[key] ?? []).flatMap((rule, at) => ruleErrors(rule, `${path}.${key}[${at}]`)),
    ),
  ]
}

function ruleErrors(rule: ResourceRule, path: string): FieldError[] {
  const { operations = [], resources = [], scope } = rule
  const errors = operations.flatMap((operation, at) =>
    among(`${path}.operations[${at}]`, operation, '*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE'),
  )
  for (const key of ['operations', 'apiGroups', 'apiVersions', 'resources'] as const) {
    const values = rule[key] ?? []
    if (values.length === 0) errors.push(required(`${path}.${key}`))
    else if (key !== 'resources' && values.length > 1 && values.includes('*'))
      errors.push(wrong(`${path}.${key}`, values, `if '*' is present, must not specify other ${WORDS[key]}`))
  }
  for (const [at, resource] of resources.entries())
    if (resource === '') errors.push(required(`${path}.resources[${at}]`))
  const list = `${path}.resources`
  if (resources.length > 1 && resources.includes('*/*'))
    errors.push(wrong(list, resources, "if '*/*' is present, must not specify other resources"))
  if (resources.includes('*') && resources.some(one => one !== '*' && !one.includes('/')))
    errors.push(wrong(list, resources, "if '*' is present, must not specify other resources without subresources"))
  return [...errors, ...(scope === undefined ? [] : among(`${path}.scope`, scope, '*', 'Cluster', 'Namespaced'))]
}

const WORDS = { operations: 'operations', apiGroups: 'API groups', apiVersions: 'API versions' } as const

/** Field errors of a ValidatingAdmissionPolicyBinding. */
export function bindingErrors(binding: KubeObject): FieldError[] {
  const spec = binding.spec as {
    policyName?: string
    paramRef?: { name?: string; selector?: object; parameterNotFoundAction?: string }
    matchResources?: MatchResources
    validationActions?: string[]
  }
  const { policyName = '', paramRef, matchResources, validationActions: actions = [] } = spec
  const errors =
    policyName === ''
      ? [required('spec.policyName')]
      : subdomainErrors(policyName).map(detail => wrong('spec.policyName', policyName, detail))
  if (paramRef !== undefined) {
    const { name, selector, parameterNotFoundAction: action } = paramRef
    const path = 'spec.paramRef'
    if (!name && selector === undefined) errors.push(required(path, 'one of name or selector must be specified'))
    if (name && selector !== undefined) {
      const detail = 'name and selector are mutually exclusive'
      for (const key of ['name', 'selector']) errors.push({ type: 'Forbidden', field: `${path}.${key}`, detail })
    }
    const field = `${path}.parameterNotFoundAction`
    errors.push(...(action === undefined ? [required(field)] : among(field, action, 'Deny', 'Allow')))
  }
  if (matchResources !== undefined) errors.push(...resourcesErrors(matchResources, 'spec.matchResources'))
  const path = 'spec.validationActions'
  if (actions.length === 0) errors.push(required(path, 'at least one validation action is required'))
  for (const [at, action] of actions.entries()) {
    errors.push(...among(`${path}[${at}]`, action, 'Audit', 'Deny', 'Warn'))
    if (actions.indexOf(action) < at) errors.push({ type: 'Duplicate', field: `${path}[${at}]`, value: action })
  }
  if (actions.includes('Deny') && actions.includes('Warn'))
    errors.push(
      wrong(
        path,
        actions,
        'must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)',
      ),
    )
  return errors
}
