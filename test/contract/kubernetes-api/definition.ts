// The custom kind that the contract is told by.

/** The kind of a suite: Widget of its own group, with most of what a schema can say. */
// biome-ignore lint/suspicious/noExplicitAny: a CustomResourceDefinition is looked into by the tests
export const definition = (group: string): any => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `widgets.${group}` },
  spec: {
    group,
    scope: 'Namespaced',
    names: { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList', shortNames: ['wd'] },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: { status: {} },
        selectableFields: [{ jsonPath: '.spec.color' }],
        additionalPrinterColumns: [
          { name: 'Size', type: 'integer', jsonPath: '.spec.size' },
          { name: 'State', type: 'string', jsonPath: '.status.state' },
          { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
        ],
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: {
                type: 'object',
                required: ['size'],
                properties: {
                  size: { type: 'integer', minimum: 1, maximum: 10 },
                  color: { type: 'string', pattern: '^[a-z]+$' },
                  shade: { type: 'string', enum: ['plain', 'dark'], default: 'plain' },
                  code: { type: 'string', minLength: 2, maxLength: 4 },
                  note: { type: 'string', nullable: true },
                  at: { type: 'string', format: 'date-time' },
                  parts: { type: 'array', minItems: 1, maxItems: 2, items: { type: 'string' } },
                  counts: { type: 'object', additionalProperties: { type: 'integer' } },
                  port: { 'x-kubernetes-int-or-string': true },
                  open: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
                  rules: {
                    type: 'array',
                    'x-kubernetes-list-type': 'map',
                    'x-kubernetes-list-map-keys': ['key'],
                    items: { type: 'object', required: ['key'], properties: { key: { type: 'string' } } },
                  },
                },
              },
              status: { type: 'object', properties: { state: { type: 'string' } } },
            },
          },
        },
      },
    ],
  },
})
