// Tokens, and what says where they are given.

import { describe, expect, it } from 'vitest'
import { SECRET } from './realm.ts'
import type { Suite } from './suite.ts'

const credentials = (client_id: string, client_secret = SECRET) => ({
  grant_type: 'client_credentials',
  client_id,
  client_secret,
})

/** The token endpoint and discovery. */
export function describeTokens({ server, send, askToken, ask }: Suite): void {
  describe('tokens', () => {
    it('are given to service accounts for 300 s', async () => {
      const { status, headers, body } = await askToken(credentials('fencepost'))
      expect([status, headers.get('cache-control')]).toEqual([200, 'no-store'])
      expect(body).toMatchObject({ expires_in: 300, token_type: 'Bearer' })
      expect(body.access_token).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/)
    })

    it('are given to credentials in the Authorization header', async () => {
      const authorization = `Basic ${Buffer.from(`fencepost:${SECRET}`).toString('base64')}`
      expect(await askToken({ grant_type: 'client_credentials' }, { authorization })).toMatchObject({ status: 200 })
    })

    it('live as long as their client says', async () => {
      expect((await askToken(credentials('short-lived'))).body.expires_in).toBe(1)
    })

    it.each<[string, Record<string, string>, number, string]>([
      ['a wrong secret', credentials('fencepost', 'wrong'), 401, 'unauthorized_client'],
      ['no secret', { grant_type: 'client_credentials', client_id: 'fencepost' }, 401, 'unauthorized_client'],
      ['an unknown client', credentials('unknown'), 401, 'invalid_client'],
      ['a disabled client', credentials('disabled'), 401, 'invalid_client'],
      ['a public client', credentials('public'), 401, 'unauthorized_client'],
      ['a client without a service account', credentials('no-account'), 401, 'unauthorized_client'],
      ['no client', { grant_type: 'client_credentials' }, 401, 'invalid_client'],
      ['no grant type', { client_id: 'fencepost', client_secret: SECRET }, 400, 'invalid_request'],
      ['an unknown grant type', { ...credentials('fencepost'), grant_type: 'magic' }, 400, 'unsupported_grant_type'],
    ])('are refused to %s', async (_to, form, status, error) => {
      expect(await askToken(form)).toMatchObject({ status, body: { error, error_description: expect.any(String) } })
    })

    it('are not given by a realm that does not exist', async () => {
      const path = '/realms/nowhere/protocol/openid-connect/token'
      const answer = await send(path, { method: 'POST', body: new URLSearchParams(credentials('fencepost')) })
      expect(answer).toMatchObject({ status: 404, body: { error: 'Realm does not exist' } })
    })

    it('are to be had where the realm’s discovery document says', async () => {
      const issuer = `${server().url}/realms/${server().realm}`
      const { status, body } = await send(`/realms/${server().realm}/.well-known/openid-configuration`)
      expect(status).toBe(200)
      expect(body).toMatchObject({ issuer, token_endpoint: `${issuer}/protocol/openid-connect/token` })
      const keys = await send(new URL(body.jwks_uri).pathname)
      expect(keys).toMatchObject({ status: 200, body: { keys: expect.arrayContaining([expect.any(Object)]) } })
    })

    it.each<[string, string | undefined, Record<string, string>]>([
      ['no token', undefined, {}],
      ['a text that is none', undefined, { authorization: 'Bearer nothing' }],
    ])('are asked for by the admin API: %s is 401', async (_what, client, headers) => {
      expect(await ask(client, '/groups', { headers })).toMatchObject({
        status: 401,
        body: { error: expect.any(String) },
      })
    })

    it('count in their own realm alone', async () => {
      const { access_token } = (await askToken(credentials('fencepost'))).body
      const headers = { authorization: `Bearer ${access_token}` }
      expect(await send('/admin/realms/nowhere/groups', { headers })).toMatchObject({
        status: 404,
        body: { error: 'Realm not found.' },
      })
    })
  })
}
