import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { stringify } from 'yaml'
import { connectByKubeconfig, connectToEks } from '../../../lib/kubernetes/connection.ts'
import { EKS_TOKEN_LIFE_MS } from '../../../lib/kubernetes/eks-token.ts'
import { KubeConfig } from '../../../lib/kubernetes/kubeconfig-library.ts'
import { openTransport } from '../../../lib/kubernetes/transport.ts'
import { type Clock, HOUR_MS, systemClock } from '../../../lib/time.ts'
import { manualClock } from '../../support/clock.ts'

const SERVER = 'https://10.0.0.1:6443'
const pem = (name: string) => readFileSync(new URL(`../../support/tls/${name}.pem`, import.meta.url), 'utf8')
const base64 = (text: string) => Buffer.from(text).toString('base64')

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fencepost-'))
})

afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true, force: true })
})

/** A kubeconfig that is in order; a test breaks what it is about. */
function kubeconfig({ cluster = {}, user = {}, ...rest }: Record<string, unknown> = {}): object {
  return {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'test',
    clusters: [{ name: 'one', cluster: { server: SERVER, ...(cluster as object) } }],
    users: [{ name: 'ann', user }],
    contexts: [{ name: 'test', context: { cluster: 'one', user: 'ann' } }],
    ...rest,
  }
}

function file(name: string, content: object | string): string {
  const path = join(folder, name)
  writeFileSync(path, typeof content === 'string' ? content : stringify(content))
  return path
}

const connect = (content: object | string, clock?: Clock) =>
  connectByKubeconfig(KubeConfig, file('config', content), clock)

describe('a kubeconfig', () => {
  it.each<[string, object, Record<string, string>]>([
    ['a token', { token: 'abc' }, { Authorization: 'Bearer abc' }],
    ['a token with a line break after it', { token: 'abc\n' }, { Authorization: 'Bearer abc' }],
    [
      'a name and a password',
      { username: 'ann', password: 'pa:ss' },
      { authorization: `Basic ${base64('ann:pa:ss')}` },
    ],
    [
      'somebody to impersonate',
      { token: 'abc', as: 'bob' },
      { Authorization: 'Bearer abc', 'Impersonate-User': 'bob' },
    ],
    ['nothing', {}, {}],
  ])('authenticates with %s', async (_title, user, headers) => {
    const connection = await connect(kubeconfig({ user }))
    expect(connection.server.href).toBe(`${SERVER}/`)
    expect(await connection.headers()).toEqual(headers)
    expect(connection.tls).toEqual({})
  })

  it('authenticates with a token in a file of its own', async () => {
    const connection = await connect(kubeconfig({ user: { 'token-file': file('token', 'abc\n') } }))
    expect(await connection.headers()).toEqual({ Authorization: 'Bearer abc' })
  })

  const certificates = { ca: pem('ca'), cert: pem('client'), key: pem('client-key') }
  const textsOf = (tls: object) => Object.fromEntries(Object.entries(tls).map(([key, value]) => [key, String(value)]))

  it('gives certificates from its own text', async () => {
    const connection = await connect(
      kubeconfig({
        cluster: { 'certificate-authority-data': base64(pem('ca')), 'tls-server-name': 'api.internal' },
        user: { 'client-certificate-data': base64(pem('client')), 'client-key-data': base64(pem('client-key')) },
      }),
    )
    expect(textsOf(connection.tls)).toEqual({ ...certificates, servername: 'api.internal' })
  })

  it('gives certificates from files beside it', async () => {
    for (const name of ['ca', 'client', 'client-key']) file(`${name}.pem`, pem(name))
    const connection = await connect(
      kubeconfig({
        cluster: { 'certificate-authority': 'ca.pem' },
        user: { 'client-certificate': 'client.pem', 'client-key': join(folder, 'client-key.pem') },
      }),
    )
    expect(textsOf(connection.tls)).toEqual(certificates)
  })

  it('leaves the certificate unverified only where it says so', async () => {
    expect((await connect(kubeconfig())).tls).not.toHaveProperty('rejectUnauthorized')
    const insecure = kubeconfig({ cluster: { 'insecure-skip-tls-verify': true } })
    expect((await connect(insecure)).tls).toEqual({ rejectUnauthorized: false })
  })

  it('keeps the path of a server behind a prefix', async () => {
    const connection = await connect(kubeconfig({ cluster: { server: `${SERVER}/k8s/clusters/c-1/` } }))
    expect(connection.server.pathname).toBe('/k8s/clusters/c-1')
  })

  it.each(['http://127.0.0.1:8001', 'http://localhost:8001', 'http://[::1]:8001'])(
    'may have the plain address %s of this machine, as kubectl proxy opens one',
    async server => {
      const connection = await connect(kubeconfig({ cluster: { server }, user: { token: 'abc' } }))
      expect(connection.server.origin).toBe(server)
      expect(await connection.headers()).toEqual({ Authorization: 'Bearer abc' })
    },
  )

  it('of two files takes the context from the first and the cluster from the second', async () => {
    const first = { ...kubeconfig(), clusters: [], users: [] }
    const second = { ...kubeconfig({ user: { token: 'from the second' } }), 'current-context': 'other', contexts: [] }
    const paths = [file('first', first), file('second', second)].join(delimiter)
    const connection = await connectByKubeconfig(KubeConfig, `${delimiter}${paths}`)
    expect(connection.server.href).toBe(`${SERVER}/`)
    expect(await connection.headers()).toEqual({ Authorization: 'Bearer from the second' })
  })
})

describe('no given kubeconfig', () => {
  it('looks in ~/.kube/config', async () => {
    vi.stubEnv('HOME', folder)
    mkdirSync(join(folder, '.kube'))
    file('.kube/config', kubeconfig({ user: { token: 'from home' } }))
    const connection = await connectByKubeconfig(KubeConfig, undefined)
    expect(await connection.headers()).toEqual({ Authorization: 'Bearer from home' })
  })

  it('and none at home either says what to set', async () => {
    vi.stubEnv('HOME', folder)
    await expect(connectByKubeconfig(KubeConfig, undefined)).rejects.toMatchObject({
      code: 'InvalidConfiguration',
      message: 'the default kubeconfig: there is none; set KUBECONFIG, or EKS_CLUSTER with EKS_ENDPOINT and EKS_CA',
    })
  })
})

describe('an unusable kubeconfig is refused:', () => {
  const SECRET = 'never-in-a-message'
  const user = { token: SECRET, password: SECRET, username: SECRET }

  it.each<[string, object | string, string]>([
    ['it is not YAML', `token: ${SECRET}\n  a: [`, "it can't be read (it is not a kubeconfig)"],
    ['it is empty', '', "it can't be read (it is not a kubeconfig)"],
    ['it is a sentence', SECRET, 'its current context "" names no cluster it has'],
    [
      'it has no current context',
      kubeconfig({ user, 'current-context': undefined }),
      'its current context "" names no cluster it has',
    ],
    [
      'its context is unknown',
      kubeconfig({ user, 'current-context': 'prod' }),
      'its current context "prod" names no cluster it has',
    ],
    ['it has no cluster', kubeconfig({ user, clusters: [] }), 'its current context "test" names no cluster it has'],
    [
      'its cluster has no server',
      kubeconfig({ user, cluster: { server: '' } }),
      "it can't be read (it is not a kubeconfig)",
    ],
    ['it has no such user', kubeconfig({ users: [] }), 'its current context "test" names no user it has'],
    [
      'its server has no scheme',
      kubeconfig({ user, cluster: { server: '10.0.0.1:6443' } }),
      'its server "10.0.0.1:6443" is not an https URL',
    ],
    [
      'its server has a host for a scheme',
      kubeconfig({ user, cluster: { server: 'localhost:6443' } }),
      'its server "localhost:6443" is not an https URL',
    ],
    [
      'its server is a file',
      kubeconfig({ user, cluster: { server: 'file:///etc/hosts' } }),
      'its server "file:///etc/hosts" is not an https URL',
    ],
    [
      'its server has plain HTTP on another machine',
      kubeconfig({ user, cluster: { server: 'http://10.0.0.1:8080' } }),
      'its server "http://10.0.0.1:8080" is plain HTTP on another machine; use https',
    ],
    [
      'it has a proxy',
      kubeconfig({ user, cluster: { 'proxy-url': `http://ann:${SECRET}@proxy:3128` } }),
      'its proxy-url is not supported; reach the server directly',
    ],
    [
      'a file it names is missing',
      kubeconfig({ user, cluster: { 'certificate-authority': '/no/such/ca.pem' } }),
      "its file /no/such/ca.pem can't be read (ENOENT)",
    ],
  ])('%s', async (_title, content, why) => {
    const error = await connect(content).catch((thrown: Error) => thrown)
    expect(error).toMatchObject({
      code: 'InvalidConfiguration',
      message: `kubeconfig ${join(folder, 'config')}: ${why}`,
    })
    expect(String((error as Error).stack)).not.toContain(SECRET)
  })

  it('its client key is not PEM', async () => {
    const pair = { 'client-certificate-data': base64(pem('client')), 'client-key-data': base64(SECRET) }
    const error = await connect(kubeconfig({ user: pair })).catch((thrown: Error) => thrown)
    expect(error).toMatchObject({
      code: 'InvalidConfiguration',
      message: expect.stringMatching(/: its client certificate and key can't be used \(ERR_\w+\)$/),
    })
    expect(String((error as Error).stack)).not.toContain(SECRET)
  })

  it('it is missing', async () => {
    const path = join(folder, 'nowhere')
    await expect(connectByKubeconfig(KubeConfig, path)).rejects.toMatchObject({
      code: 'InvalidConfiguration',
      message: `kubeconfig ${path}: it can't be read (ENOENT)`,
    })
  })
})

describe('an exec command', () => {
  /** A real command: it notes each call, then does what `body` says. */
  function command(body: string): string {
    const path = file(
      'login',
      `#!${process.execPath}\nrequire('node:fs').appendFileSync(${JSON.stringify(join(folder, 'calls'))}, 'x')\n${body}\n`,
    )
    chmodSync(path, 0o755)
    return path
  }
  const calls = () => readFileSync(join(folder, 'calls'), 'utf8').length
  const answering = (status: object) =>
    `console.log(JSON.stringify({ apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status: ${JSON.stringify(status)} }))`
  const withCommand = (path: string, exec: object = {}) =>
    kubeconfig({
      user: {
        exec: { apiVersion: 'client.authentication.k8s.io/v1', command: path, interactiveMode: 'Never', ...exec },
      },
    })

  it('gives a token, and is called once for ten requests', async () => {
    const expirationTimestamp = new Date(Date.now() + HOUR_MS).toISOString()
    const connection = await connect(withCommand(command(answering({ token: 'fresh', expirationTimestamp }))))
    for (let i = 0; i < 10; i++) expect(await connection.headers()).toEqual({ Authorization: 'Bearer fresh' })
    expect(calls()).toBe(1)
  })

  it('is called again once its token has expired', async () => {
    const expirationTimestamp = new Date(Date.now() - 1).toISOString()
    const connection = await connect(withCommand(command(answering({ token: 'stale', expirationTimestamp }))))
    await connection.headers()
    await connection.headers()
    expect(calls()).toBe(3)
  })

  it('gets its arguments and variables', async () => {
    const path = command(`console.log(JSON.stringify({ status: { token: process.argv[2] + process.env.REALM } }))`)
    const connection = await connect(withCommand(path, { args: ['for-'], env: [{ name: 'REALM', value: 'edge' }] }))
    expect(await connection.headers()).toEqual({ Authorization: 'Bearer for-edge' })
  })

  it('gives a client certificate', async () => {
    const status = { clientCertificateData: pem('client'), clientKeyData: pem('client-key') }
    const connection = await connect(withCommand(command(answering(status))))
    expect(connection.tls).toEqual({ cert: pem('client'), key: pem('client-key') })
    expect(await connection.headers()).toEqual({})
  })

  it.each<[string, string]>([
    ['fails', `console.error('secret-of-it'); process.exit(3)`],
    ['prints no JSON', `console.log('secret-of-it')`],
    ['prints JSON without a status', `console.log('{"token":"secret-of-it"}')`],
    ['prints null', `console.log('null')`],
    ['prints a status without credentials', `console.log('{"status":{}}')`],
    ['prints nothing', ''],
  ])('that %s is named, and nothing that it wrote', async (_title, body) => {
    const path = command(body)
    const error = await connect(withCommand(path)).catch((thrown: Error) => thrown)
    expect(error).toMatchObject({
      code: 'Unauthorized',
      message: `kubeconfig ${join(folder, 'config')}: its exec command "${path}" gave no credentials; run it by hand to see why`,
    })
    expect(String((error as Error).stack)).not.toContain('secret-of-it')
  })

  it('that does not exist is named', async () => {
    await expect(connect(withCommand('/no/such/login'))).rejects.toMatchObject({
      code: 'Unauthorized',
      message: expect.stringContaining('its exec command "/no/such/login" gave no credentials'),
    })
  })

  it('that never ends is left after 10 s', async () => {
    const limits: number[] = []
    const clock: Clock = { ...systemClock, sleep: async ms => void limits.push(ms) }
    const path = command(`process.stdin.on('end', () => process.exit()).resume()`)
    await expect(connect(withCommand(path), clock)).rejects.toMatchObject({
      code: 'Unauthorized',
      message: expect.stringContaining('it did not end within 10.0 s'),
    })
    expect(limits).toEqual([10_000])
  })

  it('that comes to fail later fails the request, with nothing sent', async () => {
    const path = command(
      `if (require('node:fs').readFileSync(${JSON.stringify(join(folder, 'calls'))}).length > 1) process.exit(1)\n${answering({ token: 'short', expirationTimestamp: '2020-01-01T00:00:00Z' })}`,
    )
    const connection = await connect(withCommand(path))
    await expect(connection.headers()).rejects.toMatchObject({ code: 'Unauthorized' })
  })
})

describe('a connection to EKS', () => {
  const cluster = {
    name: 'edge',
    endpoint: 'https://abc.eks.amazonaws.com',
    certificateAuthority: base64(pem('ca')),
    region: 'eu-central-1',
  }
  const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' }

  it('trusts the cluster’s own authority', () => {
    const { server, tls } = connectToEks(cluster, () => credentials, systemClock)
    expect(server.host).toBe('abc.eks.amazonaws.com')
    expect(tls).toEqual({ ca: pem('ca') })
  })

  it('signs a new token after 10 min, with the credentials as they are then', async () => {
    const clock = manualClock()
    let key = 'AKIDFIRST'
    const { headers } = connectToEks(cluster, () => ({ ...credentials, accessKeyId: key }), clock)
    const signedBy = async () =>
      /Credential=(\w+)%2F/.exec(
        Buffer.from((await headers()).authorization?.slice('Bearer k8s-aws-v1.'.length) ?? '', 'base64url').toString(),
      )?.[1]
    expect(await signedBy()).toBe('AKIDFIRST')
    key = 'AKIDSECOND'
    await clock.advance(EKS_TOKEN_LIFE_MS - 1)
    expect(await signedBy()).toBe('AKIDFIRST')
    await clock.advance(1)
    expect(await signedBy()).toBe('AKIDSECOND')
  })

  it('signs a new token when the clock was set back by more than a token’s life', async () => {
    const clock = manualClock()
    const { headers } = connectToEks(cluster, () => credentials, clock)
    const first = await headers()
    clock.stepWall(-EKS_TOKEN_LIFE_MS)
    expect(await headers()).not.toEqual(first)
  })
})

describe('over TLS', () => {
  let server: Server
  let sessions: TLSSocket[]
  let arrived: number

  beforeEach(async () => {
    sessions = []
    arrived = 0
    server = createServer(
      { cert: pem('server'), key: pem('server-key'), ca: pem('ca'), requestCert: true, rejectUnauthorized: false },
      (_request, response) => {
        arrived++
        response.setHeader('content-type', 'application/json').end('{}')
      },
    )
    server.on('secureConnection', socket => sessions.push(socket))
    // A client that refuses our certificate ends the handshake; that is no failure of this server.
    server.on('tlsClientError', (_error: Error, socket: Socket) => socket.destroy())
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  })

  afterEach(async () => {
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  })

  async function open(cluster: object, user: object = { token: 'abc' }, host = '127.0.0.1') {
    const url = `https://${host}:${(server.address() as AddressInfo).port}`
    return openTransport(await connect(kubeconfig({ cluster: { server: url, ...cluster }, user })), {
      clock: systemClock,
    })
  }
  const read = { method: 'GET', path: '/version', repeat: 'read' } as const

  it('40 requests share one connection to a server whose authority is known', async () => {
    const api = await open({ 'certificate-authority-data': base64(pem('ca')) })
    for (let i = 0; i < 40; i++) expect((await api.request(read)).status).toBe(200)
    expect(sessions).toHaveLength(1)
    expect(arrived).toBe(40)
    api.close()
  })

  it('a client certificate is shown', async () => {
    const user = { 'client-certificate-data': base64(pem('client')), 'client-key-data': base64(pem('client-key')) }
    const api = await open({ 'certificate-authority-data': base64(pem('ca')) }, user)
    await api.request(read)
    expect(sessions[0]?.authorized).toBe(true)
    expect(sessions[0]?.getPeerCertificate().subject.CN).toBe('ann')
    api.close()
  })

  it.each<[string, object, string]>([
    ['of an unknown authority', { 'certificate-authority-data': base64(pem('other-ca')) }, 'SELF_SIGNED_CERT_IN_CHAIN'],
    ['of no authority that a public one knows', {}, 'SELF_SIGNED_CERT_IN_CHAIN'],
    [
      'for another host',
      { 'certificate-authority-data': base64(pem('ca')), 'tls-server-name': 'api.internal' },
      'ERR_TLS_CERT_ALTNAME_INVALID',
    ],
  ])('a certificate %s fails the first try, and nothing was sent', async (_title, cluster, code) => {
    const api = await open(cluster)
    for (const request of [read, { ...read, method: 'PUT', body: {}, repeat: 'bound' } as const])
      await expect(api.request(request)).rejects.toMatchObject({
        code: 'InvalidConfiguration',
        message: expect.stringMatching(
          `^${request.method} /version: the API server's certificate is not trusted \\(${code}\\); check the cluster's CA and host name$`,
        ),
      })
    expect(arrived).toBe(0)
    api.close()
  })

  it('an authority that is not PEM fails the first try as configuration', async () => {
    const api = await open({ 'certificate-authority-data': base64('garbage') })
    await expect(api.request(read)).rejects.toMatchObject({ code: 'InvalidConfiguration' })
    expect(arrived).toBe(0)
    api.close()
  })

  it('insecure-skip-tls-verify trusts anybody', async () => {
    const api = await open({ 'insecure-skip-tls-verify': true })
    expect((await api.request(read)).status).toBe(200)
    api.close()
  })
})
