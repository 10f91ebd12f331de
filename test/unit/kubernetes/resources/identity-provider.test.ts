import { describe, expect, it } from 'vitest'
import {
  DEFAULT_REQUEST_TIMEOUT_MS,
  parseIdentityProvider,
} from '../../../../lib/kubernetes/resources/identity-provider.ts'

const metadata = { name: 'corp', uid: 'u', resourceVersion: '1' }
const keycloak = {
  baseURL: 'https://sso.example.test',
  realm: 'corp',
  clientID: 'sync',
  clientSecretRef: { name: 'sync', namespace: 'system' },
}
const oidc = { authority: 'https://sso.example.test/realms/corp', clientID: 'ui', expectedAudience: 'ui' }
const parse = (spec: object) => parseIdentityProvider({ metadata, spec: { oidc, ...spec } })

describe('an identity provider', () => {
  it('is read with its Keycloak', () => {
    const { spec } = parse({ groupSyncProvider: 'Keycloak', keycloak: { ...keycloak, requestTimeout: '3s' } })
    expect(spec).toMatchObject({
      isDisabled: false,
      keycloak: {
        baseUrl: 'https://sso.example.test',
        clientSecretRef: { name: 'sync', namespace: 'system', key: undefined },
        requestTimeoutMs: 3_000,
        insecureSkipVerify: false,
      },
    })
  })

  it.each(['', '0s', 'soon', '-1s'])('waits ten seconds where its requestTimeout is "%s"', requestTimeout => {
    const { spec } = parse({ groupSyncProvider: 'Keycloak', keycloak: { ...keycloak, requestTimeout } })
    expect(spec.keycloak?.requestTimeoutMs).toBe(DEFAULT_REQUEST_TIMEOUT_MS)
  })

  it('without groupSyncProvider has none, whatever stands below keycloak', () => {
    expect(parse({ keycloak }).spec.keycloak).toBeUndefined()
  })

  it.each([
    ['no realm', { groupSyncProvider: 'Keycloak', keycloak: { ...keycloak, realm: undefined } }, 'spec.keycloak.realm'],
    [
      'a secret without namespace',
      { keycloak: { ...keycloak, clientSecretRef: { name: 'x' } } },
      'spec.keycloak.clientSecretRef.namespace',
    ],
    ['no authority', { oidc: {} }, 'spec.oidc.authority'],
  ])('with %s is refused by its field', (_, spec, field) => {
    expect(() => parse(spec)).toThrow(`IdentityProvider corp: ${field}: `)
  })
})
