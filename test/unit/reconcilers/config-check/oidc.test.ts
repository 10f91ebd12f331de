import { describe, expect, it } from 'vitest'
import { CLIENT } from '../../../support/oidc-server.ts'
import { CA, OTHER_CA, secret } from '../../../support/spoke.ts'
import { ACCESS_TOKEN, lookAtOidc, ref, SUBJECT_TOKEN, startOidcWorld } from './worlds.ts'

const READY = 'True OIDCValidated'

describe('a cluster with OIDC', () => {
  it('is ready when its issuer gives a token and it knows that', async () => {
    const world = await startOidcWorld()
    const { ready, message } = await lookAtOidc(world, {
      oidcAuth: world.direct({ audience: 'the-cluster', scopes: ['groups', 'email'] }),
    })
    expect([ready, message]).toEqual([READY, 'The cluster answers, and accepts a token of its issuer.'])
    expect(world.issuer.forms).toEqual([
      {
        grant_type: 'client_credentials',
        client_id: CLIENT.id,
        client_secret: CLIENT.secret,
        audience: 'the-cluster',
        scope: 'openid groups email',
      },
    ])
    expect(world.spoke.api.requests.map(({ user }) => user)).toEqual(['system:serviceaccount:breakglass'])
  })

  it('is ready when a token is exchanged for one that it knows', async () => {
    const world = await startOidcWorld()
    const tokenExchange = {
      enabled: true,
      subjectTokenSecretRef: ref('subject'),
      actorTokenSecretRef: ref('actor', 'mine'),
      resource: 'https://cluster.example',
    }
    const objects = [secret('subject', { token: `${SUBJECT_TOKEN}\n` }), secret('actor', { mine: 'actor-token' })]
    const { ready } = await lookAtOidc(world, { oidcAuth: world.direct({ tokenExchange }) }, objects)
    expect(ready).toBe(READY)
    const type = 'urn:ietf:params:oauth:token-type:access_token'
    expect(world.issuer.forms).toEqual([
      {
        grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
        client_id: CLIENT.id,
        client_secret: CLIENT.secret,
        subject_token: SUBJECT_TOKEN,
        subject_token_type: type,
        requested_token_type: type,
        actor_token: 'actor-token',
        actor_token_type: type,
        resource: 'https://cluster.example',
      },
    ])
  })

  it('ignores an exchange that is not enabled', async () => {
    const world = await startOidcWorld()
    const oidcAuth = world.direct({ tokenExchange: { enabled: false, subjectTokenSecretRef: ref('gone') } })
    expect((await lookAtOidc(world, { oidcAuth })).ready).toBe(READY)
    expect(world.issuer.forms.map(({ grant_type }) => grant_type)).toEqual(['client_credentials'])
  })

  it('takes issuer, authority and the Keycloak client from its IdentityProvider', async () => {
    const world = await startOidcWorld()
    const { ready } = await lookAtOidc(world, { oidcFromIdentityProvider: world.byProvider() }, [world.provider()])
    expect([ready, world.issuer.forms[0]?.client_id]).toEqual([READY, CLIENT.id])
  })

  it('takes its own client before its IdentityProvider’s', async () => {
    const world = await startOidcWorld()
    const own = { clientID: CLIENT.id, clientSecretRef: ref('client') }
    const provider = world.provider({ groupSyncProvider: undefined, keycloak: undefined })
    const { ready } = await lookAtOidc(world, { oidcFromIdentityProvider: world.byProvider(own) }, [provider])
    expect([ready, world.issuer.forms[0]?.client_id]).toEqual([READY, CLIENT.id])
  })

  it('has its authority under "ca.crt", else under "value", and under no other key than one that is named', async () => {
    const world = await startOidcWorld()
    const old = await lookAtOidc(world, { oidcAuth: world.direct({ caSecretRef: ref('old') }) }, [
      secret('old', { value: CA }),
    ])
    expect(old.ready).toBe(READY)
    const named = await lookAtOidc(world, { oidcAuth: world.direct({ caSecretRef: ref('old', 'mine') }) }, [
      secret('old', { value: CA }),
    ])
    expect(named.message).toMatch(/its certificate is not trusted/)
  })

  it('is trusted unseen only where the spec says so, its issuer too', async () => {
    const world = await startOidcWorld()
    const blind = { certificateAuthority: undefined, caSecretRef: undefined }
    const careful = await lookAtOidc(world, { oidcAuth: world.direct(blind) })
    expect(careful.message).toMatch(/^The issuer's discovery document can't be had: its certificate is not trusted/)
    expect(world.issuer.forms).toEqual([])
    const careless = await lookAtOidc(world, { oidcAuth: world.direct({ ...blind, insecureSkipTLSVerify: true }) })
    expect(careless.ready).toBe(READY)
  })
})

describe('what is missing at home is told at once:', () => {
  const gone = ref('gone')
  it.each<[string, object, string]>([
    ['the client’s Secret', { clientSecretRef: gone }, 'False SecretMissing: Secret team/gone does not exist.'],
    [
      'its key',
      { clientSecretRef: ref('client', 'other') },
      'False SecretKeyMissing: Secret team/client has nothing under key "other".',
    ],
    [
      'the subject’s token',
      { tokenExchange: { enabled: true, subjectTokenSecretRef: ref('client') } },
      'False SecretKeyMissing: Secret team/client has nothing under key "token".',
    ],
    ['the authority', { caSecretRef: gone }, 'False OIDCCASecretMissing: Secret team/gone does not exist.'],
    [
      'an authority in its Secret',
      { caSecretRef: ref('client', 'value') },
      'False OIDCCASecretMissing: Secret team/client holds no certificate of an authority in PEM.',
    ],
    [
      'an authority for the issuer',
      { certificateAuthority: 'a text' },
      'False ValidationFailed: The certificateAuthority of the issuer is no certificate in PEM.',
    ],
    ['the refresh token', { refreshTokenSecretRef: gone }, 'False SecretMissing: Secret team/gone does not exist.'],
  ])('%s', async (_, changes, told) => {
    const world = await startOidcWorld()
    const { ready, message } = await lookAtOidc(world, { oidcAuth: world.direct(changes) })
    expect(`${ready}: ${message}`).toBe(told)
    expect([world.issuer.forms, world.spoke.api.requests]).toEqual([[], []])
  })

  const named = 'IdentityProvider ops'
  it.each<[string, object | undefined, string]>([
    ['no such IdentityProvider', undefined, `False OIDCConfigMissing: ${named} does not exist.`],
    ['one that is disabled', { disabled: true }, `False OIDCConfigMissing: ${named} is disabled.`],
    [
      'one without a client secret',
      { keycloak: undefined, groupSyncProvider: undefined },
      `False OIDCConfigMissing: Neither the cluster nor ${named} has a client secret.`,
    ],
    [
      'one with a user in its address',
      { oidc: { authority: 'https://ann:pass@127.0.0.1', clientID: 'x', expectedAudience: 'x' } },
      `False ValidationFailed: The authority of ${named} is not an https URL without a user in it.`,
    ],
    [
      'one that trusts anybody',
      { oidc: { authority: 'https://127.0.0.1', clientID: 'x', expectedAudience: 'x', insecureSkipVerify: true } },
      `False ValidationFailed: ${named} switches the check of certificates off, which is refused.`,
    ],
  ])('%s', async (_, changes, told) => {
    const world = await startOidcWorld()
    const objects = changes ? [world.provider(changes)] : []
    const { ready, message } = await lookAtOidc(world, { oidcFromIdentityProvider: world.byProvider() }, objects)
    expect(`${ready}: ${message}`).toBe(told)
  })
})

describe('what an issuer does instead of giving a token:', () => {
  const had = "False OIDCDiscoveryFailed: The issuer's discovery document can't be had:"
  const given = 'False OIDCTokenFetchFailed: The issuer gives no token:'
  type Answer = { status: number; body: unknown; headers?: Record<string, string> }
  it.each<[string, 'discovery' | 'token', Answer, string]>([
    ['no document', 'discovery', { status: 404, body: {} }, `${had} HTTP 404.`],
    [
      'a document elsewhere',
      'discovery',
      { status: 302, body: '', headers: { location: 'https://127.0.0.1:1/' } },
      `${had} HTTP 302; redirects are not followed.`,
    ],
    ['a page', 'discovery', { status: 200, body: '<html>' }, `${had} the answer is not JSON.`],
    [
      'a document of something else',
      'discovery',
      { status: 200, body: {} },
      `${had} its discovery document names no token endpoint.`,
    ],
    [
      'an endpoint elsewhere',
      'discovery',
      { status: 200, body: { token_endpoint: 'https://127.0.0.2/token' } },
      `${had} its token endpoint is not on the issuer's own origin.`,
    ],
    [
      'a document without an end',
      'discovery',
      { status: 200, body: { token_endpoint: 'x', more: 'x'.repeat(300_000) } },
      `${had} the answer is longer than 262144 bytes.`,
    ],
    [
      'a word of the standard',
      'token',
      { status: 401, body: { error: 'invalid_client' } },
      `${given} HTTP 401 invalid_client.`,
    ],
    ['a word of its own', 'token', { status: 400, body: { error: 'nope' } }, `${given} HTTP 400.`],
    ['nothing in particular', 'token', { status: 200, body: {} }, `${given} HTTP 200.`],
    ['a fault', 'token', { status: 502, body: 'x', headers: { 'content-type': 'text/plain' } }, `${given} HTTP 502.`],
    [
      'a redirect',
      'token',
      { status: 307, body: '', headers: { location: 'https://127.0.0.1:1/' } },
      `${given} HTTP 307.`,
    ],
  ])('%s', async (_, where, answer, told) => {
    const world = await startOidcWorld()
    world.issuer[where] = () => answer
    const { ready, message } = await lookAtOidc(world, { oidcAuth: world.direct() })
    expect(`${ready}: ${message}`).toBe(told)
    expect(world.spoke.api.requests).toEqual([])
  })

  it('an endpoint without TLS', async () => {
    const world = await startOidcWorld()
    const plain = world.issuer.url.replace('https:', 'http:')
    world.issuer.discovery = () => ({ status: 200, body: { token_endpoint: `${plain}/token` } })
    const { message } = await lookAtOidc(world, { oidcAuth: world.direct() })
    expect(message).toMatch(/its token endpoint is not on the issuer's own origin/)
    expect(world.issuer.forms).toEqual([])
  })

  it('gives a token that the cluster does not know', async () => {
    const world = await startOidcWorld()
    world.issuer.token = () => ({ status: 200, body: { access_token: `${ACCESS_TOKEN}-of-yesterday` } })
    const { ready } = await lookAtOidc(world, { oidcAuth: world.direct() })
    expect(ready).toBe('False ClusterUnreachable')
  })
})

describe('what can not be tried is left as it is:', () => {
  const blind = { allowTOFU: true }
  it.each<[string, object, string | undefined]>([
    ['a refresh token', { refreshTokenSecretRef: ref('refresh') }, 'refresh-token'],
    [
      'a refresh token that is gone, with another way to get a token',
      { refreshTokenSecretRef: ref('gone'), fallbackPolicy: 'Auto' },
      'refresh-token',
    ],
    ['an issuer to be trusted on first use', { ...blind, certificateAuthority: undefined }, 'trust-on-first-use'],
    ['a cluster to be trusted on first use', { ...blind, caSecretRef: undefined }, 'trust-on-first-use'],
    ['a cluster whose authority is yet to be kept', { ...blind, caSecretRef: ref('gone') }, 'trust-on-first-use'],
    ['nothing, where trust was given before', blind, undefined],
  ])('%s', async (_, changes, why) => {
    const world = await startOidcWorld()
    const { ready, pass } = await lookAtOidc(world, { oidcAuth: world.direct(changes) }, [
      secret('refresh', { token: 'once' }),
    ])
    expect([ready, pass.actions[0]?.reason]).toEqual(why ? ['unset', why] : [READY, 'OIDCValidated'])
    if (why === 'refresh-token') expect([world.issuer.forms, world.issuer.discoveries()]).toEqual([[], 0])
    expect(world.spoke.api.requests.length).toBe(why ? 0 : 1)
  })

  it('but one that is simply not there is told, first use or not', async () => {
    const world = await startOidcWorld()
    const { ready, message } = await lookAtOidc(world, {
      oidcAuth: world.direct({ ...blind, caSecretRef: undefined, server: 'https://127.0.0.1:1' }),
    })
    expect([ready, message]).toEqual([
      'False ClusterUnreachable',
      "The cluster can't be reached: the connection failed (ECONNREFUSED).",
    ])
  })

  it('an authority that is pinned and wrong is no case for first use', async () => {
    const world = await startOidcWorld()
    const oidcAuth = world.direct({ ...blind, caSecretRef: ref('other') })
    const { ready } = await lookAtOidc(world, { oidcAuth }, [secret('other', { 'ca.crt': OTHER_CA })])
    expect(ready).toBe('False ClusterUnreachable')
    const pinned = await lookAtOidc(world, { oidcAuth: world.direct({ ...blind, certificateAuthority: OTHER_CA }) })
    expect(pinned.ready).toBe('False OIDCDiscoveryFailed')
  })
})
