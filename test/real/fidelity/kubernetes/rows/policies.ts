// ValidatingAdmissionPolicies and their bindings as objects, and rules in CEL of definitions: what is stored, and what is refused.

import { definition } from '../definition.ts'
import { JSON_PATCH, MERGE, type Row, TABLE } from '../row.ts'

const RULE = { apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'], operations: ['CREATE'] }
const VALID = { matchConstraints: { resourceRules: [RULE] }, validations: [{ expression: 'true' }] }
const policy = (spec: object, name = '{ns}-a'): object => ({
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'ValidatingAdmissionPolicy',
  metadata: { name },
  spec: { ...VALID, ...spec },
})
const binding = (spec: object, name = '{ns}-a'): object => ({
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'ValidatingAdmissionPolicyBinding',
  metadata: { name },
  spec: { policyName: '{ns}-a', validationActions: ['Deny'], ...spec },
})
const aPolicy = (what: string, spec: object): Row => ({
  title: `a policy with ${what}`,
  send: 'POST {policies}?dryRun=All',
  body: policy(spec),
})
const aBinding = (what: string, spec: object): Row => ({
  title: `a binding with ${what}`,
  send: 'POST {bindings}?dryRun=All',
  body: binding(spec),
})
const rules = (rule: object) => ({ matchConstraints: { resourceRules: [{ ...RULE, ...rule }] } })
const asks = (expression: string) => ({ validations: [{ expression }] })
const withRule = (rule: object) =>
  definition('Ruled', {
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: { spec: { type: 'object', maxProperties: 9, 'x-kubernetes-validations': [rule] } },
          },
        },
      },
    ],
  })
const aRule = (what: string, rule: object): Row => ({
  title: `a definition whose rule ${what}`,
  send: 'POST {crds}?dryRun=All',
  body: withRule(rule),
})

/** Policies, bindings and rules; what they make is taken away at their end. */
export const POLICIES: readonly Row[] = [
  { title: 'a policy is created', send: 'POST {policies}', body: policy({}) },
  { title: 'a policy is created again', send: 'POST {policies}', body: policy({}) },
  { title: 'a policy is read', send: 'GET {policies}/{ns}-a' },
  { title: 'a policy as a table', send: 'GET {policies}/{ns}-a', headers: TABLE },
  {
    title: 'a policy is annotated',
    send: 'PATCH {policies}/{ns}-a',
    body: { metadata: { labels: { a: 'b' } } },
    headers: MERGE,
  },
  {
    title: 'a policy is changed',
    send: 'PATCH {policies}/{ns}-a',
    body: { spec: { validations: [{ expression: 'object != null', reason: 'Forbidden' }] } },
    headers: MERGE,
  },
  {
    title: 'a policy is changed into one that does not compile',
    send: 'PATCH {policies}/{ns}-a',
    body: [{ op: 'replace', path: '/spec/validations/0/expression', value: 'nothing == 1' }],
    headers: JSON_PATCH,
  },
  { title: 'a policy without resourceVersion is put', send: 'PUT {policies}/{ns}-a', body: policy({}) },
  { title: 'a policy that is not there is put', send: 'PUT {policies}/{ns}-b', body: policy({}, '{ns}-b') },
  { title: 'the status of a policy', send: 'GET {policies}/{ns}-a/status' },
  { title: 'a binding is created', send: 'POST {bindings}', body: binding({}) },
  { title: 'a binding is read', send: 'GET {bindings}/{ns}-a' },
  { title: 'a binding as a table', send: 'GET {bindings}/{ns}-a', headers: TABLE },
  { title: 'the status of a binding', send: 'GET {bindings}/{ns}-a/status' },
  { title: 'a binding is deleted', send: 'DELETE {bindings}/{ns}-a' },
  { title: 'a policy is deleted', send: 'DELETE {policies}/{ns}-a' },
  { title: 'a policy that is gone', send: 'GET {policies}/{ns}-a' },

  aPolicy('a message, a reason and a condition', {
    matchConditions: [{ name: 'a', expression: "request.operation == 'CREATE'" }],
    validations: [{ expression: 'object.metadata.name.size() > 1', message: 'longer', reason: 'Forbidden' }],
  }),
  aPolicy('selectors', {
    matchConstraints: {
      resourceRules: [RULE],
      namespaceSelector: { matchLabels: { a: 'b' } },
      objectSelector: { matchExpressions: [{ key: 'a', operator: 'In', values: ['b'] }] },
      matchPolicy: 'Exact',
    },
  }),
  aPolicy('a syntax error', asks('1 +')),
  aPolicy('a name that nobody declared', asks('nothing == 1')),
  aPolicy('such a name in its second line', asks('true &&\n  nothing == 1')),
  aPolicy('a field that a request lacks', asks('request.nothing == 1')),
  aPolicy('a parameter that it has none of', asks('params.size == 1')),
  aPolicy('an expression that is a text', asks('request.operation')),
  aPolicy('an expression that is a list', asks('[1]')),
  aPolicy('an expression of which nothing is known', asks('object.spec.on')),
  aPolicy('a message that is a number', { validations: [{ expression: 'true', messageExpression: '1' }] }),
  aPolicy('a message of which nothing is known', {
    validations: [{ expression: 'true', messageExpression: 'object.metadata.name' }],
  }),
  aPolicy('an empty expression', asks(' ')),
  aPolicy('nothing to validate', { validations: [] }),
  aPolicy('an unknown reason', { validations: [{ expression: 'true', reason: 'Nope' }] }),
  aPolicy('a reason that it may not give', { validations: [{ expression: 'true', reason: 'Unauthorized' }] }),
  aPolicy('an unknown failurePolicy', { failurePolicy: 'Maybe' }),
  aPolicy('an empty failurePolicy', { failurePolicy: '' }),
  aPolicy('no rules', { matchConstraints: {} }),
  aPolicy('no constraints', { matchConstraints: null }),
  aPolicy('an unknown operation', rules({ operations: ['READ'] })),
  aPolicy('a rule of nothing', { matchConstraints: { resourceRules: [{}] } }),
  aPolicy('an unknown scope', rules({ scope: 'Galaxy' })),
  aPolicy('all operations and one', rules({ operations: ['*', 'CREATE'] })),
  aPolicy('all groups and one', rules({ apiGroups: ['*', ''] })),
  aPolicy('all versions and one', rules({ apiVersions: ['*', 'v1'] })),
  aPolicy('all resources and one', rules({ resources: ['*', 'pods'] })),
  aPolicy('all resources with all subresources, and one', rules({ resources: ['*/*', 'pods'] })),
  aPolicy('a resource without a name', rules({ resources: [''] })),
  aPolicy('a rule for an excluded name', {
    matchConstraints: { resourceRules: [RULE], excludeResourceRules: [{ ...RULE, resourceNames: ['a'] }] },
  }),
  aPolicy('an unknown matchPolicy', { matchConstraints: { resourceRules: [RULE], matchPolicy: 'Nearly' } }),
  aPolicy('a condition without a name', { matchConditions: [{ name: '', expression: 'true' }] }),
  aPolicy('a condition with a bad name', { matchConditions: [{ name: 'a b', expression: 'true' }] }),
  aPolicy('a condition without an expression', { matchConditions: [{ name: 'a', expression: '' }] }),
  aPolicy('a condition that is no truth', { matchConditions: [{ name: 'a', expression: '1' }] }),
  aPolicy('two conditions of one name', {
    matchConditions: [
      { name: 'a', expression: 'true' },
      { name: 'a', expression: 'true' },
    ],
  }),
  aPolicy('a variable without a name', { variables: [{ name: '', expression: '1' }] }),
  aPolicy('a variable whose name is none', { variables: [{ name: 'b-c', expression: '1' }] }),
  aPolicy('a variable without an expression', { variables: [{ name: 'a', expression: '' }] }),
  aPolicy('a variable that does not compile', { variables: [{ name: 'a', expression: 'nothing' }] }),
  aPolicy('a variable that it reads', {
    variables: [{ name: 'a', expression: '1 + 1' }],
    ...asks('variables.a == 2'),
  }),
  aPolicy('a parameter', { paramKind: { apiVersion: 'v1', kind: 'ConfigMap' }, ...asks("params.data['a'] == 'b'") }),
  aPolicy('a paramKind that is none', { paramKind: { apiVersion: 'a/b/c', kind: '' } }),
  aPolicy('an empty message', { validations: [{ expression: 'true', message: '  ' }] }),
  aPolicy('a message of two lines', { validations: [{ expression: 'true', message: 'a\nb' }] }),
  aPolicy('a field that nobody knows', { nothing: 1 }),
  aPolicy('a text for a list', { validations: 'x' }),
  aPolicy('an audit annotation', { auditAnnotations: [{ key: 'a', valueExpression: "'b'" }] }),

  aBinding('everything of matchResources', { matchResources: {} }),
  aBinding('rules', { matchResources: { resourceRules: [{ ...RULE, operations: ['*'] }] } }),
  aBinding('no policy', { policyName: null }),
  aBinding('a policy whose name is none', { policyName: 'A_b' }),
  aBinding('no actions', { validationActions: null }),
  aBinding('an unknown action', { validationActions: ['Maybe', 'Deny', 'Deny'] }),
  aBinding('Deny and Warn', { validationActions: ['Deny', 'Warn'] }),
  aBinding('a parameter of no name', { paramRef: {} }),
  aBinding('a parameter by name and selector', {
    paramRef: { name: 'a', selector: {}, parameterNotFoundAction: 'Perhaps' },
  }),
  aBinding('a parameter by selector', {
    paramRef: { selector: { matchLabels: { a: 'b' } }, parameterNotFoundAction: 'Deny' },
  }),

  aRule('has a syntax error', { rule: '1 +' }),
  aRule('names what nobody declared', { rule: 'nothing == 1' }),
  aRule('is a number', { rule: '1' }),
  aRule('is empty', { rule: '' }),
  aRule('has a message of two lines', { rule: 'true', message: 'a\nb' }),
  aRule('has a message that is a number', { rule: 'true', messageExpression: '1' }),
]
