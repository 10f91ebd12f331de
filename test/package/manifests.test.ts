import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'

const BASE = path.resolve(import.meta.dirname, '../../infra/kubernetes')

// biome-ignore lint/suspicious/noExplicitAny: manifests are looked at by path, as the API server does
type Manifest = any

let manifests: Manifest[]

beforeAll(async () => {
  const { resources } = parse(await read('kustomization.yaml'))
  const texts = await Promise.all(resources.map(read))
  manifests = texts.flatMap(text => parseAllDocuments(text).map(document => document.toJS()))
})

function read(file: string): Promise<string> {
  return readFile(path.join(BASE, file), 'utf8')
}

function ofKind(kind: string): Manifest[] {
  return manifests.filter(manifest => manifest.kind === kind)
}

/** `user | where | group | resources | names | verbs`, one line for each rule a user is bound to. */
function rightsIn(all: Manifest[]): string[] {
  return all
    .filter(({ kind }) => kind.endsWith('RoleBinding'))
    .flatMap(({ metadata, roleRef, subjects }) => {
      const role = all.find(
        ({ kind, metadata: { name, namespace } }) =>
          kind === roleRef.kind && name === roleRef.name && namespace === metadata.namespace,
      )
      return subjects.flatMap(({ kind, name }: Manifest) =>
        role.rules.map(({ apiGroups, resources, resourceNames = ['any'], verbs }: Manifest) =>
          [`${kind} ${name}`, metadata.namespace ?? 'everywhere', apiGroups, resources, resourceNames, verbs]
            .map(part => [part].flat().join(' '))
            .join(' | '),
        ),
      )
    })
    .sort()
}

/** What each loop reads, under the functions' own names, and writes, as its virtual user. */
const LOOPS: Record<string, { reads: string[]; writes: string[]; readsSecrets: boolean }> = {
  cleanup: {
    reads: ['breakglasssessions debugsessions | any | get list'],
    writes: ['breakglasssessions debugsessions | any | delete', 'breakglasssessions/status | any | patch'],
    readsSecrets: false,
  },
  'status-sync': {
    reads: ['breakglassescalations | any | get list', 'identityproviders | any | list'],
    writes: ['breakglassescalations/status | any | patch'],
    readsSecrets: true,
  },
  'config-check': {
    reads: ['clusterconfigs | any | get list', 'identityproviders | any | list'],
    writes: ['clusterconfigs/status | any | patch'],
    readsSecrets: true,
  },
}

const functionRights = (loop: string) => [
  `everywhere |  | users | fencepost:fencepost-${loop} | impersonate`,
  'everywhere | authentication.k8s.io | userextras/fencepost.dev/token userextras/fencepost.dev/holder | any | impersonate',
  ...(LOOPS[loop]?.reads ?? []).map(right => `everywhere | breakglass.t-caas.telekom.com | ${right}`),
  `everywhere | fencepost.dev | fences | fencepost-${loop} | get patch`,
  `fencepost-system | coordination.k8s.io | leases | fencepost-${loop} | get update`,
]
const writerRights = (loop: string) => [
  ...(LOOPS[loop]?.writes ?? []).map(right => `everywhere | breakglass.t-caas.telekom.com | ${right}`),
  'everywhere | events.k8s.io | events | any | create',
]
const loops = Object.keys(LOOPS)

describe('the manifests', () => {
  it('give each function and each virtual user exactly the verbs that they use', () => {
    const expected = loops.flatMap(loop => [
      ...writerRights(loop).map(right => `User fencepost:fencepost-${loop} | ${right}`),
      ...[loop, 'reconcile'].flatMap(name =>
        functionRights(loop).map(right => `User fencepost:function:fencepost-${name} | ${right}`),
      ),
    ])
    expect(rightsIn(manifests)).toEqual(expected.sort())
  })

  it('would be found out with one verb more', () => {
    const more = structuredClone(manifests)
    more.find(({ kind }) => kind === 'ClusterRole').rules[0].verbs.push('delete')
    expect(rightsIn(more)).not.toEqual(rightsIn(manifests))
  })

  it('have one Lease for each loop, without spec and without annotations, so that applying them keeps every ledger', () => {
    expect(ofKind('Lease').map(({ metadata: { namespace, name } }) => `${namespace}/${name}`)).toEqual(
      loops.map(loop => `fencepost-system/fencepost-${loop}`),
    )
    for (const lease of ofKind('Lease')) {
      expect(Object.keys(lease)).toEqual(['apiVersion', 'kind', 'metadata'])
      expect(Object.keys(lease.metadata)).toEqual(['name', 'namespace', 'labels'])
    }
  })

  it('label every object with the application, and with the installation but for the definition, which all share', () => {
    for (const { kind, metadata } of manifests)
      expect(metadata.labels).toMatchObject({
        'app.kubernetes.io/name': 'fencepost',
        ...(kind !== 'CustomResourceDefinition' && { 'app.kubernetes.io/instance': 'fencepost' }),
      })
  })

  it('have the namespace that the Leases and their Role live in', () => {
    expect(ofKind('Namespace').map(({ metadata }) => metadata.name)).toEqual(['fencepost-system'])
  })

  it('know every user that the functions’ roles are mapped to', async () => {
    const access = await readFile(path.resolve(BASE, '../aws/cluster-access.yml'), 'utf8')
    const mapped = [...access.matchAll(/Username: (\S+)/g)].map(([, user]) => user)
    const bound = ofKind('ClusterRoleBinding').flatMap(({ subjects }) => subjects.map(({ name }: Manifest) => name))
    const functions = new Set(bound.filter(name => name.startsWith('fencepost:function:')))
    const inServerless = [...functions].map(user => user.replace('fencepost-', '$' + '{param:installation}-'))
    expect(mapped.sort()).toEqual(inServerless.sort())
  })
})

describe('the right to read secrets', () => {
  it('is to get them by name, in one namespace, for the loops that need it and for runs by hand', async () => {
    const { resources } = parse(await read('secrets/kustomization.yaml'))
    const texts = await Promise.all(resources.map((file: string) => read(`secrets/${file}`)))
    const all = texts.flatMap(text => parseAllDocuments(text).map(document => document.toJS()))
    const readers = loops.filter(loop => LOOPS[loop]?.readsSecrets)
    expect(rightsIn(all)).toEqual(
      readers
        .flatMap(loop => [loop, 'reconcile'])
        .map(name => `User fencepost:function:fencepost-${name} | breakglass-system |  | secrets | any | get`)
        .sort(),
    )
    expect(all.map(({ kind }) => kind).sort()).toEqual(['Role', 'Role', 'RoleBinding', 'RoleBinding'])
  })

  it('is given nowhere else', () => {
    expect(rightsIn(manifests).filter(right => right.includes('secrets'))).toEqual([])
  })
})

describe('the right to upstream’s Lease', () => {
  it('is to read and keep that one Lease, for every function, and neither to make nor to delete it', async () => {
    const { resources } = parse(await read('upstream-lease/kustomization.yaml'))
    const texts = await Promise.all(resources.map((file: string) => read(`upstream-lease/${file}`)))
    const all = texts.flatMap(text => parseAllDocuments(text).map(document => document.toJS()))
    expect(rightsIn(all)).toEqual(
      [...loops, 'reconcile']
        .map(
          name =>
            `User fencepost:function:fencepost-${name} | breakglass-system | coordination.k8s.io | leases | breakglass.telekom.io | get update`,
        )
        .sort(),
    )
    expect(all.map(({ kind }) => kind).sort()).toEqual(['Role', 'RoleBinding'])
  })
})

describe('the component expire-debug-sessions', () => {
  it('gives the virtual user the one right that expiring debug sessions needs', async () => {
    const { patches } = parse(await read('expire-debug-sessions/kustomization.yaml'))
    expect(patches.map(({ target }: Manifest) => target)).toEqual([
      { kind: 'ClusterRole', name: 'fencepost-cleanup-writer' },
    ])
    expect(parse(patches[0].patch)).toEqual([
      {
        op: 'add',
        path: '/rules/-',
        value: { apiGroups: ['breakglass.t-caas.telekom.com'], resources: ['debugsessions/status'], verbs: ['patch'] },
      },
    ])
  })
})
