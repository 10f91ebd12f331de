import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type EmbeddedKeycloak, type Interception, startKeycloak } from '../../../infra/local/keycloak/server.ts'
import { type Exchange, openExchange } from '../../../lib/http/exchange.ts'
import { requestToken, TokenRefused, type TokenRequest } from '../../../lib/http/token-request.ts'
import { systemClock } from '../../../lib/time.ts'
import { contractRealm, SECRET } from '../../contract/keycloak/realm.ts'

let server: EmbeddedKeycloak
let exchange: Exchange

beforeEach(async () => {
  server = await startKeycloak({ realms: [contractRealm('main')] })
  exchange = openExchange({ server: new URL(server.url), tls: {} }, systemClock)
})
afterEach(async () => {
  exchange.close()
  await server.close()
})

const path = '/realms/main/protocol/openid-connect/token'
const form = { grant_type: 'client_credentials', client_id: 'fencepost', client_secret: SECRET }
const request = (more: Partial<TokenRequest> = {}) =>
  requestToken(exchange, { path, form, limitMs: 10_000, signal: undefined, ...more })
const answering = (answer: Interception) => {
  server.intercept = () => answer
}
const given = (body: object): Interception => ({ status: 200, body })

describe('a token request', () => {
  it('sends its form and gives the token with its life', async () => {
    let sent: URLSearchParams | undefined
    server.intercept = ({ body, headers }) => {
      sent = new URLSearchParams(body)
      expect(headers).toMatchObject({
        'content-type': 'application/x-www-form-urlencoded',
        accept: 'application/json',
      })
      return undefined
    }
    expect(await request()).toEqual({ token: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/), lifeMs: 300_000 })
    expect(Object.fromEntries(sent ?? [])).toEqual(form)
  })

  it('escapes what a form can’t hold', async () => {
    const secret = 'a&b=c d+e%ü'
    let sent: string | null = ''
    server.intercept = ({ body }) => {
      sent = new URLSearchParams(body).get('client_secret')
      return undefined
    }
    await expect(request({ form: { ...form, client_secret: secret } })).rejects.toThrow()
    expect(sent).toBe(secret)
  })

  it('sends credentials in the Authorization header when it has them there', async () => {
    const authorization = `Basic ${Buffer.from(`fencepost:${SECRET}`).toString('base64')}`
    expect(await request({ form: { grant_type: 'client_credentials' }, authorization })).toMatchObject({
      lifeMs: 300_000,
    })
  })

  it.each<[string, object, number]>([
    ['is as long as said', { expires_in: 60 }, 60_000],
    ['is 300 s when it is not said', {}, 300_000],
    ['is 300 s when 0 is said', { expires_in: 0 }, 300_000],
    ['is 300 s when it is below 0', { expires_in: -5 }, 300_000],
    ['is 300 s when null is said', { expires_in: null }, 300_000],
    ['may be said as a text', { expires_in: '90' }, 90_000],
    ['is 300 s when it can’t be read', { expires_in: 'soon' }, 300_000],
  ])('the life of a token %s', async (_what, more, lifeMs) => {
    answering(given({ access_token: 'abc', ...more }))
    expect(await request()).toEqual({ token: 'abc', lifeMs })
  })

  it.each<[string, Interception, object]>([
    [
      'a refusal with a code',
      { status: 400, body: { error: 'invalid_grant' } },
      { status: 400, error: 'invalid_grant' },
    ],
    ['a code of token exchange', { status: 400, body: { error: 'invalid_target' } }, { error: 'invalid_target' }],
    ['a code that nobody knows', { status: 400, body: { error: SECRET } }, { status: 400, error: undefined }],
    ['a code that is no text', { status: 401, body: { error: { a: SECRET } } }, { status: 401, error: undefined }],
    [
      'a refusal without JSON',
      { status: 403, headers: { 'content-type': 'text/html' }, body: '<p>no</p>' },
      { status: 403 },
    ],
    ['too many requests', { status: 429, headers: { 'retry-after': '7' } }, { status: 429, retryAfterMs: 7_000 }],
    ['an answer without a token', given({ token_type: 'Bearer' }), { status: 200, error: undefined }],
    ['an empty token', given({ access_token: '' }), { status: 200 }],
    ['a token that no header holds', given({ access_token: 'a\r\nb: c' }), { status: 200 }],
    ['a page', { status: 200, headers: { 'content-type': 'text/html' }, body: '<p>log in</p>' }, { status: 200 }],
    ['a redirect', { status: 302, headers: { location: 'http://127.0.0.1:1/' } }, { status: 302 }],
    ['a token with another status', { status: 201, body: { access_token: 'abc' } }, { status: 201 }],
  ])('is refused by %s', async (_by, answer, expected) => {
    answering(answer)
    const refused = await request().catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(TokenRefused)
    expect(refused).toMatchObject(expected)
  })

  it('says path, status and code of a refusal, and nothing that was sent or answered', async () => {
    const description = `the secret ${SECRET} is wrong`
    answering({ status: 401, body: { error: 'invalid_client', error_description: description } })
    const refused = await request({ path: `${path}?key=${SECRET}` }).catch((error: Error) => error)
    expect((refused as Error).message).toBe(`POST ${path}: HTTP 401 invalid_client`)
    expect(JSON.stringify(Object.getOwnPropertyDescriptors(refused))).not.toContain(SECRET)
  })

  it.each<[string, Interception]>([
    ['the connection breaks', 'reset'],
    ['the answer is cut', 'cut'],
    ['the answer is malformed', { status: 200, body: `{"access_token": "${SECRET}` }],
  ])('fails without a verdict when %s', async (_what, answer) => {
    answering(answer)
    const failure = (await request().catch((error: unknown) => error)) as Error
    expect(failure).toBeInstanceOf(Error)
    expect(failure).not.toBeInstanceOf(TokenRefused)
    expect(failure.message).not.toContain(SECRET)
  })

  it('ends when it is stopped', async () => {
    const stop = new AbortController()
    server.intercept = () => {
      stop.abort()
      return 'hang'
    }
    await expect(request({ signal: stop.signal })).rejects.toThrow('aborted')
  })
})
