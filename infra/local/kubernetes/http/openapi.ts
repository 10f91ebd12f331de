// As much OpenAPI as kubectl needs: an empty v2 document (in protobuf, which old kubectl insists on) and, per group and version,
// a v3 document that says which writes accept dryRun and fieldValidation. The schemas of built-in kinds are not in it.
import { apiVersionOf, type Kind } from '../kinds/kind.ts'
import type { Registry } from '../kinds/registry.ts'
import { type Reply, reply, text } from './reply.ts'

const TITLE = 'Kubernetes'

const field = (number: number, bytes: Buffer): Buffer =>
  Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes])

// Document {swagger = 1, info = 2 {title = 1, version = 2}, paths = 8}; every length here is below 128, one byte each.
function v2Protobuf(version: string): Buffer {
  const info = Buffer.concat([field(1, Buffer.from(TITLE)), field(2, Buffer.from(version))])
  return Buffer.concat([field(1, Buffer.from('2.0')), field(2, info), field(8, Buffer.alloc(0))])
}

/** Answers /openapi/v2 and /openapi/v3; undefined for other paths. The v2 protobuf is sent as latin1 text, byte for byte. */
export function openApi(registry: Registry, path: string, acceptHeader: string, version: string): Reply | undefined {
  if (path === '/openapi/v2') {
    if (!acceptHeader.includes('proto-openapi')) {
      return reply(200, JSON.stringify({ swagger: '2.0', info: { title: TITLE, version }, paths: {} }))
    }
    const headers = { 'content-type': 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf' }
    return { status: 200, headers, body: v2Protobuf(version).toString('latin1') }
  }
  const groups = new Map([['api/v1', registry.at('', 'v1')]])
  for (const [group, versions] of registry.groups()) {
    for (const one of versions) groups.set(`apis/${group}/${one}`, registry.at(group, one))
  }
  if (path === '/openapi/v3') {
    const paths = [...groups.keys()].map(key => [key, { serverRelativeURL: `/openapi/v3/${key}` }])
    const index = JSON.stringify({ paths: Object.fromEntries(paths) })
    // So does kube-apiserver: JSON under a type of text.
    return text(200, index)
  }
  const kinds = groups.get(path.replace(/^\/openapi\/v3\//, ''))
  if (!path.startsWith('/openapi/v3/') || kinds === undefined) return undefined
  const paths = kinds.flatMap(pathsOf)
  const schemas = Object.fromEntries(
    kinds.map(kind => [schemaName(kind), { type: 'object', ...kind.schema, ...gvkOf([kind]) }]),
  )
  return reply(
    200,
    JSON.stringify({
      openapi: '3.0.0',
      info: { title: TITLE, version },
      paths: Object.fromEntries(paths),
      components: { schemas },
    }),
  )
}

const parameters = ['dryRun', 'fieldManager', 'fieldValidation'].map(name => ({
  name,
  in: 'query',
  schema: { type: 'string', uniqueItems: true },
}))

const schemaName = ({ group, version, kind }: Kind) =>
  `${[...group.split('.').reverse(), version, kind].filter(part => part !== '').join('.')}`

const gvkOf = (kinds: Kind[]) => ({
  'x-kubernetes-group-version-kind': kinds.map(({ group, version, kind }) => ({ group, version, kind })),
})

function pathsOf(kind: Kind): [string, unknown][] {
  const root = kind.group === '' ? '/api/v1' : `/apis/${apiVersionOf(kind)}`
  const collection = `${root}${kind.namespaced ? '/namespaces/{namespace}' : ''}/${kind.plural}`
  const operation = (action: string) => ({
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': { group: kind.group, version: kind.version, kind: kind.kind },
    parameters,
    responses: {},
  })
  return [
    [collection, { get: operation('list'), post: operation('post') }],
    [
      `${collection}/{name}`,
      { get: operation('get'), put: operation('put'), patch: operation('patch'), delete: operation('delete') },
    ],
  ]
}
