import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { connectByKubeconfigText } from '../../../lib/kubernetes/connection.ts'
import * as library from '../../../lib/kubernetes/kubeconfig-library.ts'

const WHERE = 'the kubeconfig in secret x'
const CANARY = 'never-in-a-message'
const SERVER = 'https://10.0.0.1:6443'
const pem = (name: string) => readFileSync(new URL(`../../support/tls/${name}.pem`, import.meta.url), 'utf8')
const base64 = (text: string) => Buffer.from(text).toString('base64')

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fencepost-'))
  writeFileSync(join(folder, 'file'), `${CANARY}-of-a-file`)
})
afterAll(() => rmSync(folder, { recursive: true }))

/** A kubeconfig that is in order; a test breaks what it is about. */
function kubeconfig({ cluster = {}, user = { token: CANARY }, ...rest }: Record<string, unknown> = {}): object {
  return {
    apiVersion: 'v1',
    kind: 'Config',
    preferences: {},
    'current-context': CANARY,
    clusters: [{ name: 'one', cluster: { server: SERVER, ...(cluster as object) } }],
    users: [{ name: 'ann', user }],
    contexts: [{ name: CANARY, context: { cluster: 'one', user: 'ann' } }],
    ...rest,
  }
}

const connect = (content: object | string) =>
  connectByKubeconfigText(library, {
    text: typeof content === 'string' ? content : stringify(content),
    where: WHERE,
  })

describe('the text of a kubeconfig', () => {
  it.each<[string, object, object]>([
    ['a token', { token: 'abc' }, { Authorization: 'Bearer abc' }],
    ['a name and a password', { username: 'ann', password: 'p' }, { authorization: `Basic ${base64('ann:p')}` }],
    [
      'somebody to impersonate',
      { token: 'abc', as: 'bob' },
      { Authorization: 'Bearer abc', 'Impersonate-User': 'bob' },
    ],
  ])('authenticates with %s', async (_, user, headers) => {
    const connection = await connect(kubeconfig({ user }))
    expect(connection.server.href).toBe(`${SERVER}/`)
    expect(await connection.headers()).toEqual(headers)
  })

  it('authenticates with a client certificate, and trusts the authority in it', async () => {
    const user = { 'client-certificate-data': base64(pem('client')), 'client-key-data': base64(pem('client-key')) }
    const { tls } = await connect(kubeconfig({ user, cluster: { 'certificate-authority-data': base64(pem('ca')) } }))
    expect(String(tls.ca)).toBe(pem('ca'))
    expect(String(tls.cert)).toBe(pem('client'))
  })

  it('may be JSON', async () => {
    const connection = await connect(JSON.stringify(kubeconfig()))
    expect(await connection.headers()).toEqual({ Authorization: `Bearer ${CANARY}` })
  })
})

const WRITE = 'write it with `kubectl config view --raw --minify --flatten`, with a token or a client certificate in it'
const USER = 'token, username, password, client-certificate-data, client-key-data, as, extensions'
const CLUSTER =
  'server, certificate-authority-data, insecure-skip-tls-verify, tls-server-name, disable-compression, extensions'
const plain = (wrong: object) => ({ token: CANARY, ...wrong })

describe('the text of a kubeconfig is refused, and nothing in it is told:', () => {
  it.each<[string, () => object | string, string]>([
    [
      'a command',
      () =>
        kubeconfig({
          user: {
            exec: { apiVersion: 'client.authentication.k8s.io/v1', command: 'touch', args: [join(folder, 'ran')] },
          },
        }),
      `a user in it has "exec", and may have only ${USER}; ${WRITE}`,
    ],
    [
      'an auth provider, which may run a command',
      () =>
        kubeconfig({
          user: { 'auth-provider': { name: 'gcp', config: { 'cmd-path': 'touch', 'cmd-args': join(folder, 'ran') } } },
        }),
      `a user in it has "auth-provider", and may have only ${USER}; ${WRITE}`,
    ],
    [
      'a token in a file',
      () => kubeconfig({ user: { tokenFile: join(folder, 'file') } }),
      'a user in it has "tokenFile"',
    ],
    [
      'a token in a file, as the library spells it',
      () => kubeconfig({ user: { 'token-file': join(folder, 'file') } }),
      'a user in it has "token-file"',
    ],
    [
      'a token in a file, of a user that is not the current one',
      () =>
        kubeconfig({
          users: [
            { name: 'ann', user: plain({}) },
            { name: 'bob', user: { 'token-file': join(folder, 'file') } },
          ],
        }),
      'a user in it has "token-file"',
    ],
    [
      'a token in a file, spelt with an escape',
      () =>
        stringify(kubeconfig({ user: { placeholder: join(folder, 'file') } })).replace(
          'placeholder',
          '"token\\x2dfile"',
        ),
      'a user in it has "token-file"',
    ],
    [
      'a client certificate in a file',
      () => kubeconfig({ user: plain({ 'client-certificate': '/opt/a.pem' }) }),
      'a user in it has "client-certificate"',
    ],
    [
      'a client key in a file',
      () => kubeconfig({ user: plain({ 'client-key': '/opt/a.pem' }) }),
      'a user in it has "client-key"',
    ],
    [
      'an authority in a file',
      () => kubeconfig({ cluster: { 'certificate-authority': '/opt/ca.pem' } }),
      `a cluster in it has "certificate-authority", and may have only ${CLUSTER}; ${WRITE}`,
    ],
    ['a proxy', () => kubeconfig({ cluster: { 'proxy-url': `http://${CANARY}` } }), 'a cluster in it has "proxy-url"'],
    [
      'a field that nobody knows',
      () => kubeconfig({ user: plain({ [CANARY]: 1 }) }),
      'a user in it has a field that is not known here',
    ],
    ['text that is not YAML', () => `token: ${CANARY}\n  a: [`, `it is not YAML; ${WRITE}`],
    ['a sentence', () => CANARY, `it is not a kubeconfig with clusters, users and contexts; ${WRITE}`],
    ['nothing', () => '', 'it is not '],
    ['two documents', () => `${stringify(kubeconfig())}---\n${stringify(kubeconfig())}`, 'it is not YAML'],
    ['no users', () => kubeconfig({ users: [] }), 'it is not a kubeconfig'],
    [
      'a cluster without a server',
      () => kubeconfig({ cluster: { server: '' } }),
      "it can't be read (it is not a kubeconfig)",
    ],
    [
      'an unknown context',
      () => kubeconfig({ 'current-context': `${CANARY}-2` }),
      'its current context names no cluster it has',
    ],
    [
      'an unknown user',
      () => kubeconfig({ users: [{ name: 'bob', user: {} }] }),
      'its current context names no user it has',
    ],
    ['a server that is none', () => kubeconfig({ cluster: { server: CANARY } }), 'its server is not an https URL'],
    [
      'a server over plain HTTP',
      () => kubeconfig({ cluster: { server: `http://${CANARY}.example` } }),
      'its server is plain HTTP on another machine; use https',
    ],
    [
      'a certificate that is none',
      () =>
        kubeconfig({ user: { 'client-certificate-data': base64(pem('client')), 'client-key-data': base64(CANARY) } }),
      "its client certificate and key can't be used",
    ],
  ])('%s', async (_, content, why) => {
    const error = (await connect(content()).catch((thrown: unknown) => thrown)) as Error
    expect(error).toMatchObject({ code: 'InvalidConfiguration', message: expect.stringContaining(`${WHERE}: ${why}`) })
    expect(`${error.stack} ${JSON.stringify(error)} ${error.cause}`).not.toContain(CANARY)
  })

  it('after all of which no command has run', () => {
    expect(() => readFileSync(join(folder, 'ran'))).toThrow('ENOENT')
  })
})

describe('without that check', () => {
  it('the library would have read the file while parsing', () => {
    const config = new library.KubeConfig()
    config.loadFromString(stringify(kubeconfig({ user: { 'token-file': join(folder, 'file') } })))
    expect(config.getCurrentUser()?.token).toBe(`${CANARY}-of-a-file`)
  })
})
