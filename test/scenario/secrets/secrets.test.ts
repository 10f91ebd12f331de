// Secrets are planted wherever the loops read one, and everything they print, answer, throw or store is searched for them, on
// the ways that fail above all.

import { fork } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { type EmbeddedKeycloak, type Interception, startKeycloak } from '../../../infra/local/keycloak/server.ts'
import type { RawObject } from '../../../lib/kubernetes/api.ts'
import { CLIENT_SECRET, secret as clientSecret, escalation, provider, realm } from '../../support/directory.ts'
import {
  byKubeconfig,
  clusterConfig,
  kubeconfigOf,
  SERVER_TLS,
  type Spoke,
  secret,
  startSpoke,
} from '../../support/spoke.ts'
import { type LeaseKind, startWorld, type World } from '../../support/world.ts'

const HUB_TOKEN = 'canary-hub-token-1f'
const SPOKE_TOKEN = 'canary-spoke-token-2e'
const WRONG_TOKEN = 'canary-wrong-token-3d'
const EXEC_SECRET = 'canary-exec-secret-4c'
const OIDC_SECRET = 'canary-oidc-secret-5b'
const AWS_SECRET = 'canary-aws-secret-6a'
const PLANTED = [CLIENT_SECRET, HUB_TOKEN, SPOKE_TOKEN, WRONG_TOKEN, EXEC_SECRET, OIDC_SECRET]

const running: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const stop of running.splice(0).reverse()) await stop()
})

interface Scene {
  readonly world: World
  readonly sso: EmbeddedKeycloak
  readonly spoke: Spoke
  run(lease: LeaseKind): Promise<string>
}

async function start(): Promise<Scene> {
  const world = await startWorld(['status-sync', 'config-check'])
  const sso = await startKeycloak({ realms: [realm('corp', { '/duty': ['ann'] })], tls: SERVER_TLS })
  const spoke = await startSpoke({ [SPOKE_TOKEN]: 'ann' })
  const folder = mkdtempSync(join(tmpdir(), 'fencepost-'))
  running.push(world.close, sso.close, spoke.close, () => rmSync(folder, { recursive: true }))
  const kubeconfig = join(folder, 'kubeconfig')
  writeFileSync(kubeconfig, world.kubernetes.kubeconfig(HUB_TOKEN))
  const exec = {
    command: 'x',
    env: [{ name: 'SECRET', value: EXEC_SECRET }],
    apiVersion: 'client.authentication.k8s.io/v1',
  }
  await world.kubernetes.load([
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team' } },
    clientSecret(),
    provider('corp', sso.url),
    escalation('ops', ['duty']),
    ...byKubeconfig('good', kubeconfigOf(spoke.url, { user: { token: SPOKE_TOKEN } })),
    ...byKubeconfig('wrong', kubeconfigOf(spoke.url, { user: { token: WRONG_TOKEN } })),
    ...byKubeconfig('runs', kubeconfigOf(spoke.url, { user: { exec } })),
    ...byKubeconfig('torn', `{"users": "${EXEC_SECRET}`),
    secret('oidc', { value: OIDC_SECRET }),
    clusterConfig('oidc', {
      authType: 'OIDC',
      oidcAuth: {
        issuerURL: `${sso.url}/realms/corp`,
        clientID: 'sync',
        server: spoke.url,
        clientSecretRef: { name: 'oidc', namespace: 'team' },
      },
    }),
  ])
  return {
    world,
    sso,
    spoke,
    async run(lease) {
      const env = {
        PATH: process.env.PATH ?? '',
        ...world.environment(lease),
        KUBECONFIG: kubeconfig,
        LOG_LEVEL: 'DEBUG',
        AWS_SECRET_ACCESS_KEY: AWS_SECRET,
      }
      const child = fork('test/scenario/secrets/run.ts', { execArgv: ['--import', 'tsx'], env, silent: true })
      const printed: string[] = []
      child.stdout?.on('data', chunk => printed.push(String(chunk)))
      child.stderr?.on('data', chunk => printed.push(String(chunk)))
      const told = await new Promise<string[]>((resolve, reject) => {
        child.once('message', message => resolve(message as string[]))
        child.once('exit', code => reject(new Error(`it ended with ${code}: ${printed.join('')}`)))
      })
      await new Promise(resolve => child.once('close', resolve))
      return [...printed, ...told, JSON.stringify(await stored(world, lease))].join('\n')
    },
  }
}

/** Everything that is stored and is no Secret. */
async function stored({ api, record }: World, lease: LeaseKind): Promise<unknown[]> {
  const group = '/apis/breakglass.t-caas.telekom.com/v1alpha1'
  const paths = [
    `${group}/breakglassescalations`,
    `${group}/clusterconfigs`,
    `${group}/identityproviders`,
    '/apis/events.k8s.io/v1/events',
    '/apis/coordination.k8s.io/v1/leases',
    '/apis/fencepost.dev/v1/fences',
  ]
  const lists = await Promise.all(paths.map(path => api.request({ method: 'GET', path, repeat: 'read' })))
  const items = lists.flatMap(({ body }) => (body as { items: RawObject[] }).items)
  return [...items, await record(lease, 'status-sync'), await record(lease, 'config-check')]
}

/** Where a secret may be found: as it is, or as Secrets and headers carry it. */
const formsOf = (text: string) => [
  text,
  encodeURIComponent(text),
  Buffer.from(text).toString('base64').replace(/=+$/, ''),
]

const ALL = PLANTED.join(' ')
const FAULTS: Readonly<Record<string, Interception>> = {
  'as all should be': undefined,
  'with broken connections': 'reset',
  'with refusals that quote what was sent': {
    status: 401,
    body: { error: CLIENT_SECRET, error_description: ALL, message: ALL, reason: ALL, kind: 'Status' },
  },
  'with failures that quote what was sent': { status: 500, body: { message: ALL, kind: 'Status' } },
  'with pages that quote what was sent': { status: 200, headers: { 'content-type': 'text/html' }, body: ALL },
  'with redirects that quote what was sent': { status: 302, headers: { location: `https://x.test/?s=${OIDC_SECRET}` } },
}

describe.each<LeaseKind>(['kubernetes', 'dynamodb'])('with the %s lease, no secret is told', lease => {
  it.each(Object.keys(FAULTS))('%s', { timeout: 60_000 }, async name => {
    const scene = await start()
    const fault = FAULTS[name]
    scene.sso.intercept = () => fault
    if (fault !== undefined) scene.spoke.api.intercept = () => fault as never
    const text = await scene.run(lease)
    // It did look, and it did tell.
    expect(scene.sso.requests.length).toBeGreaterThan(0)
    expect(text).toMatch(/"loop":"status-sync"/)
    expect(text).toMatch(/"loop":"config-check"/)
    expect(text).toContain('_aws')
    for (const planted of [...PLANTED, AWS_SECRET, 'eyJ'])
      for (const form of formsOf(planted))
        expect(
          text.includes(form),
          `${planted} in ${text.slice(Math.max(0, text.indexOf(form) - 200), text.indexOf(form) + 50)}`,
        ).toBe(false)
  })
})
