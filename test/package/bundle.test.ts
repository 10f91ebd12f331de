import { readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Bundled, bundle, watch } from '../../infra/build/bundle.cjs'
import { copyService, run, type ServiceCopy } from './service.ts'

const FUNCTIONS = ['cleanup', 'status-sync', 'config-check', 'reconcile']
const CHUNKS = ['dist/chunks/dynamodb-client.cjs', 'dist/chunks/kubeconfig-library.cjs']
const HEAVY = /node_modules\/(@aws-sdk|@smithy|@kubernetes|undici|js-yaml|openid-client|ws)\//
const EKS = {
  EKS_CLUSTER: 'prod',
  EKS_ENDPOINT: 'https://127.0.0.1:1',
  EKS_CA: 'Y2VydA==',
  AWS_REGION: 'eu-central-1',
}
const SECRET = {
  KUBECONFIG_SECRET_ARN: 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:kubeconfig-a1B2c3',
  SECRETS_MANAGER_ENDPOINT: 'http://127.0.0.1:1',
  AWS_ACCESS_KEY_ID: 'local',
  AWS_SECRET_ACCESS_KEY: 'local',
}
const STATUS = '{"loop":"cleanup","action":"status"}'

let copy: ServiceCopy
let bundled: Bundled

beforeAll(async () => {
  copy = await copyService()
  bundled = await bundle({ root: copy.root, functions: FUNCTIONS })
})
afterAll(() => copy?.remove())

function inputsOf(output: string): string[] {
  return Object.keys(bundled.metafile.outputs[output]?.inputs ?? {})
}

describe.each(FUNCTIONS)('the bundle of %s', name => {
  const main = `dist/${name}.cjs`

  it('asks for both chunks', () => {
    expect(bundled.files[name]).toEqual([main, ...CHUNKS])
  })

  it('holds neither the AWS SDK nor the Kubernetes client nor what they are made of', () => {
    expect(inputsOf(main)).toContain('lib/runtime/wiring.ts')
    expect(inputsOf(main).filter(input => HEAVY.test(input))).toEqual([])
  })

  it('is smaller than 300 kB', () => {
    expect(bundled.metafile.outputs[main]?.bytes).toBeLessThan(300_000)
  })
})

describe('a chunk', () => {
  it.each([
    ['dynamodb-client', 'lib/lease/dynamodb-client.ts', '@aws-sdk/client-dynamodb'],
    ['kubeconfig-library', 'lib/kubernetes/kubeconfig-library.ts', '@kubernetes/client-node'],
  ])('%s holds its library and nothing of ours', (chunk, entry, library) => {
    const inputs = inputsOf(`dist/chunks/${chunk}.cjs`)
    expect(inputs.some(input => input.includes(`node_modules/${library}/`))).toBe(true)
    expect(inputs.filter(input => !input.includes('node_modules/') && input !== entry)).toEqual([])
  })

  it.each([
    ['none where the lease is in memory', { ENABLE_LEADER_ELECTION: 'false', ...EKS }, []],
    [
      'the DynamoDB client with the DynamoDB lease',
      { LEASE: 'dynamodb', LEASE_TABLE: 'leases', AWS_REGION: 'eu-central-1', DYNAMODB_ENDPOINT: 'http://127.0.0.1:1' },
      ['dynamodb-client.cjs'],
    ],
    ['the kubeconfig library with a kubeconfig', { KUBECONFIG: '/nonexistent' }, ['kubeconfig-library.cjs']],
    ['and no client of Secrets Manager with a kubeconfig in a secret', SECRET, ['kubeconfig-library.cjs']],
    ['none with EKS', EKS, []],
  ])('is loaded when it is asked for: %s', async (_, environment, loaded) => {
    const context = '{ awsRequestId: "r", getRemainingTimeInMillis: () => 60000 }'
    const report =
      '() => console.log("loaded", JSON.stringify(Object.keys(require.cache).map(f => require("node:path").basename(f))))'
    const script = `require("./dist/reconcile.cjs").handler(${STATUS}, ${context}).then(${report}, ${report}).then(() => process.exit())`
    const { output } = await run(copy.root, ['-e', script], environment as unknown as Record<string, string>)
    const names: string[] = JSON.parse(/^loaded (.*)$/m.exec(output)?.[1] ?? 'null')
    expect(names).toContain('reconcile.cjs')
    expect(names.filter(name => name !== 'reconcile.cjs' && name !== 'no-network.cjs')).toEqual(loaded)
  })
})

describe('bundle', () => {
  it('refuses a chunk that imports something of ours', async () => {
    await withProject({ 'lib/chunk.ts': "export { ours } from './ours.ts'" }, async root => {
      await expect(bundle({ root, functions: ['a'] })).rejects.toThrow(
        'dist/chunks/chunk.cjs may hold a library and nothing of ours, but lib/chunk.ts imports lib/ours.ts',
      )
    })
  })

  it('refuses two chunks of one name', async () => {
    const files = {
      'functions/b.ts': "export const b = () => import('../lib/deeper/chunk.ts')",
      'lib/deeper/chunk.ts': '',
    }
    await withProject(files, async root => {
      await expect(bundle({ root, functions: ['a', 'b'] })).rejects.toThrow('two chunks are named chunk')
    })
  })
})

describe('watch', () => {
  it('bundles again when a source file changes, and tells of nothing else', async () => {
    await withProject({}, async root => {
      const bundles: string[] = []
      let resolve = () => {}
      const changed = new Promise<void>(done => {
        resolve = done
      })
      const onChange = () => {
        bundles.push(readFileSync(path.join(root, 'dist/a.cjs'), 'utf8'))
        if (bundles.at(-1)?.includes('the change')) resolve()
      }
      const stop = await watch({ root, functions: ['a'], onChange })
      await writeFile(path.join(root, 'functions/a.ts'), "export const a = 'the change'")
      await changed
      await stop()
      expect(bundles).toHaveLength(1)
    })
  })

  it('tells why it can’t begin', async () => {
    await withProject({ 'functions/a.ts': 'export const a =' }, async root => {
      await expect(watch({ root, functions: ['a'], onChange: () => {} })).rejects.toThrow('Unexpected end of file')
    })
  })
})

describe('a run without network', () => {
  it('is refused a connection', async () => {
    const { exitCode, output } = await run(copy.root, ['-e', 'require("node:net").connect(1)'])
    expect(exitCode).toBe(1)
    expect(output).toContain('there is no network here')
  })
})

/** A project with one function `a` and one chunk, with some files changed. */
async function withProject(files: Record<string, string>, work: (root: string) => Promise<void>): Promise<void> {
  const root = await mkdtemp(path.join(tmpdir(), 'fencepost-bundle-'))
  const all = {
    'functions/a.ts': "export const a = () => import('../lib/chunk.ts')",
    'lib/chunk.ts': 'export const library = 1',
    'lib/ours.ts': 'export const ours = 1',
    ...files,
  }
  try {
    for (const [file, text] of Object.entries(all)) {
      await mkdir(path.dirname(path.join(root, file)), { recursive: true })
      await writeFile(path.join(root, file), text)
    }
    await work(root)
  } finally {
    await rm(root, { recursive: true, force: true })
  }
}
