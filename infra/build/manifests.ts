// Prints the manifests of an installation under another id: `npm run --silent manifests -- --installation b`. It is the kustomize
// base with every name and every name inside a name, a right or an expression told anew, which an overlay can't do. The
// definition of a Fence stays as it is: all installations of a cluster share it.

import { readFileSync } from 'node:fs'
import { argv, exit } from 'node:process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { parse, parseAllDocuments, stringify } from 'yaml'

const BASE = new URL('../kubernetes/', import.meta.url)
const BASE_INSTALLATION = 'fencepost'
const BASE_NAMESPACE = 'fencepost-system'
/** Which Lease the folder `upstream-lease` names. */
const UPSTREAM_LEASE = 'breakglass-system/breakglass.telekom.io'
/** Of a namespace, and of a label's value. */
const LONGEST = 63

const HELP = `Prints what a cluster needs for an installation of Fencepost, as YAML for kubectl.

  npm run --silent manifests -- --installation <id> [options] | kubectl apply -f -

  --installation <id>      the installation's name, as the functions have it in LEADER_ELECT_ID; default ${BASE_INSTALLATION}
  --namespace <name>       where its Leases are, as in LEADER_ELECT_NAMESPACE; default <id>-system
  --expire-debug-sessions  adds the right that EXPIRE_DEBUG_SESSIONS=true needs
  --secrets-namespace <name>
                           adds the right to read secrets there, which status-sync and config-check need where the
                           objects that they work on keep theirs; once for each namespace
  --upstream-lease <namespace>/<name>
                           adds the right to that Lease, as UPSTREAM_LEASE names it
  --help                   prints this
`

/** What to render. */
export interface Installation {
  readonly installation?: string | undefined
  /** Default: `<installation>-system`. */
  readonly namespace?: string | undefined
  /** Whether debug sessions are expired. */
  readonly expireDebugSessions?: boolean | undefined
  /** Where secrets may be read. Default: nowhere, as in the kustomize base. */
  readonly secretsNamespaces?: readonly string[] | undefined
  /** The Lease that a live upstream elects by, `<namespace>/<name>`. Default: none is looked at. */
  readonly upstreamLease?: string | undefined
}

/** An object of a manifest. */
export interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string; readonly namespace?: string }
}

/** A name that can't be used; the message says which and what would do. */
export class NameError extends Error {
  override readonly name = 'NameError'
}

/**
 * The objects of an installation, in the order of the kustomize base.
 *
 * @throws NameError – an id or a namespace that can't be one, or that is too long; an id with a dot needs a namespace.
 */
export function renderManifests(asked: Installation = {}): Manifest[] {
  const { installation = BASE_INSTALLATION, expireDebugSessions = false, secretsNamespaces = [] } = asked
  if (!/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(installation) || installation.length > LONGEST)
    throw new NameError(`--installation ${installation}: ${expected('dashes and dots')}`)
  const namespace = asked.namespace ?? `${installation}-system`
  checkNamespace('--namespace', namespace)
  for (const name of secretsNamespaces) checkNamespace('--secrets-namespace', name)
  const base = expireDebugSessions ? withComponent(readFolder(), 'expire-debug-sessions') : readFolder()
  const named = (object: Manifest) => renamed(object, { installation, namespace }) as Manifest
  return [
    ...base.map(object => (object.kind === 'CustomResourceDefinition' ? object : named(object))),
    ...[...new Set(secretsNamespaces)].flatMap(name =>
      readFolder('secrets/').map(object => placed(named(object), name)),
    ),
    ...(asked.upstreamLease === undefined
      ? []
      : rightsTo(asked.upstreamLease, readFolder('upstream-lease/').map(named))),
  ]
}

/** Objects of the folder `upstream-lease` for another Lease than the one that it names. */
function rightsTo(lease: string, objects: Manifest[]): Manifest[] {
  const [, namespace, name] = /^([a-z0-9][-a-z0-9]*)\/([a-z0-9][-a-z0-9.]*)$/.exec(lease) ?? []
  if (!namespace || !name)
    throw new NameError(`--upstream-lease ${lease}: expected <namespace>/<name>, such as ${UPSTREAM_LEASE}`)
  const [, known] = UPSTREAM_LEASE.split('/')
  return JSON.parse(
    JSON.stringify(objects.map(object => placed(object, namespace))).replaceAll(`"${known}"`, `"${name}"`),
  )
}

function checkNamespace(option: string, name: string): void {
  if (!/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(name) || name.length > LONGEST)
    throw new NameError(`${option} ${name}: ${expected('dashes')}`)
}

/** An object of the folders that go to namespaces of others, in another one than it names. */
function placed(object: Manifest, namespace: string): Manifest {
  return { ...object, metadata: { ...object.metadata, namespace } }
}

const expected = (marks: string) =>
  `expected 1 to ${LONGEST} lower-case letters, digits, ${marks}, a letter or digit at both ends`

const read = (file: string): string => readFileSync(new URL(file, BASE), 'utf8')

/** Every object that a folder's kustomization names; default: the base. */
function readFolder(folder = ''): Manifest[] {
  const { resources } = parse(read(`${folder}kustomization.yaml`)) as { resources: string[] }
  return resources.flatMap(file => parseAllDocuments(read(folder + file)).map(document => document.toJS() as Manifest))
}

interface Patch {
  readonly target: { readonly kind: string; readonly name: string }
  readonly patch: string
}

/** Components of ours only ever add rules to roles. */
function withComponent(base: Manifest[], component: string): Manifest[] {
  const { patches } = parse(read(`${component}/kustomization.yaml`)) as { patches: Patch[] }
  return base.map(object => {
    const own = patches.filter(({ target }) => target.kind === object.kind && target.name === object.metadata.name)
    const added = own.flatMap(({ patch }) => (parse(patch) as { value: object }[]).map(({ value }) => value))
    return added.length === 0
      ? object
      : { ...object, rules: [...(object as unknown as { rules: object[] }).rules, ...added] }
  })
}

// Names are `fencepost-…`; `fencepost:`, `fencepost.dev` and the messages' `fencepost fence-…` are the product's.
const NAMES = new RegExp(`${BASE_NAMESPACE}|${BASE_INSTALLATION}-`, 'g')
const INSTANCE = 'app.kubernetes.io/instance'

function renamed(value: unknown, to: { installation: string; namespace: string }): unknown {
  if (typeof value === 'string')
    return value.replace(NAMES, found => (found === BASE_NAMESPACE ? to.namespace : `${to.installation}-`))
  if (Array.isArray(value)) return value.map(item => renamed(item, to))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, key === INSTANCE ? to.installation : renamed(item, to)]),
  )
}

/** Objects as one YAML text. */
export function toYaml(manifests: readonly Manifest[]): string {
  return manifests.map(manifest => stringify(manifest, { lineWidth: 0 })).join('---\n')
}

function main(args: string[]): void {
  const { values } = parseArgs({
    args,
    options: {
      installation: { type: 'string' },
      namespace: { type: 'string' },
      'expire-debug-sessions': { type: 'boolean' },
      'secrets-namespace': { type: 'string', multiple: true },
      'upstream-lease': { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  })
  const { installation, namespace, 'expire-debug-sessions': expireDebugSessions, help } = values
  const secretsNamespaces = values['secrets-namespace']
  const upstreamLease = values['upstream-lease']
  const asked = { installation, namespace, expireDebugSessions, secretsNamespaces, upstreamLease }
  process.stdout.write(help ? HELP : toYaml(renderManifests(asked)))
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  try {
    main(argv.slice(2))
  } catch (error) {
    const [sentence] = (error as Error).message.split('. To specify')
    process.stderr.write(`${sentence}; --help lists the options\n`)
    exit(2)
  }
}
