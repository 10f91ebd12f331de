// Whether a spec can be right at all: the part of upstream's admission rules that needs nothing but the object itself, as a list of
// named checks. Limits of rate (qps, burst) and the mail provider are left to upstream's own admission.

import type { ClusterConfig, OidcSpec } from '../../../kubernetes/resources/cluster-config.ts'
import type { SecretRef } from '../../../kubernetes/resources/secret.ts'
import { type Failure, failed } from './look.ts'

type Spec = ClusterConfig['spec']
/** Gives what is wrong, or undefined. */
type Check = (spec: Spec) => string | undefined

/** In their order; the first complaint is told. */
const CHECKS: readonly Check[] = [
  oneWay,
  secretReferences,
  required,
  httpsUrls,
  clientCredentials,
  exchange,
  refresh,
  scopes,
  providerReferences,
  approverDomains,
]

/** Judges a spec; undefined when nothing is wrong with it. */
export function judgeSpec(spec: Spec): Failure | undefined {
  if (spec.authType === 'OIDC' && !oidcOf(spec) && !spec.kubeconfigSecretRef)
    return failed(
      'OIDCConfigMissing',
      'Neither spec.oidcAuth nor spec.oidcFromIdentityProvider is set; set one of them.',
    )
  for (const check of CHECKS) {
    const complaint = check(spec)
    if (complaint !== undefined) return failed('ValidationFailed', `${complaint}.`)
  }
  return undefined
}

/** The OIDC part of a spec, and the path of its fields. */
function oidcOf({ oidcAuth, oidcFromIdentityProvider }: Spec): { at: string; oidc: OidcSpec } | undefined {
  if (oidcAuth) return { at: 'spec.oidcAuth', oidc: oidcAuth }
  return oidcFromIdentityProvider && { at: 'spec.oidcFromIdentityProvider', oidc: oidcFromIdentityProvider }
}

function oneWay({ authType, kubeconfigSecretRef, oidcAuth, oidcFromIdentityProvider }: Spec): string | undefined {
  const ways = Object.entries({ kubeconfigSecretRef, oidcAuth, oidcFromIdentityProvider }).filter(([, way]) => way)
  const names = ways.map(([name]) => `spec.${name}`)
  if (names.length > 1) return `${names.join(' and ')} exclude each other; keep one`
  if (authType === 'Kubeconfig' && !kubeconfigSecretRef)
    return names.length === 0 ? 'spec.kubeconfigSecretRef is missing' : `${names[0]} needs spec.authType OIDC`
  return authType === 'OIDC' && kubeconfigSecretRef
    ? 'spec.kubeconfigSecretRef needs spec.authType Kubeconfig'
    : undefined
}

function secretReferences(spec: Spec): string | undefined {
  const { at = '', oidc } = oidcOf(spec) ?? {}
  const refs: [string, SecretRef | undefined][] = [
    ['spec.kubeconfigSecretRef', spec.kubeconfigSecretRef],
    [`${at}.clientSecretRef`, oidc?.clientSecretRef],
    [`${at}.caSecretRef`, oidc?.caSecretRef],
    [`${at}.refreshTokenSecretRef`, oidc?.refreshTokenSecretRef],
    [`${at}.tokenExchange.subjectTokenSecretRef`, oidc?.tokenExchange?.subjectTokenSecretRef],
    [`${at}.tokenExchange.actorTokenSecretRef`, oidc?.tokenExchange?.actorTokenSecretRef],
  ]
  const wrong = refs.find(([, ref]) => ref && !(ref.name && ref.namespace))
  return wrong && `${wrong[0]} needs name and namespace`
}

function required({ oidcAuth, oidcFromIdentityProvider }: Spec): string | undefined {
  if (oidcAuth && !oidcAuth.clientId) return 'spec.oidcAuth.clientID is missing'
  return oidcFromIdentityProvider && !oidcFromIdentityProvider.provider
    ? 'spec.oidcFromIdentityProvider.name is missing'
    : undefined
}

function httpsUrls(spec: Spec): string | undefined {
  const { at, oidc } = oidcOf(spec) ?? {}
  if (spec.oidcAuth && !isHttpsUrl(spec.oidcAuth.issuerUrl))
    return 'spec.oidcAuth.issuerURL is not an https URL without a user in it'
  return oidc && !isHttpsUrl(oidc.server) ? `${at}.server is not an https URL without a user in it` : undefined
}

/** Whether a text is an https URL without a user in it. */
export function isHttpsUrl(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, username, password } = new URL(text)
  return protocol === 'https:' && username === '' && password === ''
}

/** What comes from an IdentityProvider may bring its own client secret, which is judged where that is read. */
function clientCredentials({ oidcAuth, oidcFromIdentityProvider: byProvider }: Spec): string | undefined {
  if (oidcAuth && !oidcAuth.clientSecretRef && !oidcAuth.refreshTokenSecretRef && !oidcAuth.tokenExchange)
    return 'spec.oidcAuth.clientSecretRef is missing, and there is no other way to get a token'
  return byProvider?.clientSecretRef && byProvider.refreshTokenSecretRef
    ? 'spec.oidcFromIdentityProvider: clientSecretRef and refreshTokenSecretRef exclude each other'
    : undefined
}

function exchange(spec: Spec): string | undefined {
  const { at, oidc } = oidcOf(spec) ?? {}
  if (!oidc?.tokenExchange) return undefined
  if (!oidc.tokenExchange.subjectTokenSecretRef) return `${at}.tokenExchange needs subjectTokenSecretRef`
  return spec.oidcAuth && !oidc.clientSecretRef ? `${at}.tokenExchange needs ${at}.clientSecretRef` : undefined
}

/** Keys that the token which is exchanged or refreshed may be read by. */
const READ_KEYS: readonly string[] = ['token', 'value']

function refresh(spec: Spec): string | undefined {
  const { at, oidc } = oidcOf(spec) ?? {}
  if (!oidc) return undefined
  const { refreshTokenSecretRef: ref, rotatedRefreshTokenKey: rotated, fallbackPolicy } = oidc
  if (!ref) {
    if (rotated) return `${at}.rotatedRefreshTokenKey needs ${at}.refreshTokenSecretRef`
    return ['', 'None'].includes(fallbackPolicy) ? undefined : `${at}.fallbackPolicy needs ${at}.refreshTokenSecretRef`
  }
  return rotated && [...READ_KEYS, ref.key].includes(rotated)
    ? `${at}.rotatedRefreshTokenKey is the key that the refresh token is read by`
    : undefined
}

function scopes(spec: Spec): string | undefined {
  const { at, oidc } = oidcOf(spec) ?? {}
  return oidc && hasDuplicates(oidc.scopes) ? `${at}.scopes has one twice` : undefined
}

function providerReferences({ identityProviderRefs }: Spec): string | undefined {
  if (identityProviderRefs.some(name => name.trim() === '')) return 'spec.identityProviderRefs has an empty name'
  return hasDuplicates(identityProviderRefs) ? 'spec.identityProviderRefs has one twice' : undefined
}

function approverDomains({ allowedApproverDomains: domains }: Spec): string | undefined {
  if (domains.some(domain => !/^[a-z0-9-]+(\.[a-z0-9-]+)+$/i.test(domain)))
    return 'spec.allowedApproverDomains has one that is no domain'
  return hasDuplicates(domains) ? 'spec.allowedApproverDomains has one twice' : undefined
}

function hasDuplicates(list: readonly string[]): boolean {
  return new Set(list).size < list.length
}
