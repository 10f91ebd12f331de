// The custom kinds of the comparison: Widget with most of what a schema can say, in two versions, and Gadget without a
// namespace and without a status subresource.

const status = { type: 'object', properties: { state: { type: 'string' }, count: { type: 'integer' } } }

const SPEC = {
  type: 'object',
  required: ['size'],
  properties: {
    size: { type: 'integer', minimum: 1, maximum: 10 },
    ratio: { type: 'number', exclusiveMinimum: true, minimum: 0, multipleOf: 0.5 },
    color: { type: 'string', pattern: '^[a-z]+$' },
    shade: { type: 'string', enum: ['plain', 'dark'], default: 'plain' },
    code: { type: 'string', minLength: 2, maxLength: 4 },
    note: { type: 'string', nullable: true },
    at: { type: 'string', format: 'date-time' },
    id: { type: 'string', format: 'uuid' },
    parts: { type: 'array', minItems: 1, maxItems: 2, items: { type: 'string' } },
    tags: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
    counts: { type: 'object', additionalProperties: { type: 'integer' }, maxProperties: 2 },
    port: { 'x-kubernetes-int-or-string': true },
    open: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    nested: { type: 'object', properties: { on: { type: 'boolean', default: true } } },
    rules: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['key'],
      items: { type: 'object', required: ['key'], properties: { key: { type: 'string' }, value: { type: 'string' } } },
    },
  },
}

const columns = [
  { name: 'Size', type: 'integer', jsonPath: '.spec.size' },
  { name: 'State', type: 'string', jsonPath: '.status.state', priority: 1 },
  { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
]

const schema = (description: string) => ({
  openAPIV3Schema: { type: 'object', description, required: ['spec'], properties: { spec: SPEC, status } },
})

// Versions of one and the same schema could not name selectable fields: kube-apiserver then takes the schema for absent.
const version = (name: string, more: object = {}) => ({
  name,
  served: true,
  storage: false,
  subresources: { status: {} },
  schema: schema(`a thing in ${name}`),
  ...more,
})

const names = (kind: string, shortNames: string[] = []) => {
  const plural = `${kind.toLowerCase()}s`
  return {
    plural,
    singular: kind.toLowerCase(),
    kind,
    listKind: `${kind}List`,
    ...(shortNames.length ? { shortNames } : {}),
  }
}

/** A definition of `kind`; `spec` replaces parts of its spec. */
export const definition = (kind: string, spec: object = {}, metadata: object = {}): object => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `${kind.toLowerCase()}s.{group}`, ...metadata },
  spec: {
    group: '{group}',
    scope: 'Namespaced',
    names: names(kind),
    versions: [version('v1', { storage: true })],
    ...spec,
  },
})

/** Widget. */
export const WIDGETS = definition('Widget', {
  names: { ...names('Widget', ['wd']), categories: ['things'] },
  versions: [
    version('v1', {
      storage: true,
      selectableFields: [{ jsonPath: '.spec.color' }],
      additionalPrinterColumns: columns,
    }),
    version('v2', { deprecated: true, deprecationWarning: 'v2 of Widget goes' }),
  ],
})

/** Gadget. */
export const GADGETS = definition('Gadget', {
  scope: 'Cluster',
  versions: [
    {
      name: 'v1',
      served: true,
      storage: true,
      schema: { openAPIV3Schema: { type: 'object', properties: { spec: SPEC } } },
    },
  ],
})
