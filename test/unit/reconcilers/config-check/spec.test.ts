import { describe, expect, it } from 'vitest'
import type { RawObject } from '../../../../lib/kubernetes/api.ts'
import { parseClusterConfig } from '../../../../lib/kubernetes/resources/cluster-config.ts'
import { judgeSpec } from '../../../../lib/reconcilers/config-check/rules/spec.ts'
import { ref } from './worlds.ts'

const KUBECONFIG = { kubeconfigSecretRef: ref('a') }
const DIRECT = {
  issuerURL: 'https://issuer.example/realms/ops',
  clientID: 'x',
  server: 'https://cluster.example:6443',
  clientSecretRef: ref('client'),
}
const PROVIDED = { name: 'ops', server: 'https://cluster.example:6443' }

const direct = (changes: object = {}) => ({ authType: 'OIDC', oidcAuth: { ...DIRECT, ...changes } })
const provided = (changes: object = {}) => ({ authType: 'OIDC', oidcFromIdentityProvider: { ...PROVIDED, ...changes } })

function judge(spec: object): string | undefined {
  const metadata = { namespace: 'team', name: 'a', uid: 'u', resourceVersion: '7' }
  const failure = judgeSpec(parseClusterConfig({ metadata, spec } as RawObject).spec)
  return failure && `${failure.reason}: ${failure.message}`
}

describe('a spec is in order', () => {
  const exchange = { tokenExchange: { enabled: true, subjectTokenSecretRef: ref('subject') } }
  it.each<[string, object]>([
    ['with a kubeconfig', KUBECONFIG],
    ['with a kubeconfig, by that name', { authType: 'Kubeconfig', ...KUBECONFIG }],
    ['with a client', direct()],
    [
      'with a refresh token',
      direct({ clientSecretRef: undefined, refreshTokenSecretRef: ref('r'), fallbackPolicy: 'Auto' }),
    ],
    [
      'with a refresh token that is kept anew',
      direct({ refreshTokenSecretRef: ref('r', 'mine'), rotatedRefreshTokenKey: 'new' }),
    ],
    ['with an exchange', direct(exchange)],
    ['with a provider', provided()],
    ['with a provider and an exchange', provided(exchange)],
    [
      'with domains and providers',
      { ...KUBECONFIG, allowedApproverDomains: ['a.example', 'b.example'], identityProviderRefs: ['a', 'b'] },
    ],
  ])('%s', (_, spec) => {
    expect(judge(spec)).toBeUndefined()
  })
})

describe('a spec can not be right', () => {
  const auth = 'ValidationFailed: spec.oidcAuth'
  const byProvider = 'ValidationFailed: spec.oidcFromIdentityProvider'
  const noUrl = 'is not an https URL without a user in it.'
  it.each<[string, object, string]>([
    ['without any way', {}, 'ValidationFailed: spec.kubeconfigSecretRef is missing.'],
    [
      'that asks for OIDC and says nothing of it',
      { authType: 'OIDC' },
      'OIDCConfigMissing: Neither spec.oidcAuth nor spec.oidcFromIdentityProvider is set; set one of them.',
    ],
    [
      'with two ways',
      { ...direct(), ...KUBECONFIG },
      'ValidationFailed: spec.kubeconfigSecretRef and spec.oidcAuth exclude each other; keep one.',
    ],
    [
      'with two ways of OIDC',
      { ...direct(), ...provided() },
      'ValidationFailed: spec.oidcAuth and spec.oidcFromIdentityProvider exclude each other; keep one.',
    ],
    ['with OIDC by default', { oidcAuth: DIRECT }, 'ValidationFailed: spec.oidcAuth needs spec.authType OIDC.'],
    [
      'with a kubeconfig for OIDC',
      { authType: 'OIDC', ...KUBECONFIG },
      'ValidationFailed: spec.kubeconfigSecretRef needs spec.authType Kubeconfig.',
    ],
    [
      'with a Secret without a namespace',
      { kubeconfigSecretRef: { name: 'a' } },
      'ValidationFailed: spec.kubeconfigSecretRef needs name and namespace.',
    ],
    [
      'with an authority without a name',
      direct({ caSecretRef: { namespace: 'team' } }),
      `${auth}.caSecretRef needs name and namespace.`,
    ],
    ['without a client', direct({ clientID: '' }), `${auth}.clientID is missing.`],
    ['without a provider', provided({ name: '' }), `${byProvider}.name is missing.`],
    ['with an issuer without TLS', direct({ issuerURL: 'http://issuer.example' }), `${auth}.issuerURL ${noUrl}`],
    ['with a server without TLS', direct({ server: 'http://cluster.example' }), `${auth}.server ${noUrl}`],
    [
      'with a server with a password',
      direct({ server: 'https://ann:pass@cluster.example' }),
      `${auth}.server ${noUrl}`,
    ],
    [
      'with a provider’s server that is a name',
      provided({ server: 'cluster.example' }),
      `${byProvider}.server ${noUrl}`,
    ],
    [
      'without a way to get a token',
      direct({ clientSecretRef: undefined }),
      `${auth}.clientSecretRef is missing, and there is no other way to get a token.`,
    ],
    [
      'with two ways to get a token',
      provided({ clientSecretRef: ref('a'), refreshTokenSecretRef: ref('b') }),
      `${byProvider}: clientSecretRef and refreshTokenSecretRef exclude each other.`,
    ],
    [
      'with an exchange of nothing',
      direct({ tokenExchange: { enabled: true } }),
      `${auth}.tokenExchange needs subjectTokenSecretRef.`,
    ],
    [
      'with an exchange by nobody',
      direct({ clientSecretRef: undefined, tokenExchange: { enabled: true, subjectTokenSecretRef: ref('s') } }),
      `${auth}.tokenExchange needs spec.oidcAuth.clientSecretRef.`,
    ],
    [
      'with a fallback from nothing',
      direct({ fallbackPolicy: 'Warn' }),
      `${auth}.fallbackPolicy needs spec.oidcAuth.refreshTokenSecretRef.`,
    ],
    [
      'with a key for nothing',
      direct({ rotatedRefreshTokenKey: 'new' }),
      `${auth}.rotatedRefreshTokenKey needs spec.oidcAuth.refreshTokenSecretRef.`,
    ],
    [
      'that would write over its refresh token',
      direct({ refreshTokenSecretRef: ref('r'), rotatedRefreshTokenKey: 'token' }),
      `${auth}.rotatedRefreshTokenKey is the key that the refresh token is read by.`,
    ],
    [
      'that would write over its refresh token, by its own key',
      direct({ refreshTokenSecretRef: ref('r', 'mine'), rotatedRefreshTokenKey: 'mine' }),
      `${auth}.rotatedRefreshTokenKey is the key that the refresh token is read by.`,
    ],
    ['with a scope twice', direct({ scopes: ['a', 'a'] }), `${auth}.scopes has one twice.`],
    [
      'with a provider twice',
      { ...KUBECONFIG, identityProviderRefs: ['a', 'a'] },
      'ValidationFailed: spec.identityProviderRefs has one twice.',
    ],
    [
      'with a provider without a name',
      { ...KUBECONFIG, identityProviderRefs: [' '] },
      'ValidationFailed: spec.identityProviderRefs has an empty name.',
    ],
    [
      'with a domain of one word',
      { ...KUBECONFIG, allowedApproverDomains: ['example'] },
      'ValidationFailed: spec.allowedApproverDomains has one that is no domain.',
    ],
    [
      'with a domain twice',
      { ...KUBECONFIG, allowedApproverDomains: ['a.b', 'a.b'] },
      'ValidationFailed: spec.allowedApproverDomains has one twice.',
    ],
  ])('%s', (_, spec, told) => {
    expect(judge(spec)).toBe(told)
  })
})
