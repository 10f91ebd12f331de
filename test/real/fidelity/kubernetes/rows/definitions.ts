// CustomResourceDefinitions and discovery.

import { definition, GADGETS, WIDGETS } from '../definition.ts'
import { MERGE, type Row, TABLE } from '../row.ts'

interface Named {
  readonly name: string
}
const byName = (names: readonly string[]) => (all: readonly Named[]) => all.filter(({ name }) => names.includes(name))
const refused = (what: string, spec: object, metadata: object = {}): Row => ({
  title: `a definition with ${what}`,
  send: 'POST {crds}',
  body: definition('Thing', spec, metadata),
})
const version = (schema: unknown) => ({
  name: 'v1',
  served: true,
  storage: true,
  ...(schema === undefined ? {} : { schema: { openAPIV3Schema: schema } }),
})

/** The two definitions that all else needs. */
export const DEFINED: readonly Row[] = [
  { title: 'a definition is created', send: 'POST {crds}', body: WIDGETS },
  { title: 'a definition of cluster scope is created', send: 'POST {crds}', body: GADGETS },
]

/** Further definitions. */
export const DEFINITIONS: readonly Row[] = [
  {
    title: 'a definition is established',
    send: 'GET {crds}/widgets.{group}',
    part: body => [body.spec, body.metadata, body.status],
  },
  { title: 'a definition is created again', send: 'POST {crds}', body: GADGETS },
  {
    title: 'a definition is changed',
    send: 'PATCH {crds}/gadgets.{group}',
    body: { metadata: { labels: { a: 'b' } } },
    headers: MERGE,
  },
  {
    title: 'a definition changes its scope',
    send: 'PATCH {crds}/gadgets.{group}',
    body: { spec: { scope: 'Namespaced' } },
    headers: MERGE,
  },
  refused('another name', {}, { name: 'others.{group}' }),
  refused('a scope that nobody knows', { scope: 'Universal' }),
  refused('no version that is stored', { versions: [{ ...version({ type: 'object' }), storage: false }] }),
  refused('a version without a schema', { versions: [version(undefined)] }),
  refused('a field without a type', { versions: [version({ type: 'object', properties: { a: {} } })] }),
  refused('a root that is no object', { versions: [version({ type: 'string' })] }),
  { title: 'a missing definition is read', send: 'GET {crds}/things.{group}' },
  { title: 'definitions as a table', send: 'GET {crds}/gadgets.{group}', headers: TABLE },
]

/** What clients ask first. */
export const DISCOVERY: readonly Row[] = [
  { title: 'the server is healthy', send: 'GET /healthz', headers: { accept: '*/*' } },
  { title: 'the server is ready', send: 'GET /readyz', headers: { accept: '*/*' } },
  { title: 'the server is alive', send: 'GET /livez', headers: { accept: '*/*' } },
  { title: 'the server tells its version', send: 'GET /version' },
  { title: 'versions of the core group', send: 'GET /api', part: ({ kind, versions }) => ({ kind, versions }) },
  {
    title: 'resources of the core group',
    send: 'GET /api/v1',
    part: body => byName(['secrets', 'configmaps', 'events', 'namespaces', 'namespaces/status'])(body.resources),
  },
  { title: 'the list itself of the core group', send: 'GET /api/v1', part: ({ resources: _, ...body }) => body },
  {
    title: 'groups',
    send: 'GET /apis',
    part: body => byName(['coordination.k8s.io', 'events.k8s.io', 'apiextensions.k8s.io'])(body.groups),
  },
  { title: 'the group of Leases', send: 'GET /apis/coordination.k8s.io' },
  { title: 'resources of the group of Leases', send: 'GET /apis/coordination.k8s.io/v1' },
  { title: 'resources of the group of Events', send: 'GET /apis/events.k8s.io/v1' },
  { title: 'resources of the group of definitions', send: 'GET /apis/apiextensions.k8s.io/v1' },
  { title: 'the group of custom objects', send: 'GET /apis/{group}' },
  // A real server lists the definitions of a group in any order.
  { title: 'resources of custom objects', send: 'GET /apis/{group}/v1', part: sortedResources },
  { title: 'resources of custom objects in the other version', send: 'GET /apis/{group}/v2', part: sortedResources },
  { title: 'a group that is missing', send: 'GET /apis/nothing.test' },
  { title: 'a version of a group that is missing', send: 'GET /apis/{group}/v9' },
  { title: 'a version of the core group that is missing', send: 'GET /api/v9' },
  { title: 'the list of groups comes whatever the method', send: 'POST /apis', body: {}, part: body => body.kind },
  { title: 'discovery of a group takes no writes', send: 'POST /apis/coordination.k8s.io/v1', body: {} },
  {
    title: 'the OpenAPI documents of kinds we serve',
    send: 'GET /openapi/v3',
    part: body =>
      Object.keys(body.paths)
        .filter(path => /coordination.k8s.io\/v1$|events.k8s.io\/v1$|^api\/v1$/.test(path))
        .sort(),
  },
  {
    title: 'the paths of a custom kind in OpenAPI',
    send: 'GET /openapi/v3/apis/{group}/v1',
    part: body => Object.keys(body.paths).filter(path => path.endsWith('widgets/{name}')).length,
  },
]

function sortedResources(body: { resources: { name: string }[] }): object {
  return { ...body, resources: [...body.resources].sort((a, b) => (a.name < b.name ? -1 : 1)) }
}
