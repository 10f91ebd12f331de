import { describe, expect, it } from 'vitest'
import type { RawObject } from '../../../../lib/kubernetes/api.ts'
import { parseClusterConfig } from '../../../../lib/kubernetes/resources/cluster-config.ts'

const raw = (spec: object, rest: object = {}) =>
  ({
    metadata: { namespace: 'team', name: 'a', uid: 'u', resourceVersion: '7', generation: 2 },
    spec,
    ...rest,
  }) as unknown as RawObject

describe('a ClusterConfig', () => {
  it('is reached by a kubeconfig unless it says otherwise', () => {
    expect(parseClusterConfig(raw({})).spec.authType).toBe('Kubeconfig')
    expect(parseClusterConfig(raw({ authType: null })).spec.authType).toBe('Kubeconfig')
    expect(parseClusterConfig(raw({ authType: 'OIDC' })).spec.authType).toBe('OIDC')
  })

  it('is read with everything that is missing or null as unset', () => {
    const nulls = {
      kubeconfigSecretRef: null,
      oidcAuth: null,
      identityProviderRefs: null,
      allowedApproverDomains: null,
    }
    for (const given of [{}, nulls]) {
      const { spec, status } = parseClusterConfig(raw(given, { status: null }))
      expect(spec).toEqual({ authType: 'Kubeconfig', identityProviderRefs: [], allowedApproverDomains: [] })
      expect(status).toEqual({ conditions: [] })
    }
    const { spec } = parseClusterConfig(raw({ oidcAuth: {}, oidcFromIdentityProvider: { name: null } }))
    const unset = {
      server: '',
      clientId: '',
      clientSecretRef: undefined,
      audience: '',
      scopes: [],
      certificateAuthority: '',
      caSecretRef: undefined,
      insecureSkipTlsVerify: false,
      allowsTrustOnFirstUse: false,
      refreshTokenSecretRef: undefined,
      rotatedRefreshTokenKey: '',
      fallbackPolicy: '',
      tokenExchange: undefined,
    }
    expect(spec.oidcAuth).toEqual({ ...unset, issuerUrl: '' })
    expect(spec.oidcFromIdentityProvider).toEqual({ ...unset, provider: '' })
  })

  it('has an exchange only where that is enabled', () => {
    const exchange = (enabled: unknown) =>
      parseClusterConfig(raw({ oidcAuth: { tokenExchange: { enabled, resource: 'r' } } })).spec.oidcAuth?.tokenExchange
    expect(exchange(true)).toMatchObject({ resource: 'r', subjectTokenType: '' })
    expect([exchange(false), exchange(null), exchange(undefined)]).toEqual([undefined, undefined, undefined])
  })

  it('keeps conditions of others as they came', () => {
    const conditions = [{ type: 'DegradedAuth', status: 'True', own: { field: 1 } }]
    expect(parseClusterConfig(raw({}, { status: { conditions } })).status.conditions).toEqual(conditions)
  })

  it.each<[string, object, string]>([
    ['an unknown way', { authType: 'Certificate' }, 'ClusterConfig team/a: spec.authType: '],
    ['a number for a server', { oidcAuth: { server: 1 } }, 'ClusterConfig team/a: spec.oidcAuth.server: '],
    ['a text for scopes', { oidcAuth: { scopes: 'a secret text' } }, 'ClusterConfig team/a: spec.oidcAuth.scopes: '],
  ])('with %s can not be read, and its content is not told', (_, spec, told) => {
    const parse = () => parseClusterConfig(raw(spec))
    expect(parse).toThrow(told)
    expect(parse).not.toThrow(/a secret text/)
  })
})
