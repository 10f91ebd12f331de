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
      "['fencepost:b-cleanup']",
      'fencepost:function:b-reconcile',
      "'b-cleanup'",
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
  })
})
