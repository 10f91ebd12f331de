import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Exchange, openExchange } from '../../../lib/http/exchange.ts'
import { DiscoveryRefused, discoverTokenEndpoint, LONGEST_ANSWER } from '../../../lib/oidc/discovery.ts'
import { systemClock } from '../../../lib/time.ts'
import { type Issuer, startIssuer } from '../../support/oidc-server.ts'
import { CA } from '../../support/spoke.ts'

const CANARY = 'never-in-a-message'

let issuer: Issuer
let exchange: Exchange

beforeEach(async () => {
  issuer = await startIssuer('token')
  const server = new URL(issuer.url)
  exchange = openExchange({ server, tls: { ca: CA }, longestBody: LONGEST_ANSWER }, systemClock)
})
afterEach(async () => {
  exchange.close()
  await issuer.close()
})

const discover = (url = issuer.url) =>
  discoverTokenEndpoint(exchange, new URL(url), { limitMs: 5_000, signal: new AbortController().signal })

describe('the token endpoint of an issuer', () => {
  it('is where its discovery document says, slash at its end or not', async () => {
    expect(await discover()).toBe('/realms/ops/token')
    expect(await discover(`${issuer.url}/`)).toBe('/realms/ops/token')
  })

  it('keeps its query', async () => {
    issuer.discovery = () => ({ status: 200, body: { token_endpoint: `${issuer.url}/token?p=policy` } })
    expect(await discover()).toBe('/realms/ops/token?p=policy')
  })

  it.each<[string, unknown, RegExp]>([
    ['is not named', { issuer: CANARY }, /^its discovery document names no token endpoint$/],
    ['is no URL', { token_endpoint: CANARY }, /^its discovery document names no token endpoint$/],
    ['is a number', { token_endpoint: 7, issuer: CANARY }, /names no token endpoint$/],
    [
      'is on another host',
      { token_endpoint: `https://${CANARY}/token` },
      /^its token endpoint is not on the issuer's own origin$/,
    ],
    ['is on another port', { token_endpoint: `https://127.0.0.1:1/${CANARY}` }, /own origin$/],
    ['is no https URL', { token_endpoint: `http://127.0.0.1/${CANARY}` }, /own origin$/],
  ])('is refused when it %s, and nothing of the answer is told', async (_, body, told) => {
    issuer.discovery = () => ({ status: 200, body })
    const error = (await discover().catch(refused => refused)) as Error
    expect(error).toBeInstanceOf(DiscoveryRefused)
    expect(error.message).toMatch(told)
    expect(error.message).not.toContain(CANARY)
  })

  it.each([
    [404, 'HTTP 404'],
    [500, 'HTTP 500'],
    [302, 'HTTP 302; redirects are not followed'],
  ])('is not to be had by an answer of %i', async (status, message) => {
    issuer.discovery = () => ({ status, body: { error: CANARY }, headers: { location: issuer.url } })
    await expect(discover()).rejects.toEqual(new DiscoveryRefused(message))
    expect(issuer.discoveries()).toBe(1)
  })

  it('is not read out of more than 256 KiB', async () => {
    const document = (length: number) => {
      const body = { token_endpoint: `${issuer.url}/token`, padding: '' }
      return { ...body, padding: 'x'.repeat(length - JSON.stringify(body).length) }
    }
    issuer.discovery = () => ({ status: 200, body: document(LONGEST_ANSWER) })
    expect(await discover()).toBe('/realms/ops/token')
    issuer.discovery = () => ({ status: 200, body: document(LONGEST_ANSWER + 1) })
    await expect(discover()).rejects.toThrow('the answer is longer than 262144 bytes')
  })
})
