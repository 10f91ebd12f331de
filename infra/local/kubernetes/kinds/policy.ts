// admissionregistration.k8s.io/v1 ValidatingAdmissionPolicy and its binding, as objects. What they do to writes is in ../policies.
// A policy's status stays empty: upstream a controller fills it, and none runs here.
import type { JsonObject } from '../errors.ts'
import { decodeNative, type Shape } from '../schema/native.ts'
import { AGE, NAME } from './columns.ts'
import { isSame } from './custom.ts'
import { defineKind } from './kind.ts'
import { type KubeObject, OBJECT_META } from './metadata.ts'
import { bindingErrors, policyErrors } from './policy-errors.ts'

const text: Shape = { go: 'string' }
const always: Shape = { go: 'string', always: '' }
const pointer: Shape = { go: 'string', keep: true }
const texts: Shape = { go: 'list', of: text }
const struct = (name: string, fields: Record<string, Shape>): Shape & { go: 'struct' } => ({
  go: 'struct',
  name,
  fields,
})
const list = (name: string, fields: Record<string, Shape>): Shape => ({ go: 'list', of: struct(name, fields) })
const head: Record<string, Shape> = {
  apiVersion: { go: 'drop' },
  kind: { go: 'drop' },
  metadata: { ...OBJECT_META, always: {} },
}

const SELECTOR = struct('LabelSelector', {
  matchLabels: { go: 'map', of: text },
  matchExpressions: list('LabelSelectorRequirement', { key: always, operator: always, values: texts }),
})
const RULES = list('NamedRuleWithOperations', {
  resourceNames: texts,
  operations: texts,
  apiGroups: texts,
  apiVersions: texts,
  resources: texts,
  scope: pointer,
})
const RESOURCES = struct('MatchResources', {
  namespaceSelector: SELECTOR,
  objectSelector: SELECTOR,
  resourceRules: RULES,
  excludeResourceRules: RULES,
  matchPolicy: pointer,
})
const NAMED = { name: always, expression: always }

const POLICY = struct('ValidatingAdmissionPolicy', {
  ...head,
  spec: {
    ...struct('ValidatingAdmissionPolicySpec', {
      paramKind: struct('ParamKind', { apiVersion: text, kind: text }),
      matchConstraints: RESOURCES,
      validations: list('Validation', { expression: always, message: text, reason: pointer, messageExpression: text }),
      failurePolicy: pointer,
      auditAnnotations: list('AuditAnnotation', { key: always, valueExpression: always }),
      matchConditions: list('MatchCondition', NAMED),
      variables: list('Variable', NAMED),
    }),
    always: {},
  },
  status: { go: 'any' },
})

const BINDING = struct('ValidatingAdmissionPolicyBinding', {
  ...head,
  spec: {
    ...struct('ValidatingAdmissionPolicyBindingSpec', {
      policyName: text,
      paramRef: struct('ParamRef', {
        name: text,
        namespace: text,
        selector: SELECTOR,
        parameterNotFoundAction: pointer,
      }),
      matchResources: RESOURCES,
      validationActions: texts,
    }),
    always: {},
  },
})

function fillInResources(resources: JsonObject | undefined): void {
  if (resources === undefined) return
  resources.namespaceSelector ??= {}
  resources.objectSelector ??= {}
  resources.matchPolicy ??= 'Equivalent'
  for (const rules of [resources.resourceRules, resources.excludeResourceRules])
    for (const rule of (rules ?? []) as JsonObject[]) rule.scope ??= '*'
}

const specOf = (object: JsonObject) => object.spec as JsonObject

function countChange(object: KubeObject, old: KubeObject): void {
  if (!isSame(object.spec, old.spec)) object.metadata.generation = (old.metadata.generation ?? 0) + 1
}

const paramKindOf = (object: KubeObject) => {
  const { paramKind } = specOf(object) as { paramKind?: { apiVersion: string; kind: string } }
  return paramKind === undefined ? '<unset>' : `${paramKind.apiVersion}/${paramKind.kind}`
}
const paramRefOf = (object: KubeObject) => {
  const { paramRef } = specOf(object) as { paramRef?: { namespace?: string; name?: string } }
  if (paramRef === undefined) return '<unset>'
  return paramRef.name === undefined ? '<selector>' : `${paramRef.namespace ?? '*'}/${paramRef.name}`
}

const common = {
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  categories: ['api-extensions'],
  namespaced: false,
  countsGenerations: true,
}

/** ValidatingAdmissionPolicies. */
export const POLICIES = defineKind({
  ...common,
  kind: 'ValidatingAdmissionPolicy',
  plural: 'validatingadmissionpolicies',
  hasStatus: true,
  columns: [
    NAME,
    {
      name: 'Validations',
      type: 'integer',
      cell: object => ((specOf(object).validations ?? []) as unknown[]).length,
    },
    { name: 'ParamKind', type: 'string', cell: paramKindOf },
    AGE,
  ],
  decode: body => {
    const decoded = decodeNative(body, POLICY)
    const spec = specOf(decoded.object)
    spec.failurePolicy ??= 'Fail'
    fillInResources(spec.matchConstraints as JsonObject | undefined)
    return decoded
  },
  prepareCreate: object => {
    object.status = {}
  },
  prepareUpdate: (object, old, part) => {
    if (part === 'status') Object.assign(object, { metadata: old.metadata, spec: old.spec })
    else {
      object.status = old.status
      countChange(object, old)
    }
  },
  validate: policyErrors,
  validateUpdate: policyErrors,
})

/** Bindings of ValidatingAdmissionPolicies. */
export const BINDINGS = defineKind({
  ...common,
  kind: 'ValidatingAdmissionPolicyBinding',
  plural: 'validatingadmissionpolicybindings',
  columns: [
    NAME,
    { name: 'PolicyName', type: 'string', cell: object => specOf(object).policyName },
    { name: 'ParamRef', type: 'string', cell: paramRefOf },
    AGE,
  ],
  decode: body => {
    const decoded = decodeNative(body, BINDING)
    fillInResources(specOf(decoded.object).matchResources as JsonObject | undefined)
    return decoded
  },
  prepareUpdate: countChange,
  validate: bindingErrors,
  validateUpdate: bindingErrors,
})
