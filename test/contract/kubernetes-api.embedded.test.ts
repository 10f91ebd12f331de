// The contract over the embedded API, and what only it has: faults, compaction, tokens, samples, its request log.
import { readdirSync, readFileSync } from 'node:fs'
import { Agent, request as httpRequest } from 'node:http'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { loadSamples } from '../../infra/local/kubernetes/samples.ts'
import { type Interception, type KubernetesApi, startKubernetesApi } from '../../infra/local/kubernetes/server.ts'
import { type Answer, describeKubernetesApi, type Request } from './kubernetes-api.contract.ts'

const LOCAL = join(import.meta.dirname, '../../infra/local')
const crds = readdirSync(join(LOCAL, 'crds')).map(
  file => parse(readFileSync(join(LOCAL, 'crds', file), 'utf8')) as object,
)
const LEASES = '/apis/coordination.k8s.io/v1/namespaces/default/leases'
const SESSIONS = '/apis/breakglass.t-caas.telekom.com/v1alpha1/namespaces/breakglass-system/breakglasssessions'
const MERGE = { 'content-type': 'application/merge-patch+json' }

function client(url: string): { request: Request; close: () => void } {
  const agent = new Agent({ keepAlive: true })
  const request: Request = (method, path, body, headers = {}) =>
    new Promise((resolve, reject) => {
      const data = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body)
      const length = { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(data)) }
      const sent = httpRequest(
        `${url}${path}`,
        { method, agent, headers: { ...(data === '' ? {} : length), ...headers } },
        response => {
          let text = ''
          response.setEncoding('utf8')
          response.on('data', chunk => {
            text += chunk
          })
          response.on('error', reject)
          response.on('end', () =>
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers,
              body: parsed(text),
              text,
            } as Answer),
          )
        },
      )
      sent.on('error', reject)
      sent.end(data)
    })
  return { request, close: () => agent.destroy() }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

describeKubernetesApi('the embedded server', async () => {
  const api = await startKubernetesApi()
  const { request, close } = client(api.url)
  return {
    request,
    close: async () => {
      close()
      await api.close()
    },
  }
})

describe('the embedded Kubernetes API alone', () => {
  let api: KubernetesApi
  let request: Request
  let closeClient: () => void
  const tokens: Record<string, string> = {}

  const start = async (options: Parameters<typeof startKubernetesApi>[0] = {}) => {
    api = await startKubernetesApi({ crds, ...options })
    ;({ request, close: closeClient } = client(api.url))
  }
  const lease = (name: string) => ({ metadata: { name }, spec: {} })

  beforeEach(() => start())
  afterEach(async () => {
    closeClient()
    await api.close()
  })
  const restart = async (options: Parameters<typeof startKubernetesApi>[0]) => {
    closeClient()
    await api.close()
    await start(options)
  }

  it('remembers each request with its status and the user it acts as', async () => {
    await request('POST', LEASES, lease('a'), { 'impersonate-user': 'fencepost:cleanup' })
    await request('GET', `${LEASES}/b?timeout=5s`)
    expect(api.requests).toEqual([
      { method: 'POST', path: LEASES, query: '', status: 201, user: 'fencepost:cleanup' },
      { method: 'GET', path: `${LEASES}/b`, query: 'timeout=5s', status: 404, user: 'admin' },
    ])
    api.clearRequests()
    expect(api.requests).toEqual([])
  })

  it('remembers only the last requests when told how many', async () => {
    await restart({ requestLimit: 4 })
    for (let at = 0; at < 9; at += 1) await request('GET', `/version?at=${at}`)
    expect(api.requests.length).toBeLessThanOrEqual(5)
    expect(api.requests.at(-1)?.query).toBe('at=8')
  })

  describe('lets its fault hook', () => {
    it('answer in its place', async () => {
      api.intercept = () => ({ status: 503, headers: { 'retry-after': '2' }, body: { kind: 'Status', code: 503 } })
      expect(await request('GET', '/version')).toMatchObject({
        status: 503,
        headers: { 'retry-after': '2' },
        body: { code: 503 },
      })
    })

    it('cut the connection before anything is done', async () => {
      api.intercept = () => 'reset'
      await expect(request('POST', LEASES, lease('a'))).rejects.toThrow(/socket hang up|ECONNRESET/)
      api.intercept = undefined
      expect(await request('GET', `${LEASES}/a`)).toMatchObject({ status: 404 })
    })

    it('lose the answer of a write that was done', async () => {
      api.intercept = async ({ method }) => (method === 'POST' ? 'reset-after-commit' : undefined)
      await expect(request('POST', LEASES, lease('a'))).rejects.toThrow(/socket hang up|ECONNRESET/)
      expect(await request('GET', `${LEASES}/a`)).toMatchObject({ status: 200 })
      expect(api.requests.map(({ method, status }) => [method, status])).toEqual([
        ['POST', 0],
        ['GET', 200],
      ])
    })

    it('leave a request hanging until the server closes', async () => {
      const seen = new Promise<void>(resolve => {
        api.intercept = (): Interception => {
          resolve()
          return 'hang'
        }
      })
      const hanging = request('GET', '/version')
      await seen
      await api.close()
      await expect(hanging).rejects.toThrow(/socket hang up|ECONNRESET/)
    })

    it('look at the body before it is stored', async () => {
      const bodies: string[] = []
      api.intercept = ({ body }) => {
        bodies.push(body)
        return undefined
      }
      await request('POST', LEASES, lease('a'))
      expect(bodies).toEqual(['{"metadata":{"name":"a"},"spec":{}}'])
    })
  })

  describe('after a compaction', () => {
    beforeEach(async () => {
      for (const name of ['a', 'b', 'c']) await request('POST', LEASES, lease(name))
    })

    it('answers 410 to a continue token, with a token to go on without a snapshot', async () => {
      const first = await request('GET', `${LEASES}?limit=1`)
      api.compact()
      const answer = await request('GET', `${LEASES}?limit=1&continue=${first.body.metadata.continue}`)
      expect(answer).toMatchObject({ status: 410, body: { reason: 'Expired', code: 410 } })
      expect(answer.body.message).toContain(
        'The provided continue parameter is too old to display a consistent list result.',
      )
      await request('POST', LEASES, lease('bb'))
      const onward = await request('GET', `${LEASES}?continue=${answer.body.metadata.continue}`)
      expect(onward.body.items.map((item: { metadata: { name: string } }) => item.metadata.name)).toEqual([
        'b',
        'bb',
        'c',
      ])
    })

    it('answers 410 to an exact list and ends a watch from an old resourceVersion with an ERROR event', async () => {
      const { resourceVersion } = (await request('GET', LEASES)).body.metadata
      api.compact()
      const exact = await request('GET', `${LEASES}?resourceVersion=${resourceVersion}&resourceVersionMatch=Exact`)
      expect(exact).toMatchObject({ status: 410, body: { reason: 'Expired' } })
      const watched = await request('GET', `${LEASES}?watch=1&timeoutSeconds=1&resourceVersion=${resourceVersion}`)
      expect(watched.body).toMatchObject({ type: 'ERROR', object: { code: 410, reason: 'Expired' } })
    })

    it('happens by itself when the history is full', async () => {
      await restart({ historyLimit: 10 })
      for (const name of ['a', 'b', 'c']) await request('POST', LEASES, lease(name))
      const first = await request('GET', `${LEASES}?limit=1`)
      for (let at = 0; at < 20; at += 1)
        await request('PATCH', `${LEASES}/c`, { spec: { leaseTransitions: at } }, MERGE)
      expect(await request('GET', `${LEASES}?limit=1&continue=${first.body.metadata.continue}`)).toMatchObject({
        status: 410,
      })
    })

    it('still shows a snapshot what was deleted since, while the history reaches it', async () => {
      const first = await request('GET', `${LEASES}?limit=1`)
      await request('DELETE', `${LEASES}/b`)
      await request('PATCH', `${LEASES}/c`, { spec: { holderIdentity: 'late' } }, MERGE)
      const rest = await request('GET', `${LEASES}?limit=5&continue=${first.body.metadata.continue}`)
      expect(
        rest.body.items.map((item: { metadata: { name: string }; spec: object }) => [item.metadata.name, item.spec]),
      ).toEqual([
        ['b', {}],
        ['c', {}],
      ])
      expect((await request('GET', LEASES)).body.items).toHaveLength(2)
    })
  })

  it('refuses tokens it does not know, and a known one from the moment it is taken away', async () => {
    tokens.good = 'fn'
    await restart({ tokens })
    expect(await request('GET', '/version', undefined, { authorization: 'Bearer good' })).toMatchObject({ status: 200 })
    const refused = { status: 401, body: { reason: 'Unauthorized', message: 'Unauthorized', code: 401 } }
    expect(await request('GET', '/version', undefined, { authorization: 'Bearer bad' })).toMatchObject(refused)
    expect(await request('GET', '/version')).toMatchObject(refused)
    delete tokens.good
    expect(await request('GET', '/version', undefined, { authorization: 'Bearer good' })).toMatchObject(refused)
  })

  it('names the port when it is taken', async () => {
    await expect(startKubernetesApi({ port: api.port })).rejects.toMatchObject({
      code: 'EADDRINUSE',
      message: expect.stringContaining(`port ${api.port} on 127.0.0.1 is taken`),
    })
  })

  it('ends watches and refuses connections once it is closed', async () => {
    const watching = request('GET', `${LEASES}?watch=1`)
    await request('POST', LEASES, lease('a'))
    await api.close()
    await expect(watching).rejects.toThrow(/aborted|ECONNRESET|socket hang up/)
    await expect(request('GET', '/version')).rejects.toThrow(/ECONNREFUSED/)
  })

  it('keeps a namespace Terminating and lets nothing new in', async () => {
    await request('POST', '/api/v1/namespaces', { metadata: { name: 'going' } })
    const answer = await request('DELETE', '/api/v1/namespaces/going')
    expect(answer.body).toMatchObject({ status: { phase: 'Terminating' } })
    const late = await request('POST', LEASES.replace('default', 'going'), lease('a'))
    expect(late).toMatchObject({
      status: 403,
      body: { reason: 'Forbidden', details: { causes: [{ reason: 'NamespaceTerminating' }] } },
    })
    expect(await request('DELETE', '/api/v1/namespaces/default')).toMatchObject({ status: 403 })
  })

  it('says what it does not implement: server-side apply and protobuf', async () => {
    await request('POST', LEASES, lease('a'))
    const [apply, protobuf] = ['application/apply-patch+yaml', 'application/vnd.kubernetes.protobuf']
    const refused = (type: string) => ({
      status: 415,
      body: { message: `${type} is not implemented by the embedded API` },
    })
    expect(await request('PATCH', `${LEASES}/a`, {}, { 'content-type': apply })).toMatchObject(refused(apply))
    expect(await request('POST', LEASES, 'k8s', { 'content-type': protobuf })).toMatchObject(refused(protobuf))
  })

  it('stops serving a kind with its definition, and forgets its objects', async () => {
    const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/debugsessions.breakglass.t-caas.telekom.com'
    api.load(loadSamples(join(LOCAL, 'samples'), Date.now()))
    const definition = (await request('GET', path)).body
    await request('DELETE', path)
    expect(await request('GET', SESSIONS.replace('breakglasssessions', 'debugsessions'))).toMatchObject({
      status: 404,
      text: '404 page not found\n',
    })
    api.load([{ ...definition, metadata: { name: definition.metadata.name } }])
    expect((await request('GET', SESSIONS.replace('breakglasssessions', 'debugsessions'))).body.items).toEqual([])
  })

  describe('with the sample objects', () => {
    const nowMs = Date.UTC(2026, 10, 21, 7, 5)
    beforeEach(() => api.load(loadSamples(join(LOCAL, 'samples'), nowMs)))

    it('serves them with their status and their age, relative to now', async () => {
      const { body } = await request('GET', `${SESSIONS}/prod-admin-x7f2`)
      expect(body).toMatchObject({
        metadata: { creationTimestamp: '2026-11-21T05:05:00Z' },
        status: { state: 'Approved', expiresAt: '2026-11-21T07:02:00Z' },
      })
    })

    it('has at least one of every state that the cleanup loop meets', async () => {
      const { items } = (await request('GET', SESSIONS)).body as { items: { status?: { state?: string } }[] }
      const states = new Set(items.map(item => item.status?.state ?? ''))
      expect([...states].sort()).toEqual([
        '',
        'Approved',
        'Expired',
        'Pending',
        'Rejected',
        'Suspended',
        'WaitingForScheduledTime',
      ])
    })

    it('lists them by state', async () => {
      const { items } = (await request('GET', `${SESSIONS}?fieldSelector=status.state%3DPending`)).body
      expect(items.map((item: { metadata: { name: string } }) => item.metadata.name)).toEqual([
        'edge-ops-r3n7',
        'prod-audit-z9k4',
        'prod-ops-d8v5',
      ])
    })
  })

  it('names the object that cannot be loaded', () => {
    const session = {
      apiVersion: 'breakglass.t-caas.telekom.com/v1alpha1',
      kind: 'BreakglassSession',
      metadata: { name: 'x' },
      spec: {},
    }
    expect(() => api.load([session])).toThrow(/cannot load BreakglassSession \/x: .*spec\.cluster: Required value/)
    expect(() => api.load([{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' } }])).toThrow(
      /no kind Pod is served at v1/,
    )
  })
})
