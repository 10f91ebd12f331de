// The policies and the Fence's rules as the manifests have them: the very CEL text of infra/kubernetes/fence, evaluated.

import { readFileSync } from 'node:fs'
import { parse } from '@marcbachmann/cel-js'
import { load, loadAll } from 'js-yaml'
import type { Stored } from './store.ts'

const FOLDER = 'infra/kubernetes/fence'

interface Rule {
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
  readonly operations: readonly string[]
}
interface PolicyManifest {
  readonly kind: string
  readonly metadata: { readonly name: string }
  readonly spec: {
    readonly matchConstraints: { readonly resourceRules: readonly Rule[] }
    readonly matchConditions?: readonly { readonly expression: string }[]
    readonly variables?: readonly { readonly name: string; readonly expression: string }[]
    readonly validations: readonly {
      readonly expression: string
      readonly message?: string
      readonly messageExpression?: string
    }[]
  }
}
interface DefinitionManifest {
  readonly spec: { readonly versions: readonly { readonly schema: { readonly openAPIV3Schema: Schema } }[] }
}
interface Schema {
  readonly properties: { readonly spec: { readonly 'x-kubernetes-validations': readonly SchemaRule[] } }
  readonly 'x-kubernetes-validations': readonly SchemaRule[]
}
interface SchemaRule {
  readonly rule: string
  readonly message: string
}

/** What a policy sees of a write. */
export interface Judged {
  /** The group and the resource, with its subresource. */
  readonly group: string
  readonly resource: string
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE'
  readonly user: string
  readonly extra: Readonly<Record<string, readonly string[]>>
  /** Of a delete. */
  readonly preconditions: Readonly<Record<string, string>> | undefined
}

type Context = Record<string, unknown>
type Policy = (judged: Judged, fence: Stored | undefined) => string | undefined

/** The policies by name; each gives the message of its refusal, or undefined. `fence` is the parameter. */
export const POLICIES = {
  form: policy('fencepost-fence-form'),
  token: policy('fencepost-fence-token'),
}

function policy(name: string): Policy {
  const manifests = loadAll(readFileSync(`${FOLDER}/policies.yaml`, 'utf8')) as PolicyManifest[]
  const found = manifests.find(({ kind, metadata }) => kind === 'ValidatingAdmissionPolicy' && metadata.name === name)
  if (!found) throw new Error(`${FOLDER}/policies.yaml has no policy ${name}`)
  const { matchConstraints, matchConditions = [], variables = [], validations } = found.spec
  const conditions = matchConditions.map(({ expression }) => parse(expression))
  const values = variables.map(({ name, expression }) => [name, parse(expression)] as const)
  const checks = validations.map(({ expression, message, messageExpression }) => ({
    passes: parse(expression),
    told: messageExpression === undefined ? () => message : parse(messageExpression),
  }))
  const covers = ({ group, resource, operation }: Judged) =>
    matchConstraints.resourceRules.some(
      rule =>
        rule.apiGroups.includes(group) && rule.resources.includes(resource) && rule.operations.includes(operation),
    )

  return (judged, fence) => {
    if (!covers(judged)) return undefined
    const context: Context & { variables: Context } = {
      request: requestOf(judged),
      params: asCel(fence),
      variables: {},
    }
    if (!conditions.every(condition => condition(context))) return undefined
    for (const [name, value] of values) context.variables[name] = value(context)
    const failed = checks.find(({ passes }) => !passes(context))
    return failed && String(failed.told(context))
  }
}

function requestOf({ operation, user, extra, preconditions }: Judged): Context {
  return {
    operation,
    userInfo: { username: user, ...(Object.keys(extra).length > 0 && { extra }) },
    options: { ...(preconditions && { preconditions }) },
  }
}

const definition = load(readFileSync(`${FOLDER}/definition.yaml`, 'utf8')) as DefinitionManifest
const schema = definition.spec.versions[0]?.schema.openAPIV3Schema as Schema
const onObject = schema['x-kubernetes-validations'].map(compiled)
const onSpec = schema.properties.spec['x-kubernetes-validations'].map(compiled)

function compiled({ rule, message }: SchemaRule) {
  return { passes: parse(rule), message }
}

/** The message of the first of the definition's rules that a changed Fence breaks, or undefined. */
export function brokenRule(before: Stored, after: { readonly [field: string]: unknown }): string | undefined {
  const whole = asCel({ self: without(after), oldSelf: without(before) }) as Context
  const broken = onObject.find(({ passes }) => !passes(whole))
  if (broken || !before.spec || !after.spec) return broken?.message
  const specs = asCel({ self: after.spec, oldSelf: before.spec }) as Context
  return onSpec.find(({ passes }) => !passes(specs))?.message
}

/** A field that is undefined is not there. */
function without({ spec }: { readonly [field: string]: unknown }): object {
  return spec === undefined ? {} : { spec }
}

/** Whole numbers are ints in CEL. */
function asCel(value: unknown): unknown {
  if (typeof value === 'number') return BigInt(value)
  if (Array.isArray(value)) return value.map(asCel)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, asCel(part)]))
}
