// What the transport makes of answers that no API server gives, and of a refusal that follows an unanswered try.

import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { inspect } from 'node:util'
import { afterEach, describe, expect, it } from 'vitest'
import { PermanentError } from '../../../lib/errors.ts'
import type { ApiRequest, KubernetesApi } from '../../../lib/kubernetes/api.ts'
import { openTransport } from '../../../lib/kubernetes/transport.ts'
import { type Clock, systemClock } from '../../../lib/time.ts'

type Answer = { status: number; headers?: Record<string, string>; body?: string } | 'reset'

let server: Server
let api: KubernetesApi
let arrived: number

afterEach(async () => {
  api.close()
  server.closeAllConnections()
  await new Promise(resolve => server.close(resolve))
})

/** A clock on which waits between tries pass at once, and the limit of a try never ends. */
function eagerClock(): Clock {
  let elapsedMs = 0
  return {
    wallMs: () => elapsedMs,
    monotonicMs: () => elapsedMs,
    sleep: async (ms, signal) => {
      if (signal) return await systemClock.sleep(3_600_000, signal)
      elapsedMs += ms
    },
  }
}

/** Answers with each in turn, then with the last one for ever. */
async function connect(answers: Answer[], headers: () => Promise<Record<string, string>> = async () => ({})) {
  arrived = 0
  server = createServer((_request, response) => {
    const answer = answers[Math.min(arrived++, answers.length - 1)] as Answer
    if (answer === 'reset') response.destroy()
    else
      response
        .writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers })
        .end(answer.body ?? '{}')
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  api = openTransport({ server: url, tls: {}, headers }, { clock: eagerClock(), random: () => 1 })
}

const read: ApiRequest = { method: 'GET', path: '/apis/x/v1/things', repeat: 'read' }
const write: ApiRequest = { method: 'PUT', path: '/apis/x/v1/things/a', body: { a: 1 }, repeat: 'bound' }

describe('an answer that no API server gives', () => {
  it.each([301, 302, 307])('%s: a redirect is no success, and is not followed', async status => {
    await connect([{ status, headers: { location: 'http://127.0.0.1:1/login' } }])
    for (const request of [read, write])
      await expect(api.request(request)).rejects.toMatchObject({
        code: 'InvalidConfiguration',
        message: expect.stringContaining(`HTTP ${status}; a redirect is no answer of an API server: is its URL right?`),
      })
    expect(arrived).toBe(2)
  })

  it.each<[string, Answer]>([
    ['a page of HTML', { status: 200, headers: { 'content-type': 'text/html' }, body: '<h1>Welcome</h1>' }],
    ['nothing', { status: 200, headers: { 'content-type': 'application/json', 'content-length': '0' }, body: '' }],
  ])('200 with %s is no success', async (_title, answer) => {
    await connect([answer])
    await expect(api.request(read)).rejects.toMatchObject({
      code: 'Unavailable',
      message: 'GET /apis/x/v1/things: HTTP 200 without JSON; is this an API server?',
    })
    await expect(api.request(write)).rejects.toMatchObject({ code: 'OutcomeUnknown' })
  })

  it('JSON that is none is told without a word of it', async () => {
    await connect([{ status: 200, body: 'my-secret' }])
    const error: unknown = await api.request(read).catch(thrown => thrown)
    expect(error).toMatchObject({ code: 'Unavailable', message: 'GET /apis/x/v1/things: the answer is not JSON' })
    expect(inspect(error)).not.toContain('my-secret')
  })

  it('429 with a Retry-After of 0 s is waited for like one without', async () => {
    await connect([{ status: 429, headers: { 'retry-after': '0' } }])
    await expect(api.request(read)).rejects.toMatchObject({ code: 'Throttled' })
    expect(arrived).toBeLessThan(12)
  })
})

describe('a refusal after an unanswered try', () => {
  it.each([400, 401, 403, 404, 409, 410, 422])('%s leaves a write unknown, and a read refused', async status => {
    await connect(['reset', { status }, 'reset', { status }])
    await expect(api.request(write)).rejects.toMatchObject({
      code: 'OutcomeUnknown',
      message: expect.stringMatching(
        new RegExp(
          `^PUT /apis/x/v1/things/a: an earlier try was never answered and may have taken effect \\(last: .*HTTP ${status}`,
        ),
      ),
    })
    await expect(api.request(read)).rejects.not.toMatchObject({ code: 'OutcomeUnknown' })
  })

  it('that is expected is returned as the echo it may be', async () => {
    await connect(['reset', { status: 404 }])
    expect(await api.request(write, [404])).toMatchObject({ status: 404, repeated: true })
  })

  it('leaves nothing unknown when every try before was throttled', async () => {
    await connect([{ status: 429 }, { status: 403 }])
    await expect(api.request(write)).rejects.toMatchObject({ code: 'Forbidden' })
  })

  it('is also one when the credentials can’t be had again', async () => {
    let asked = 0
    await connect(['reset'], async () => {
      if (asked++ > 0) throw new PermanentError('Unauthorized', 'no credentials any more')
      return {}
    })
    await expect(api.request(write)).rejects.toMatchObject({
      code: 'OutcomeUnknown',
      message: expect.stringContaining('(last: no credentials any more)'),
    })
    expect(arrived).toBe(1)
  })
})

describe('a signal that aborts while credentials are asked for', () => {
  it('keeps the request from being sent', async () => {
    const controller = new AbortController()
    await connect([{ status: 200 }], async () => {
      controller.abort()
      return {}
    })
    await expect(api.request({ ...write, signal: controller.signal })).rejects.toMatchObject({ code: 'Aborted' })
    expect(arrived).toBe(0)
  })
})
