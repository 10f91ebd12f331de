import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import * as z from 'zod'
import { type Interception, startKeycloak } from '../../../infra/local/keycloak/server.ts'
import { openExchange } from '../../../lib/http/exchange.ts'
import type { Keycloak } from '../../../lib/keycloak/client.ts'
import { contractRealm, idOf, SECRET } from '../../contract/keycloak/realm.ts'
import { interceptions, openStage, type Stage, TRY_MS } from './stage.ts'

let stage: Stage

beforeEach(async () => {
  stage = await openStage()
})
afterEach(() => stage.close())

const names = z.array(z.object({ name: z.string() }))
const signal = () => new AbortController().signal
const read = (keycloak: Keycloak = stage.keycloak, stop: AbortSignal = signal()) =>
  keycloak.read('/groups', { search: 'many', exact: 'true' }, names, stop)
const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.fail('did not fail'),
    (error: Error & { code: string; retryAfterMs?: number }) => error,
  )
const hang = (): Interception => {
  setImmediate(() => stage.clock.endTries())
  return 'hang'
}
const TOKEN = 'POST token'
const GET = 'GET groups?search=many&exact=true'

describe('a token', () => {
  it('is fetched once for ten reads beside each other and one after them', async () => {
    await Promise.all(Array.from({ length: 10 }, () => read()))
    await read()
    expect(stage.asked().filter(one => one === TOKEN)).toHaveLength(1)
    expect(stage.keycloak.calls()).toBe(12)
  })

  it('is kept until 10 s before its end, and renewed then', async () => {
    await read()
    stage.clock.advance(289_000)
    await read()
    expect(stage.asked()).toEqual([TOKEN, GET, GET])
    stage.clock.advance(1_000)
    await read()
    expect(stage.asked()).toEqual([TOKEN, GET, GET, TOKEN, GET])
  })

  it('that lives shorter than 20 s is renewed at half its life', async () => {
    const keycloak = stage.open({ clientId: 'short-lived' })
    await read(keycloak)
    stage.clock.advance(499)
    await read(keycloak)
    stage.clock.advance(1)
    await read(keycloak)
    expect(stage.asked()).toEqual([TOKEN, GET, GET, TOKEN, GET])
  })

  it('that is refused before its end is renewed once for all reads that met the refusal', async () => {
    await read()
    stage.server.clearRequests()
    stage.server.revokeTokens()
    expect(await Promise.all([read(), read(), read()])).toHaveLength(3)
    expect(stage.asked().filter(one => one === TOKEN)).toHaveLength(1)
  })

  it('that is refused although it is new ends the read', async () => {
    stage.server.intercept = interceptions({ status: 401 }, { status: 401 }, { status: 401 })
    expect(await failure(read())).toMatchObject({ name: 'PermanentError', code: 'Unauthorized' })
    expect(stage.asked()).toEqual([TOKEN, GET, TOKEN, GET])
  })

  it('that is refused for good is asked for once, however many reads want it', async () => {
    const keycloak = stage.open({ clientSecret: 'wrong' })
    for (let at = 0; at < 3; at++) await failure(read(keycloak))
    expect(stage.asked()).toEqual([TOKEN])
  })

  it.each<[string, Interception, string, string]>([
    [
      '400',
      { status: 400, body: { error: 'invalid_client' } },
      'Unauthorized',
      'HTTP 400 invalid_client; the client or its',
    ],
    [
      '401',
      { status: 401, body: { error: 'unauthorized_client' } },
      'Unauthorized',
      'or the client has no service account',
    ],
    ['403', { status: 403 }, 'Unauthorized', 'HTTP 403; the client or its secret is wrong'],
    ['404', { status: 404 }, 'InvalidConfiguration', 'are baseURL and realm right?'],
    ['a redirect', { status: 301 }, 'InvalidConfiguration', 'are baseURL and realm right?'],
    [
      'a page',
      { status: 200, headers: { 'content-type': 'text/html' }, body: '<p>' },
      'InvalidConfiguration',
      'without a token',
    ],
  ])('that is refused by %s ends the read for good', async (_by, answer, code, mending) => {
    stage.server.intercept = () => answer
    const error = await failure(read())
    expect(error).toMatchObject({ name: 'PermanentError', code, message: expect.stringContaining(mending) })
    expect(error.message).toMatch(
      /^IdentityProvider corporate: POST \/realms\/main\/protocol\/openid-connect\/token: HTTP/,
    )
    expect(stage.keycloak.calls()).toBe(1)
  })

  it('is tried three times, as its endpoint asks', async () => {
    const busy: Interception = { status: 429, headers: { 'retry-after': '4' } }
    const answers = [busy, busy]
    stage.server.intercept = () => answers.shift()
    expect(await read()).toHaveLength(1)
    expect(stage.clock.waits).toEqual([4_000, 4_000])
    stage.server.intercept = () => busy
    expect(await failure(read(stage.open({})))).toMatchObject({ code: 'Throttled', retryAfterMs: 4_000 })
  })

  it('that could not be fetched for a while is asked for by the next read', async () => {
    let count = 0
    stage.server.intercept = () => (count++ < 3 ? { status: 503 } : undefined)
    expect(await failure(read())).toMatchObject({ code: 'Unavailable' })
    expect(await read()).toHaveLength(1)
  })

  it('goes on being fetched for a read whose neighbour was stopped', async () => {
    const stop = new AbortController()
    let isFirst = true
    stage.server.intercept = () => {
      if (!isFirst) return undefined
      isFirst = false
      stop.abort()
      return 'hang'
    }
    const stopped = failure(read(stage.keycloak, stop.signal))
    expect(await read()).toHaveLength(1)
    expect(await stopped).toMatchObject({ code: 'Aborted' })
  })
})

describe('a read', () => {
  it('has context path, escaped realm, query and token', async () => {
    stage.server.load(contractRealm('a/b'))
    const seen: string[] = []
    stage.server.intercept = ({ path, query, headers }) => {
      seen.push(`${path}?${query}`)
      if (path.endsWith('/token')) return { status: 200, body: { access_token: 'abc' } }
      expect(headers.authorization).toBe('Bearer abc')
      return { status: 200, body: [] }
    }
    await read(stage.open({ baseUrl: new URL(`${stage.server.url}/auth/`), realm: 'a/b' }))
    expect(seen).toEqual([
      '/auth/realms/a%2Fb/protocol/openid-connect/token?',
      '/auth/admin/realms/a%2Fb/groups?search=many&exact=true',
    ])
  })

  it('of what does not exist is undefined, when Keycloak itself says so', async () => {
    const path = `/groups/${idOf('nothing')}`
    expect(await stage.keycloak.read(path, {}, names, signal())).toBeUndefined()
  })

  it.each<[string, Interception]>([
    ['a page that was not found', { status: 404, headers: { 'content-type': 'text/html' }, body: '<p>no</p>' }],
    ['a 404 in the form of another server', { status: 404, body: { message: 'no Route matched' } }],
    ['a 404 in the form of a list', { status: 404, body: [] }],
    ['a page', { status: 200, headers: { 'content-type': 'text/html' }, body: '<p>log in</p>' }],
    ['JSON of another kind', { status: 200, body: { groups: [] } }],
    ['an entry without a name', { status: 200, body: [{ id: 'a' }] }],
    ['nothing at all', { status: 200 }],
  ])('fails for good at %s', async (_what, answer) => {
    stage.server.intercept = interceptions(answer)
    expect(await failure(read())).toMatchObject({
      code: 'InvalidConfiguration',
      message: expect.stringContaining('the answer is not Keycloak'),
    })
    expect(stage.keycloak.calls()).toBe(2)
  })

  it.each<[string, Interception, string, string]>([
    ['403', { status: 403 }, 'Forbidden', 'the roles query-groups and view-users'],
    [
      'a redirect',
      { status: 302, headers: { location: 'https://127.0.0.1/login' } },
      'InvalidConfiguration',
      'baseURL',
    ],
    ['405, as before Keycloak 23', { status: 405 }, 'InvalidConfiguration', 'Keycloak 23 or newer'],
    ['400', { status: 400 }, 'InvalidConfiguration', 'are baseURL and realm right'],
  ])('fails for good at %s and says what mends it', async (_what, answer, code, mending) => {
    stage.server.intercept = interceptions(answer)
    const error = await failure(read())
    expect(error).toMatchObject({ name: 'PermanentError', code })
    expect(error.message).toMatch(/^IdentityProvider corporate: GET \/admin\/realms\/main\/groups: HTTP \d+/)
    expect(error.message).toContain(mending)
    expect(stage.clock.waits).toEqual([])
  })

  it.each<[string, Interception]>([
    ['500', { status: 500 }],
    ['502 with a page', { status: 502, headers: { 'content-type': 'text/html' }, body: '<p>bad gateway</p>' }],
    ['a broken connection', 'reset'],
    ['an answer that is cut', 'cut'],
    ['malformed JSON', { status: 200, body: '[{"name":' }],
  ])('is tried again after 200 and 400 ms at %s', async (_what, answer) => {
    stage.server.intercept = interceptions(answer, answer)
    expect(await read()).toHaveLength(1)
    expect(stage.clock.waits).toEqual([200, 400])
    stage.server.intercept = interceptions(answer, answer, answer)
    expect(await failure(read())).toMatchObject({ name: 'TransientError', code: 'Unavailable' })
  })

  it('waits as long as it is asked to', async () => {
    stage.server.intercept = interceptions(
      { status: 429, headers: { 'retry-after': '7' } },
      { status: 503, headers: { 'retry-after': '3' } },
    )
    expect(await read()).toHaveLength(1)
    expect(stage.clock.waits).toEqual([7_000, 3_000])
  })

  it('does not wait for what comes after the deadline, but says how long it would be', async () => {
    const keycloak = stage.open({ deadlineMs: TRY_MS })
    await read(keycloak)
    stage.server.intercept = interceptions({ status: 429, headers: { 'retry-after': '60' } })
    expect(await failure(read(keycloak))).toMatchObject({ code: 'Throttled', retryAfterMs: 60_000 })
    expect(stage.clock.waits).toEqual([])
  })

  it('of a large answer is whole: 100 entries of 50 KB each', async () => {
    const body = Array.from({ length: 100 }, (_, at) => ({
      name: `g${at}`,
      attributes: { text: ['x'.repeat(50_000)] },
    }))
    stage.server.intercept = interceptions({ status: 200, body })
    expect(await read()).toEqual(body.map(({ name }) => ({ name })))
  })

  it('that is stopped in its last try says so', async () => {
    const stop = new AbortController()
    const answers: Interception[] = ['reset', 'reset']
    await read()
    stage.server.intercept = () => {
      const answer = answers.shift()
      if (answer === undefined) stop.abort()
      return answer ?? 'hang'
    }
    expect(await failure(read(stage.keycloak, stop.signal))).toMatchObject({ code: 'Aborted' })
    expect(stage.keycloak.calls()).toBe(5)
  })

  it('ends when it is stopped, without another try', async () => {
    const stop = new AbortController()
    await read()
    stage.server.intercept = () => {
      stop.abort()
      return 'hang'
    }
    expect(await failure(read(stage.keycloak, stop.signal))).toMatchObject({ code: 'Aborted' })
    expect(stage.keycloak.calls()).toBe(3)
    expect(await failure(read(stage.keycloak, stop.signal))).toMatchObject({ code: 'Aborted' })
    expect(stage.keycloak.calls()).toBe(3)
  })
})

describe('a provider that hangs', () => {
  it('costs three tries, each of the provider’s own time', async () => {
    await read()
    stage.server.intercept = hang
    const beganMs = stage.clock.monotonicMs()
    expect(await failure(read())).toMatchObject({ name: 'TransientError', code: 'Timeout' })
    expect(stage.clock.monotonicMs() - beganMs).toBe(3 * TRY_MS + 600)
    expect(stage.keycloak.calls()).toBe(5)
  })

  it('costs no more than its deadline, whatever is asked after it', async () => {
    const keycloak = stage.open({ deadlineMs: TRY_MS, requestTimeoutMs: 2 * TRY_MS })
    stage.server.intercept = hang
    expect(await failure(read(keycloak))).toMatchObject({ code: 'Timeout' })
    expect(stage.clock.monotonicMs()).toBe(TRY_MS)
    for (let at = 0; at < 40; at++)
      expect(await failure(read(keycloak))).toMatchObject({
        code: 'Timeout',
        message: expect.stringContaining('the 1 min that the provider may take in a tick are over'),
      })
    expect([keycloak.calls(), stage.clock.monotonicMs()]).toEqual([1, TRY_MS])
  })
})

describe('a certificate', () => {
  const pem = (name: string) => readFileSync(new URL(`../../support/tls/${name}.pem`, import.meta.url), 'utf8')
  const readBy = async (ca: string) => {
    const tls = { key: pem('server-key'), cert: pem('server') }
    const server = await startKeycloak({ clock: stage.clock.wallMs, realms: [contractRealm('main')], tls })
    const baseUrl = new URL(server.url)
    const keycloak = stage.open({
      baseUrl,
      exchange: openExchange({ server: baseUrl, tls: { ca: pem(ca) } }, stage.clock),
    })
    return await read(keycloak).finally(() => server.close())
  }

  it('is trusted by the provider’s own authority', async () => {
    expect(await readBy('ca')).toHaveLength(1)
  })

  it('of another authority ends the read for good', async () => {
    expect(await failure(readBy('other-ca'))).toMatchObject({
      code: 'InvalidConfiguration',
      message: expect.stringMatching(/certificate is not trusted \(.*\); check certificateAuthority/),
    })
    expect(stage.clock.waits).toEqual([])
  })
})

describe('a failure', () => {
  it.each<[string, Interception]>([
    ['a refusal', { status: 401, body: { error: 'invalid_client', error_description: `${SECRET} is wrong` } }],
    ['a refusal of an unknown code', { status: 400, body: { error: SECRET } }],
    ['an error', { status: 500, body: { error: SECRET } }],
    ['a redirect', { status: 302, headers: { location: `https://127.0.0.1/?secret=${SECRET}` } }],
    ['a page', { status: 200, headers: { 'content-type': 'text/html' }, body: `<p>${SECRET}</p>` }],
    ['malformed JSON', { status: 200, body: `{"access_token": "${SECRET}` }],
    ['a broken connection', 'reset'],
    ['a cut answer', 'cut'],
  ])('tells neither secret nor token nor body: %s', async (_what, answer) => {
    let token = ''
    for (const isToken of [true, false]) {
      stage.server.intercept = ({ path, headers }) => {
        token = String(headers.authorization ?? token).replace('Bearer ', '')
        return path.endsWith('/token') === isToken ? answer : undefined
      }
      const keycloak = stage.open({})
      const error = await failure(read(keycloak))
      const told = JSON.stringify([error, error.message, error.stack, String(error.cause)])
      expect(told).toContain('IdentityProvider corporate')
      expect(told).not.toContain(SECRET)
      if (!isToken) expect(token).not.toBe('')
      if (token !== '') expect(told).not.toContain(token)
    }
  })
})
