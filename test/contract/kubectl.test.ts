// The embedded API under the hands of an operator: kubectl, whichever version this machine has, without any flag but the address.
import { execFile, execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { loadSamples } from '../../infra/local/kubernetes/samples.ts'
import { type KubernetesApi, startKubernetesApi } from '../../infra/local/kubernetes/server.ts'

const LOCAL = join(import.meta.dirname, '../../infra/local')

function hasKubectl(): boolean {
  try {
    execFileSync('kubectl', ['version', '--client'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

const found = hasKubectl()

describe.skipIf(!found)(
  `kubectl on the embedded Kubernetes API${found ? '' : ' (left out: no kubectl on PATH)'}`,
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'fencepost-kubectl-'))
    let api: KubernetesApi

    const kubectl = (...args: string[]) =>
      new Promise<{ code: number; out: string; err: string }>(resolve => {
        const where = ['--kubeconfig', join(folder, 'config'), '--cache-dir', join(folder, 'cache')]
        execFile('kubectl', [...args, ...where], (error, out, err) =>
          resolve({ code: error === null ? 0 : 1, out, err }),
        )
      })
    const session = (cluster: string) =>
      [
        'apiVersion: breakglass.t-caas.telekom.com/v1alpha1',
        'kind: BreakglassSession',
        'metadata: { name: by-hand, namespace: breakglass-system, labels: { by: hand } }',
        `spec: { cluster: ${cluster}, user: ann@example.test, grantedGroup: ops }`,
      ].join('\n')
    const write = (cluster: string) => writeFileSync(join(folder, 'session.yaml'), session(cluster))
    const file = join(folder, 'session.yaml')

    beforeAll(async () => {
      const crds = readdirSync(join(LOCAL, 'crds')).map(
        name => parse(readFileSync(join(LOCAL, 'crds', name), 'utf8')) as object,
      )
      api = await startKubernetesApi({ crds })
      api.load(loadSamples(join(LOCAL, 'samples'), Date.now()))
      writeFileSync(join(folder, 'config'), api.kubeconfig())
    })
    afterAll(async () => {
      await api.close()
      rmSync(folder, { recursive: true })
    })

    it('prints sessions by their short name as a table with the columns and ages of the definition', async () => {
      const { out } = await kubectl('get', 'bgs', '-A')
      const [head = '', ...rows] = out.trimEnd().split('\n')
      expect(head.split(/\s{2,}/)).toEqual([
        'NAMESPACE',
        'NAME',
        'STATE',
        'USER',
        'CLUSTER',
        'EXPIRES AT',
        'SCHEDULED START',
        'RETAINED UNTIL',
        'AGE',
      ])
      expect(rows).toHaveLength(14)
      expect(rows.find(row => row.includes('prod-admin-x7f2'))).toMatch(/Approved .* (?:2h|120m)$/)
    })

    it('selects by label and by field, and prints YAML', async () => {
      const byField = await kubectl(
        'get',
        'bgs',
        '-n',
        'breakglass-system',
        '--field-selector',
        'status.state=Pending',
        '-o',
        'name',
      )
      const group = 'breakglasssession.breakglass.t-caas.telekom.com'
      expect(byField.out.trim().split('\n')).toEqual(
        ['edge-ops-r3n7', 'prod-audit-z9k4', 'prod-ops-d8v5'].map(name => `${group}/${name}`),
      )
      const byLabel = await kubectl('get', 'bgs', '-n', 'breakglass-system', '-l', 'by=nobody')
      expect(byLabel.err).toContain('No resources found')
      const { out } = await kubectl('get', 'bgs', 'prod-admin-x7f2', '-n', 'breakglass-system', '-o', 'yaml')
      expect(parse(out)).toMatchObject({ kind: 'BreakglassSession', status: { state: 'Approved' } })
    })

    it('creates, refuses to create again, and deletes', async () => {
      write('prod')
      expect(await kubectl('create', '-f', file)).toMatchObject({
        code: 0,
        out: expect.stringContaining('by-hand created'),
      })
      expect(await kubectl('create', '-f', file)).toMatchObject({
        code: 1,
        err: expect.stringContaining('AlreadyExists'),
      })
      expect(await kubectl('delete', '-f', file)).toMatchObject({
        code: 0,
        out: expect.stringContaining('"by-hand" deleted'),
      })
      expect(await kubectl('get', '-f', file)).toMatchObject({ code: 1, err: expect.stringContaining('NotFound') })
    })

    it('applies: created, unchanged, configured', async () => {
      write('prod')
      expect((await kubectl('apply', '-f', file)).out).toContain('by-hand created')
      expect((await kubectl('apply', '-f', file)).out).toContain('by-hand unchanged')
      write('edge')
      expect((await kubectl('apply', '-f', file)).out).toContain('by-hand configured')
      expect((await kubectl('get', '-f', file, '-o', 'jsonpath={.spec.cluster}')).out).toBe('edge')
      await kubectl('delete', '-f', file)
    })

    it('applies a built-in kind by strategic merge patch', async () => {
      const config = (key: string) => {
        const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: { key } }
        writeFileSync(join(folder, 'config-map.json'), JSON.stringify(object))
      }
      config('one')
      expect((await kubectl('apply', '-f', join(folder, 'config-map.json'))).out).toContain('configmap/a created')
      config('two')
      expect((await kubectl('apply', '-f', join(folder, 'config-map.json'))).out).toContain('configmap/a configured')
      expect((await kubectl('get', 'configmap', 'a', '-o', 'jsonpath={.data.key}')).out).toBe('two')
    })

    it('patches, labels and waits for a definition to be established', async () => {
      write('prod')
      await kubectl('create', '-f', file)
      expect(await kubectl('patch', '-f', file, '--type', 'merge', '-p', '{"spec":{"cluster":"lab"}}')).toMatchObject({
        code: 0,
      })
      expect(await kubectl('label', '-f', file, 'seen=yes')).toMatchObject({ code: 0 })
      expect((await kubectl('get', 'bgs', '-A', '-l', 'seen=yes', '-o', 'jsonpath={.items[*].spec.cluster}')).out).toBe(
        'lab',
      )
      const definition = 'crd/breakglasssessions.breakglass.t-caas.telekom.com'
      expect(await kubectl('wait', '--for=condition=Established', definition, '--timeout=10s')).toMatchObject({
        code: 0,
      })
    })
  },
)
