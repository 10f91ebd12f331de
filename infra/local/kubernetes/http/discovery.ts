// What a client asks before anything else: version, health, groups, versions, resources. The newer aggregated form is not offered;
// clients fall back to this one by content type.
import { unknownResource } from '../errors.ts'
import type { Kind } from '../kinds/kind.ts'
import type { Registry } from '../kinds/registry.ts'
import { type Reply, refusal, reply, text } from './reply.ts'

/** The Kubernetes version the embedded API says it is. */
export const VERSION = { major: '1', minor: '34', gitVersion: 'v1.34.4' }

const info = {
  ...VERSION,
  emulationMajor: '1',
  emulationMinor: '34',
  minCompatibilityMajor: '1',
  minCompatibilityMinor: '33',
  gitCommit: 'embedded',
  gitTreeState: 'clean',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: process.version,
  compiler: 'node',
  platform: `${process.platform}/${process.arch}`,
}

const json = (value: unknown): Reply => reply(200, JSON.stringify(value))

/** Answers a discovery path; undefined for paths that are not discovery. `host` is the address clients should use. */
export function discover(registry: Registry, path: string, host: string): Reply | undefined {
  const segments = path.split('/').slice(1)
  if (segments.at(-1) === '') segments.pop()
  switch (segments[0]) {
    case 'version':
      return segments.length === 1 ? json(info) : undefined
    case 'healthz':
    case 'readyz':
    case 'livez':
      return text(200, 'ok')
    case 'api':
      return discoverCore(registry, segments, host)
    case 'apis':
      return discoverGroups(registry, segments)
    default:
      return undefined
  }
}

function discoverCore(registry: Registry, segments: string[], host: string): Reply | undefined {
  if (segments.length === 1) {
    const serverAddressByClientCIDRs = [{ clientCIDR: '0.0.0.0/0', serverAddress: host }]
    return json({ kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs })
  }
  if (segments.length > 2) return undefined
  return segments[1] === 'v1' ? json(resourceList('v1', registry.at('', 'v1'))) : refusal(unknownResource())
}

function discoverGroups(registry: Registry, segments: string[]): Reply | undefined {
  const groups = registry.groups()
  if (segments.length === 1) {
    return json({
      kind: 'APIGroupList',
      apiVersion: 'v1',
      groups: [...groups].map(([name, versions]) => groupOf(name, versions)),
    })
  }
  if (segments.length > 3) return undefined
  const [, name = '', version] = segments
  const versions = groups.get(name)
  if (versions === undefined) return text(404, '404 page not found\n')
  if (version === undefined) return json({ kind: 'APIGroup', apiVersion: 'v1', ...groupOf(name, versions) })
  if (versions.includes(version)) return json(resourceList(`${name}/${version}`, registry.at(name, version)))
  return registry.isBuiltIn(name) ? refusal(unknownResource()) : text(404, '404 page not found\n')
}

function groupOf(name: string, served: string[]) {
  const versions = served.map(version => ({ groupVersion: `${name}/${version}`, version }))
  return { name, versions, preferredVersion: versions[0] }
}

const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']
const CUSTOM_VERBS = ['delete', 'deletecollection', 'get', 'list', 'patch', 'create', 'update', 'watch']

function resourceList(groupVersion: string, kinds: Kind[]) {
  const resources = kinds.flatMap(kind => {
    const { plural, singular, namespaced, shortNames, categories } = kind
    const verbs = kind.custom
      ? CUSTOM_VERBS
      : VERBS.filter(verb => verb !== 'deletecollection' || kind.deletesCollections)
    const whole = {
      name: plural,
      singularName: singular,
      namespaced,
      kind: kind.kind,
      verbs,
      ...(shortNames.length === 0 ? {} : { shortNames }),
      ...(categories.length === 0 ? {} : { categories }),
    }
    if (!kind.hasStatus) return [whole]
    return [
      whole,
      { name: `${plural}/status`, singularName: '', namespaced, kind: kind.kind, verbs: ['get', 'patch', 'update'] },
    ]
  })
  // Upstream leaves the list's own apiVersion out of the core group's only.
  return { kind: 'APIResourceList', ...(groupVersion === 'v1' ? {} : { apiVersion: 'v1' }), groupVersion, resources }
}
