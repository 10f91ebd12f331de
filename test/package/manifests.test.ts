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

const FUNCTION_RIGHTS = [
  'everywhere |  | users | fencepost:fencepost-cleanup | impersonate',
  'everywhere | authentication.k8s.io | userextras/fencepost.dev/token userextras/fencepost.dev/holder | any | impersonate',
  'everywhere | breakglass.t-caas.telekom.com | breakglasssessions debugsessions | any | get list',
  'everywhere | fencepost.dev | fences | fencepost-cleanup | get patch',
  'fencepost-system | coordination.k8s.io | leases | fencepost-cleanup | get update',
]
const WRITER_RIGHTS = [
  'everywhere | breakglass.t-caas.telekom.com | breakglasssessions debugsessions | any | delete',
  'everywhere | breakglass.t-caas.telekom.com | breakglasssessions/status | any | patch',
  'everywhere | events.k8s.io | events | any | create',
]

describe('the manifests', () => {
  it('give each function and the virtual user exactly the verbs that they use', () => {
    expect(rightsIn(manifests)).toEqual([
      ...WRITER_RIGHTS.map(right => `User fencepost:fencepost-cleanup | ${right}`),
      ...['cleanup', 'reconcile'].flatMap(name =>
        FUNCTION_RIGHTS.map(right => `User fencepost:function:fencepost-${name} | ${right}`),
      ),
    ])
  })

  it('would be found out with one verb more', () => {
    const more = structuredClone(manifests)
    more.find(({ kind }) => kind === 'ClusterRole').rules[0].verbs.push('delete')
    expect(rightsIn(more)).not.toEqual(rightsIn(manifests))
  })

  it('have one Lease for each loop, without spec and without annotations, so that applying them keeps every ledger', () => {
    expect(ofKind('Lease').map(({ metadata: { namespace, name } }) => `${namespace}/${name}`)).toEqual([
      'fencepost-system/fencepost-cleanup',
    ])
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
    expect(mapped).toEqual(inServerless)
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
