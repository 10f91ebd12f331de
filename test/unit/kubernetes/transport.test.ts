import { afterEach, describe, expect, it } from 'vitest'
import { PermanentError } from '../../../lib/errors.ts'
import type { ApiRequest, KubernetesApi } from '../../../lib/kubernetes/api.ts'
import type { Connection } from '../../../lib/kubernetes/connection.ts'
import { openTransport, REQUEST_DEADLINE_MS } from '../../../lib/kubernetes/transport.ts'
import { type Clock, systemClock } from '../../../lib/time.ts'
import { refusal, type Script, type ScriptedServer, scriptedServer } from '../../support/api-server.ts'

let server: ScriptedServer
let api: KubernetesApi

afterEach(async () => {
  api.close()
  await server.close()
})

/**
 * A clock on which waits between tries (they come without a signal here) pass at once; the limit of a try never ends, or
 * after a few turns of the event loop when `isImpatient`.
 */
function eagerClock(isImpatient = false): Clock & { waits: number[] } {
  const waits: number[] = []
  let elapsedMs = 0
  return {
    wallMs: () => systemClock.wallMs() + elapsedMs,
    monotonicMs: () => elapsedMs,
    waits,
    sleep: async (ms, signal) => {
      if (!signal) waits.push(ms)
      else if (!isImpatient) return await systemClock.sleep(3_600_000, signal)
      else for (let turn = 0; turn < 100; turn++) await new Promise(resolve => setImmediate(resolve))
      if (!signal?.aborted) elapsedMs += ms
    },
  }
}

async function connect(
  scripts: Script[],
  options: { clock?: Clock; connection?: Partial<Connection>; path?: string } = {},
) {
  server = await scriptedServer(...scripts)
  const connection: Connection = {
    server: new URL(`${server.url}${options.path ?? ''}`),
    tls: {},
    headers: async () => ({ authorization: 'Bearer secret-token' }),
    ...options.connection,
  }
  api = openTransport(connection, { clock: options.clock ?? eagerClock(), random: () => 1 })
  return api
}

const read: ApiRequest = { method: 'GET', path: '/apis/x/v1/things', repeat: 'read' }
const write: ApiRequest = { method: 'PUT', path: '/apis/x/v1/things/a', body: { a: 1 }, repeat: 'bound' }
const ok: Script = { status: 200, body: { kind: 'Thing' } }

describe('a request', () => {
  it('carries credentials, query, body and a server-side time-out of 5 s', async () => {
    await connect([ok], { path: '/k8s/cluster-1/' })
    const patch: ApiRequest = {
      ...write,
      method: 'PATCH',
      query: { dryRun: 'All', limit: undefined },
      contentType: 'application/merge-patch+json',
    }
    expect(await api.request(patch)).toEqual({ status: 200, body: { kind: 'Thing' }, repeated: false })
    expect(server.arrived[0]).toMatchObject({
      method: 'PATCH',
      url: '/k8s/cluster-1/apis/x/v1/things/a?timeout=5s&dryRun=All',
      body: { a: 1 },
      headers: {
        authorization: 'Bearer secret-token',
        'content-type': 'application/merge-patch+json',
        accept: 'application/json',
      },
    })
  })

  it('shares one connection with 40 others that follow it', async () => {
    await connect([ok])
    for (let i = 0; i < 40; i++) await api.request(read)
    expect(server.connections()).toBe(1)
  })

  it('shares 16 connections with 200 others beside it', async () => {
    await connect([ok])
    await Promise.all(Array.from({ length: 200 }, () => api.request(read)))
    expect(server.connections()).toBeLessThanOrEqual(16)
  })

  it('learns how far the server’s clock is off from its Date header', async () => {
    const date = new Date(Date.now() + 3_600_000).toUTCString()
    await connect([{ status: 200, headers: { date } }])
    expect(api.clockSkewMs()).toBeUndefined()
    await api.request(read)
    expect(Math.abs((api.clockSkewMs() ?? 0) - 3_600_000)).toBeLessThanOrEqual(2_000)
  })
})

describe('a refusal', () => {
  it.each<[string, Script, object]>([
    ['400 is an invalid resource', refusal(400, 'BadRequest'), { name: 'PermanentError', code: 'InvalidResource' }],
    [
      '401 says to renew the credentials',
      refusal(401, 'Unauthorized'),
      { code: 'Unauthorized', message: expect.stringContaining('renew them') },
    ],
    [
      '403 says which right is missing',
      refusal(403, 'Forbidden', 'user "x" cannot get things'),
      { code: 'Forbidden', message: expect.stringContaining('user "x" cannot get things') },
    ],
    [
      '404 asks for the definitions',
      refusal(404, 'NotFound'),
      { code: 'NotFound', message: expect.stringContaining('custom resource definitions') },
    ],
    ['409 is a conflict', refusal(409, 'Conflict'), { name: 'TransientError', code: 'Conflict' }],
    ['410 is expired', refusal(410, 'Expired'), { name: 'TransientError', code: 'Expired' }],
    ['422 is an invalid resource', refusal(422, 'Invalid'), { code: 'InvalidResource' }],
    [
      '418 without a Status object is told by its number',
      { status: 418 },
      { code: 'Unavailable', message: 'GET /apis/x/v1/things: HTTP 418' },
    ],
  ])('%s, and is not asked again', async (_title, script, expected) => {
    await connect([script])
    await expect(api.request(read)).rejects.toMatchObject(expected)
    expect(server.arrived.length).toBe(1)
  })

  it('that is expected is returned', async () => {
    await connect([refusal(409, 'Conflict')])
    expect(await api.request(write, [409])).toMatchObject({ status: 409, repeated: false })
  })

  it('never shows credentials', async () => {
    await connect([refusal(403, 'Forbidden')])
    await expect(api.request(read)).rejects.toSatisfy(error => !String((error as Error).stack).includes('secret-token'))
  })
})

describe('a transient failure', () => {
  it.each<[string, Script]>([
    ['429', refusal(429, 'TooManyRequests')],
    ['500', refusal(500, 'InternalError')],
    ['503', refusal(503, 'ServiceUnavailable')],
    ['504', refusal(504, 'Timeout')],
    ['a broken connection', 'reset'],
    ['a body cut off', 'cut'],
  ])('%s is tried again, reads and bound writes alike', async (_title, script) => {
    await connect([script, ok, script, ok])
    expect((await api.request(read)).status).toBe(200)
    expect((await api.request(write)).status).toBe(200)
    expect(server.arrived.length).toBe(4)
  })

  it('waits as long as Retry-After says, else twice as long each time with jitter', async () => {
    const clock = eagerClock()
    const throttled: Script = { status: 429, headers: { 'retry-after': '3' } }
    await connect([throttled, 'reset', refusal(503, 'x'), ok], { clock })
    await api.request(read)
    expect(clock.waits).toEqual([3_000, 200, 400])
  })

  it('says of an answer after an unanswered write that it may be an echo, but not after a 429', async () => {
    await connect([
      'reset',
      refusal(409, 'Conflict'),
      refusal(429, 'x'),
      refusal(409, 'Conflict'),
      refusal(500, 'x'),
      refusal(409, 'Conflict'),
    ])
    expect((await api.request(write, [409])).repeated).toBe(true)
    expect((await api.request(write, [409])).repeated).toBe(false)
    expect((await api.request(write, [409])).repeated).toBe(true)
  })

  it('that lasts for 20 s fails a read with its last reason, and leaves a write unknown', async () => {
    await connect(['reset'])
    await expect(api.request(read)).rejects.toMatchObject({ name: 'TransientError', code: 'Unavailable' })
    await expect(api.request(write)).rejects.toMatchObject({
      code: 'OutcomeUnknown',
      message: expect.stringContaining('within 20.0 s'),
    })
  })

  it('of throttling alone leaves no write unknown', async () => {
    await connect([refusal(429, 'TooManyRequests')])
    await expect(api.request(write)).rejects.toMatchObject({ code: 'Throttled' })
  })

  it('is not waited for past the deadline', async () => {
    await connect([{ status: 429, headers: { 'retry-after': String(REQUEST_DEADLINE_MS / 1000) } }])
    await expect(api.request(read)).rejects.toMatchObject({ code: 'Throttled', retryAfterMs: REQUEST_DEADLINE_MS })
    expect(server.arrived.length).toBe(1)
  })
})

describe('a server that never answers', () => {
  it('costs 5 s a try and 20 s in all', async () => {
    const clock = eagerClock(true)
    await connect(['hang'], { clock })
    await expect(api.request(read)).rejects.toMatchObject({
      code: 'Unavailable',
      message: expect.stringContaining('no answer within'),
    })
    expect(server.arrived.length).toBe(4)
    expect(server.arrived.map(({ url }) => url)).toEqual([5, 5, 5, 4].map(s => `/apis/x/v1/things?timeout=${s}s`))
  })

  it('is not waited for past the end of the request’s term, on whichever clock comes first', async () => {
    for (const [wall, monotonic] of [
      [7_000, 60_000],
      [60_000, 7_000],
    ] as const) {
      const clock = eagerClock(true)
      await connect(['hang'], { clock })
      const endsAt = { wallMs: clock.wallMs() + wall, monotonicMs: clock.monotonicMs() + monotonic }
      await expect(api.request({ ...write, endsAt })).rejects.toMatchObject({ code: 'OutcomeUnknown' })
      expect(server.arrived.map(({ url }) => url)).toEqual([5, 1].map(s => `/apis/x/v1/things/a?timeout=${s}s`))
      api.close()
      await server.close()
    }
    await connect(['hang'])
    const over = { wallMs: 0, monotonicMs: 0 }
    await expect(api.request({ ...write, endsAt: over })).rejects.toMatchObject({ code: 'Aborted' })
    expect(server.arrived).toEqual([])
  })

  it('is left at once when the signal aborts: a read stops, a write is unknown', async () => {
    await connect(['hang'])
    for (const [request, code] of [
      [read, 'Aborted'],
      [write, 'OutcomeUnknown'],
    ] as const) {
      const controller = new AbortController()
      const before = server.arrived.length
      const asking = api.request({ ...request, signal: controller.signal })
      while (server.arrived.length === before) await new Promise(resolve => setImmediate(resolve))
      controller.abort()
      await expect(asking).rejects.toMatchObject({ code })
    }
  })

  it('is not even asked when the signal was aborted before', async () => {
    await connect([ok])
    await expect(api.request({ ...write, signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'Aborted' })
    expect(server.arrived).toEqual([])
  })
})

describe('credentials that can’t be had', () => {
  it('fail the request at once, with nothing sent', async () => {
    const headers = () => Promise.reject(new PermanentError('Unauthorized', 'no credentials'))
    await connect([ok], { connection: { headers } })
    await expect(api.request(write)).rejects.toThrow('no credentials')
    expect(server.arrived).toEqual([])
  })
})

describe('a server that nobody listens at', () => {
  it('fails a write as unavailable, not as unknown: nothing was ever sent', async () => {
    await connect([ok])
    await server.close()
    await expect(api.request(write)).rejects.toMatchObject({
      code: 'Unavailable',
      message: expect.stringContaining('ECONNREFUSED'),
    })
  })
})
