// What of the embedded Keycloak no real one can be asked: how it is started, loaded and broken. What it answers is in
// test/contract.

import { readFileSync } from 'node:fs'
import { get } from 'node:https'
import { afterEach, describe, expect, it } from 'vitest'
import {
  type EmbeddedKeycloak,
  type Interception,
  type KeycloakOptions,
  startKeycloak,
} from '../../../../../infra/local/keycloak/server.ts'
import { contractRealm, SECRET } from '../../../../contract/keycloak/realm.ts'

let server: EmbeddedKeycloak

afterEach(() => server?.close())

async function start(options: KeycloakOptions = { realms: [contractRealm('main')] }): Promise<void> {
  server = await startKeycloak(options)
}

async function token(realm = 'main', clientId = 'fencepost'): Promise<string> {
  const form = { grant_type: 'client_credentials', client_id: clientId, client_secret: SECRET }
  const answer = await fetch(`${server.url}/realms/${realm}/protocol/openid-connect/token`, {
    method: 'POST',
    body: new URLSearchParams(form),
  })
  return ((await answer.json()) as { access_token: string }).access_token
}

async function groups(bearer: string, realm = 'main'): Promise<{ status: number; names: string[] }> {
  const headers = { authorization: `Bearer ${bearer}` }
  const answer = await fetch(`${server.url}/admin/realms/${realm}/groups`, { headers })
  const body = (await answer.json()) as { name: string }[]
  return { status: answer.status, names: answer.ok ? body.map(({ name }) => name) : [] }
}

describe('a token', () => {
  it('ends by the clock, to the millisecond', async () => {
    let nowMs = Date.UTC(2026, 10, 21, 7, 5)
    await start({ clock: () => nowMs, realms: [contractRealm('main')] })
    const bearer = await token()
    nowMs += 299_999
    expect(await groups(bearer)).toMatchObject({ status: 200 })
    nowMs += 1
    expect(await groups(bearer)).toMatchObject({ status: 401 })
  })

  it('ends with all others when they are revoked; later ones are good', async () => {
    await start()
    const bearer = await token()
    server.revokeTokens()
    expect(await groups(bearer)).toMatchObject({ status: 401 })
    expect(await groups(await token())).toMatchObject({ status: 200 })
  })

  it('opens its own realm alone', async () => {
    await start({ realms: [contractRealm('main'), { realm: 'other', groups: [{ name: 'theirs' }] }] })
    expect(await groups(await token(), 'other')).toMatchObject({ status: 403 })
  })
})

describe('a realm', () => {
  it('takes the place of the one of its name, and leaves the others', async () => {
    await start({ realms: [contractRealm('main'), contractRealm('second')] })
    const { clients, users } = contractRealm('main') as { clients: object[]; users: { username: string }[] }
    const accounts = users.filter(({ username }) => username.startsWith('service-account-'))
    server.load({ realm: 'main', clients, users: accounts, groups: [{ name: 'alone' }] })
    expect((await groups(await token())).names).toEqual(['alone'])
    expect((await groups(await token('second'), 'second')).names).toContain('many')
  })

  it('as the console exports it, without users and with masked secrets, gives no rights', async () => {
    const client = { clientId: 'fencepost', enabled: true, secret: SECRET, serviceAccountsEnabled: true }
    await start({ realms: [{ realm: 'main', id: 'x', sslRequired: 'external', clients: [client] }] })
    expect(await groups(await token())).toMatchObject({ status: 403 })
  })

  it.each<[string, object, string]>([
    ['without a name', {}, 'a realm export without "realm"'],
    ['with a group twice', { realm: 'r', groups: [{ name: 'a' }, { name: 'a' }] }, 'realm r: /a is there twice'],
    [
      'with a group twice below another',
      { realm: 'r', groups: [{ name: 'a', subGroups: [{ name: 'b' }, { name: 'b' }] }] },
      'realm r: /a/b is there twice',
    ],
    [
      'with an id twice',
      {
        realm: 'r',
        groups: [
          { name: 'a', id: '1' },
          { name: 'b', id: '1' },
        ],
      },
      'realm r: the group id 1 is there twice',
    ],
    ['with a group without a name', { realm: 'r', groups: [{}] }, 'realm r: a group without "name"'],
    ['with a user without a name', { realm: 'r', users: [{}] }, 'realm r: a user without "username"'],
    ['with a client without an id', { realm: 'r', clients: [{}] }, 'realm r: a client without "clientId"'],
    [
      'with a user in a group that nobody defines',
      { realm: 'r', users: [{ username: 'ada', groups: ['/a'] }] },
      'realm r: user ada is in /a, which is no group',
    ],
    [
      'with a user twice, in whatever case',
      { realm: 'r', users: [{ username: 'ada' }, { username: 'ADA' }] },
      'realm r: user ada: its name ada is there twice',
    ],
    [
      'with an e-mail twice',
      {
        realm: 'r',
        users: [
          { username: 'a', email: 'x@y' },
          { username: 'b', email: 'X@y' },
        ],
      },
      'realm r: user b: its e-mail x@y is there twice',
    ],
  ])('%s is refused, and the server keeps what it had', async (_what, realm, message) => {
    await start()
    expect(() => server.load(realm)).toThrow(message)
    expect(await groups(await token())).toMatchObject({ status: 200 })
    await expect(startKeycloak({ realms: [realm] })).rejects.toThrow(message)
  })
})

describe('a fault', () => {
  it.each<[Interception, RegExp]>([
    ['reset', /fetch failed/],
    ['cut', /terminated/],
  ])('%s breaks one connection, and the next request is served', async (fault, message) => {
    await start()
    const bearer = await token()
    server.clearRequests()
    server.intercept = () => fault
    await expect(groups(bearer)).rejects.toThrow(message)
    server.intercept = undefined
    expect(await groups(bearer)).toMatchObject({ status: 200 })
    expect(server.requests.map(({ status }) => status)).toEqual([0, 200])
  })

  it('hang leaves a request without an answer until the server closes', async () => {
    await start()
    const bearer = await token()
    const seen = new Promise<void>(resolve => {
      server.intercept = () => {
        resolve()
        return 'hang'
      }
    })
    const hanging = groups(bearer)
    await Promise.all([seen.then(() => server.close()), expect(hanging).rejects.toThrow('fetch failed')])
  })

  it('may be an answer in the server’s place, which is recorded', async () => {
    await start()
    server.intercept = async () => ({ status: 429, headers: { 'retry-after': '2' }, body: {} })
    const answer = await fetch(`${server.url}/realms/main`)
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([429, '2'])
    expect(server.requests).toEqual([{ method: 'GET', path: '/realms/main', query: '', status: 429 }])
  })
})

describe('the server', () => {
  it('speaks TLS with the key it is given, and names itself so', async () => {
    const pem = (name: string) => readFileSync(new URL(`../../../../support/tls/${name}.pem`, import.meta.url), 'utf8')
    await start({ realms: [contractRealm('main')], tls: { key: pem('server-key'), cert: pem('server') } })
    expect(server.url).toMatch(/^https:/)
    const issuer = await new Promise((resolve, reject) => {
      const path = `${server.url}/realms/main/.well-known/openid-configuration`
      get(path, { ca: pem('ca'), agent: false }, answer => {
        answer.setEncoding('utf8').on('data', text => resolve((JSON.parse(text) as { issuer: string }).issuer))
      }).on('error', reject)
    })
    expect(issuer).toBe(`${server.url}/realms/main`)
  })

  it('names the port when it is taken', async () => {
    await start()
    await expect(startKeycloak({ port: server.port })).rejects.toMatchObject({
      code: 'EADDRINUSE',
      message: `the embedded Keycloak cannot listen: port ${server.port} on 127.0.0.1 is taken (EADDRINUSE)`,
    })
  })

  it('refuses a path that is badly encoded', async () => {
    await start()
    expect((await fetch(`${server.url}/realms/%zz`)).status).toBe(400)
  })
})
