import { describe, expect, it } from 'vitest'
import type { Interception } from '../../../../infra/local/kubernetes/server.ts'
import {
  byKubeconfig,
  clusterConfig,
  type KubeconfigChanges,
  kubeconfigOf,
  OTHER_CA,
  secret,
  startSpoke,
  TOKEN,
} from '../../../support/spoke.ts'
import { ending, startHub, WAS_READY } from './harness.ts'
import { ref } from './worlds.ts'

const SERVER = 'https://127.0.0.1:1'
const base64 = (text: string) => Buffer.from(text).toString('base64')

describe('a cluster with a kubeconfig', () => {
  it('is ready when it answers and knows the token', async () => {
    const spoke = ending(await startSpoke())
    const hub = await startHub(byKubeconfig('a', kubeconfigOf(spoke.url)))
    const { broken, thrown } = await hub.pass()
    expect([broken, thrown]).toEqual([[], []])
    expect(await hub.condition('a')).toMatchObject({
      status: 'True',
      reason: 'KubeconfigValidated',
      message: 'The cluster answers, and accepts the kubeconfig in Secret team/a.',
      observedGeneration: 1,
    })
    expect(spoke.api.requests.map(({ method, path, status, user }) => [method, path, status, user])).toEqual([
      ['POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', 201, 'ann'],
    ])
  })

  it('may be behind a path', async () => {
    const spoke = ending(await startSpoke())
    const hub = await startHub(byKubeconfig('a', kubeconfigOf(`${spoke.url}/k8s/clusters/c-1/`)))
    await hub.pass()
    expect(spoke.api.requests[0]?.path).toBe('/k8s/clusters/c-1/apis/authentication.k8s.io/v1/selfsubjectreviews')
  })

  it('that is older than its question is asked what may be done there instead', async () => {
    const spoke = ending(await startSpoke())
    spoke.api.intercept = ({ path }) => (path.endsWith('selfsubjectreviews') ? { status: 404 } : undefined)
    const hub = await startHub(byKubeconfig('a', kubeconfigOf(spoke.url)))
    await hub.pass()
    expect(await hub.ready('a')).toBe('True KubeconfigValidated')
    expect(spoke.api.requests.map(({ path, status }) => [path.split('/').at(-1), status])).toEqual([
      ['selfsubjectreviews', 404],
      ['selfsubjectaccessreviews', 201],
    ])
  })

  it('is trusted unseen only where the kubeconfig says so', async () => {
    const spoke = ending(await startSpoke())
    const insecure = { 'certificate-authority-data': undefined, 'insecure-skip-tls-verify': true }
    const hub = await startHub(byKubeconfig('a', kubeconfigOf(spoke.url, { cluster: insecure })))
    await hub.pass()
    expect(await hub.ready('a')).toBe('True KubeconfigValidated')
  })

  it('has its kubeconfig under the key that the reference names, else under "value"', async () => {
    const spoke = ending(await startSpoke())
    const text = kubeconfigOf(spoke.url)
    const hub = await startHub([
      secret('named', { mine: text }),
      clusterConfig('named', { kubeconfigSecretRef: ref('named', 'mine') }),
      secret('other', { kubeconfig: text }),
      clusterConfig('other', { kubeconfigSecretRef: ref('other') }),
    ])
    await hub.pass()
    expect(await hub.ready('named')).toBe('True KubeconfigValidated')
    expect(await hub.condition('other')).toMatchObject({
      status: 'False',
      reason: 'SecretKeyMissing',
      message: 'Secret team/other has nothing under key "value".',
    })
  })
})

describe('what a cluster answers, and what that is told as:', () => {
  const reach = "The cluster can't be reached: "
  it.each<[string, Exclude<Interception, string | undefined>, string]>([
    ['401', { status: 401 }, 'The cluster refuses its credentials (HTTP 401).'],
    [
      '403',
      { status: 403 },
      'The cluster refuses its credentials, or gives them no right to ask who they are (HTTP 403).',
    ],
    [
      'nobody',
      { status: 201, body: { kind: 'SelfSubjectReview', status: { userInfo: { username: 'system:anonymous' } } } },
      'The cluster takes its credentials for nobody (system:anonymous).',
    ],
    [
      'a redirect',
      { status: 307, headers: { location: 'https://127.0.0.1:1/' } },
      `${reach}it answers with a redirect (HTTP 307), which is not followed.`,
    ],
    ['429', { status: 429 }, `${reach}it answers HTTP 429.`],
    ['503', { status: 503 }, `${reach}it answers HTTP 503.`],
    ['404 to both questions', { status: 404 }, `${reach}it answers HTTP 404.`],
    ['some other JSON', { status: 200, body: { hello: 'world' } }, `${reach}what answers is no Kubernetes API.`],
    ['a page', { status: 200, headers: { 'content-type': 'text/html' } }, `${reach}what answers is no Kubernetes API.`],
  ])('%s', async (_, answer, message) => {
    const spoke = ending(await startSpoke())
    spoke.api.intercept = () => answer
    const hub = await startHub(byKubeconfig('a', kubeconfigOf(spoke.url)))
    await hub.pass()
    expect(await hub.condition('a')).toMatchObject({ status: 'False', reason: 'ClusterUnreachable', message })
  })

  it('an answer without an end', async () => {
    const spoke = ending(await startSpoke())
    spoke.api.intercept = () => ({
      status: 201,
      body: { kind: 'SelfSubjectReview', status: {}, long: 'x'.repeat(300_000) },
    })
    const hub = await startHub(byKubeconfig('a', kubeconfigOf(spoke.url)))
    await hub.pass()
    expect(await hub.condition('a')).toMatchObject({
      reason: 'ClusterUnreachable',
      message: `${reach}the answer is longer than 262144 bytes.`,
    })
  })

  it('a token it does not know, a certificate that is not its authority’s, and nobody there', async () => {
    const spoke = ending(await startSpoke())
    const hub = await startHub([
      ...byKubeconfig('stranger', kubeconfigOf(spoke.url, { user: { token: `${TOKEN}-of-yesterday` } })),
      ...byKubeconfig(
        'impostor',
        kubeconfigOf(spoke.url, { cluster: { 'certificate-authority-data': base64(OTHER_CA) } }),
      ),
      ...byKubeconfig('nobody', kubeconfigOf(SERVER)),
    ])
    await hub.pass()
    const told = async (name: string) => (await hub.condition(name))?.message
    expect(await told('stranger')).toBe('The cluster refuses its credentials (HTTP 401).')
    expect(await told('impostor')).toMatch(
      /^The cluster can't be reached: its certificate is not trusted \([A-Z_]+\)\.$/,
    )
    expect(await told('nobody')).toBe("The cluster can't be reached: the connection failed (ECONNREFUSED).")
    expect(spoke.api.requests.map(({ status }) => status)).toEqual([401])
  })
})

describe('a kubeconfig that is none is told at once:', () => {
  const where = 'The kubeconfig in Secret team/a'
  it.each<[string, string, string]>([
    ['it is not YAML', 'a: [', `${where}: it is not YAML; `],
    ['it is a sentence', 'hello world', `${where}: it is not a kubeconfig with clusters, users and contexts; `],
    [
      'its context is unknown',
      kubeconfigOf(SERVER, { 'current-context': 'elsewhere' }),
      `${where}: its current context names no cluster it has.`,
    ],
    [
      'its user is unknown',
      kubeconfigOf(SERVER, { users: [{ name: 'bob', user: {} }] }),
      `${where}: its current context names no user it has.`,
    ],
    ['its server is none', kubeconfigOf('ftp://10.0.0.1'), `${where}: its server is not an https URL.`],
  ])('%s', async (_, text, message) => {
    const hub = await startHub(byKubeconfig('a', text, WAS_READY))
    await hub.pass()
    const condition = await hub.condition('a')
    expect([condition?.status, condition?.reason]).toEqual(['False', 'KubeconfigParseFailed'])
    expect(condition?.message).toContain(message)
  })
})

describe('a kubeconfig that leads outside its text leaves the cluster as it is, and nothing is run, read or sent:', () => {
  const exec = {
    exec: { apiVersion: 'client.authentication.k8s.io/v1', command: '/bin/false', interactiveMode: 'Never' },
  }
  it.each<[string, string, KubeconfigChanges]>([
    ['a command', 'command', { user: exec }],
    ['an auth provider', 'command', { user: { 'auth-provider': { name: 'gcp' } } }],
    ['a file with a token', 'file', { user: { tokenFile: '/etc/hosts' } }],
    ['a file with a certificate', 'file', { user: { 'client-certificate': '/etc/hosts', 'client-key': '/etc/hosts' } }],
    ['a file with an authority', 'file', { cluster: { 'certificate-authority': '/etc/hosts' } }],
    ['a proxy', 'proxy', { cluster: { 'proxy-url': 'http://127.0.0.1:1' } }],
    ['a field of a later day', 'unknown-field', { user: { 'as-groups': ['admins'] } }],
    ['a server of this machine without TLS', 'plain-http', { cluster: { server: 'http://127.0.0.1:1' } }],
    ['a server elsewhere without TLS', 'plain-http', { cluster: { server: 'http://10.0.0.1:1' } }],
  ])('%s', async (_, why, changes) => {
    const spoke = ending(await startSpoke())
    const hub = await startHub(byKubeconfig('a', kubeconfigOf(spoke.url, changes)))
    const { actions } = await hub.pass()
    expect(actions.map(({ reason, from, to }) => [reason, from, to])).toEqual([[why, 'Ready=unset', 'Ready=unset']])
    expect([await hub.ready('a'), spoke.api.requests.length]).toEqual(['unset', 0])
    expect(await hub.events()).toEqual(['ClusterConfigNotTried a'])
  })
})

it('a kubeconfig of a kilobyte that says a terabyte is held back like any with aliases, at once', async () => {
  const levels = Array.from({ length: 12 }, (_, level) => {
    const item = level === 0 ? 'x' : `*level${level - 1}`
    return `level${level}: &level${level} [${Array(10).fill(item).join(', ')}]`
  })
  const plain = kubeconfigOf(SERVER).replace(/^\{/, '')
  const bomb = `{${levels.join(',\n')},${plain}`
  const hub = await startHub(byKubeconfig('a', bomb))
  const { actions } = await hub.pass()
  expect(bomb.length).toBeLessThan(4_000)
  const single = `{"extensions": &one [], "preferences": *one,${plain}`
  expect((await (await startHub(byKubeconfig('a', single))).pass()).actions[0]?.reason).toBe('aliases')
  expect(actions.map(({ reason }) => reason)).toEqual(['aliases'])
})
