// Two installations in one cluster: `npm run manifests`.

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { type Manifest, NameError, renderManifests, toYaml } from '../../infra/build/manifests.ts'

const ROOT = path.resolve(import.meta.dirname, '../..')
const BASE = path.join(ROOT, 'infra/kubernetes')

const read = (file: string) => readFileSync(path.join(BASE, file), 'utf8')
const documents = (text: string) => parseAllDocuments(text).map(document => document.toJS() as Manifest)

/** What makes an object the same as another one to an API server. */
const identity = ({ apiVersion, kind, metadata: { namespace = '', name } }: Manifest) =>
  `${apiVersion} ${kind} ${namespace}/${name}`

function run(...args: string[]) {
  const command = ['--import', 'tsx', 'infra/build/manifests.ts', ...args]
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { cwd: ROOT, encoding: 'utf8' })
  return { status, stdout, stderr }
}

describe('the manifests of an installation', () => {
  it('are those of the kustomize base where no other id is asked for', () => {
    const { resources } = parse(read('kustomization.yaml')) as { resources: string[] }
    expect(documents(toYaml(renderManifests()))).toEqual(resources.flatMap(file => documents(read(file))))
  })

  it('share nothing with those of another one but the definition of a Fence', () => {
    const [a, b] = [renderManifests({ installation: 'a' }), renderManifests({ installation: 'b' })]
    const known = new Set(a.map(identity))
    const shared = b.filter(object => known.has(identity(object)))
    expect(shared.map(identity)).toEqual(['apiextensions.k8s.io/v1 CustomResourceDefinition /fences.fencepost.dev'])
    expect(shared).toEqual(a.filter(({ kind }) => kind === 'CustomResourceDefinition'))
  })

  it('name nothing of another installation anywhere: not in rights, users, lists, parameters or labels', () => {
    const text = toYaml(renderManifests({ installation: 'b' }))
    expect(text).not.toMatch(/fencepost-/)
    expect(text).not.toMatch(/instance: fencepost/)
    for (const name of [
      'fencepost:b-cleanup',
      "['fencepost:b-cleanup', 'fencepost:b-status-sync', 'fencepost:b-config-check']",
      'fencepost:function:b-reconcile',
      'fencepost:function:b-status-sync',
      "'b-cleanup', 'b-status-sync', 'b-config-check'",
      'policyName: b-fence-token',
      'namespace: b-system',
    ])
      expect(text).toContain(name)
    expect(text).toContain('fencepost fence-token: token=')
  })

  it('go to the namespace that is asked for', () => {
    const objects = renderManifests({ installation: 'b', namespace: 'controllers' })
    const namespaces = objects.map(({ metadata }) => metadata.namespace).filter(Boolean)
    expect(new Set(namespaces)).toEqual(new Set(['controllers']))
    expect(objects.find(({ kind }) => kind === 'Namespace')?.metadata.name).toBe('controllers')
  })

  it('give the virtual user one right more with --expire-debug-sessions', () => {
    const roleIn = (objects: Manifest[]) =>
      objects.find(
        ({ kind, metadata }) => kind === 'ClusterRole' && metadata.name === 'b-cleanup-writer',
      ) as unknown as {
        rules: object[]
      }
    const more = roleIn(renderManifests({ installation: 'b', expireDebugSessions: true })).rules
    expect(more).toEqual([
      ...roleIn(renderManifests({ installation: 'b' })).rules,
      { apiGroups: ['breakglass.t-caas.telekom.com'], resources: ['debugsessions/status'], verbs: ['patch'] },
    ])
  })

  it('let secrets be read nowhere, and with --secrets-namespace in each one that is named, as the folder secrets does', () => {
    const rights = (namespaces: string[]) =>
      renderManifests({ installation: 'b', secretsNamespaces: namespaces })
        .filter(object => JSON.stringify(object).includes('-secrets"'))
        .map(({ kind, metadata: { namespace, name } }) => `${kind} ${namespace}/${name}`)
    const { resources } = parse(read('secrets/kustomization.yaml')) as { resources: string[] }
    const folder = resources
      .flatMap(file => documents(read(`secrets/${file}`)))
      .map(({ kind, metadata: { namespace, name } }) => `${kind} ${namespace}/${name.replace('fencepost-', 'b-')}`)
    expect(folder).toHaveLength(4)
    expect(rights([])).toEqual([])
    expect(rights(['breakglass-system'])).toEqual(folder)
    expect(rights(['breakglass-system', 'fencepost-x', 'fencepost-x'])).toEqual([
      ...folder,
      ...folder.map(line => line.replace('breakglass-system', 'fencepost-x')),
    ])
    expect(() => renderManifests({ secretsNamespaces: ['a.b'] })).toThrow(
      /^--secrets-namespace a\.b: expected 1 to 63 /,
    )
  })

  it('touch no Lease of upstream’s, and with --upstream-lease give the right to the one that is named, as the folder upstream-lease does', () => {
    const [folder = ''] = (parse(read('upstream-lease/kustomization.yaml')) as { resources: string[] }).resources
    const base = documents(read(`upstream-lease/${folder}`))
    const added = (upstreamLease: string, installation?: string) =>
      renderManifests({ installation, upstreamLease }).slice(renderManifests({ installation }).length)
    expect(added('breakglass-system/breakglass.telekom.io')).toEqual(base)
    expect(JSON.stringify(renderManifests())).not.toContain('breakglass.telekom.io')

    const text = toYaml(added('fencepost-x/fencepost-y.z', 'b'))
    expect(text.match(/namespace: .*/g)).toEqual(['namespace: fencepost-x', 'namespace: fencepost-x'])
    expect(text).toMatch(/resourceNames:\n\s+- fencepost-y\.z\n\s+verbs:\n\s+- get\n\s+- update\n/)
    expect(text.match(/fencepost:function:\S+/g)).toEqual(
      ['cleanup', 'status-sync', 'config-check', 'reconcile'].map(name => `fencepost:function:b-${name}`),
    )
    for (const lease of ['x', 'a/b/c', 'a.b/c', '/x', 'x/'])
      expect(() => renderManifests({ upstreamLease: lease })).toThrow(
        `--upstream-lease ${lease}: expected <namespace>/`,
      )
  })

  it.each(['', 'B', 'a_b', '-a', 'a-', 'a.', 'a:b', 'x'.repeat(64)])('refuse the id «%s»', installation => {
    expect(() => renderManifests({ installation })).toThrow(NameError)
  })

  it('take ids of 1 and of 63 characters and with dots, where the namespace can be one', () => {
    for (const installation of ['a', 'x'.repeat(56)]) expect(renderManifests({ installation })).not.toEqual([])
    for (const installation of ['a.b', 'x'.repeat(63)]) {
      expect(renderManifests({ installation, namespace: 'n' })).not.toEqual([])
      expect(() => renderManifests({ installation })).toThrow(/^--namespace \S+-system: expected 1 to 63 /)
    }
    expect(() => renderManifests({ namespace: 'x'.repeat(64) })).toThrow(NameError)
  })
})

describe('npm run manifests', () => {
  it('prints them as YAML', () => {
    const { status, stdout } = run('--installation', 'b')
    expect({ status, objects: documents(stdout) }).toEqual({
      status: 0,
      objects: renderManifests({ installation: 'b' }),
    })
  })

  it('explains itself, and refuses what it does not understand with one sentence', () => {
    expect(run('--help')).toMatchObject({ status: 0, stdout: expect.stringContaining('--installation <id>') })
    expect(run('--installation', 'A')).toEqual({
      status: 2,
      stdout: '',
      stderr:
        '--installation A: expected 1 to 63 lower-case letters, digits, dashes and dots, a letter or digit at both ends; --help lists the options\n',
    })
    expect(run('--instalation', 'a')).toMatchObject({ status: 2, stdout: '' })
    const both = ['a', 'b'].flatMap(name => ['--secrets-namespace', name])
    expect(documents(run(...both).stdout)).toEqual(renderManifests({ secretsNamespaces: ['a', 'b'] }))
    expect(documents(run('--upstream-lease', 'a/b').stdout)).toEqual(renderManifests({ upstreamLease: 'a/b' }))
  })
})
