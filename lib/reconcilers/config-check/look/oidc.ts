// The way to a cluster with a token of an OIDC issuer. Secrets are read first, then the issuer is asked. A refresh token is never used:
// most are good for one use, and the next real request needs it.

import { X509Certificate } from 'node:crypto'
import { type Endpoint, type Exchange, openExchange } from '../../../http/exchange.ts'
import { requestToken, TokenRefused } from '../../../http/token-request.ts'
import type { Connection } from '../../../kubernetes/connection.ts'
import type { ClusterConfig } from '../../../kubernetes/resources/cluster-config.ts'
import type { SecretRef } from '../../../kubernetes/resources/secret.ts'
import { DiscoveryRefused, discoverTokenEndpoint, LONGEST_ANSWER } from '../../../oidc/discovery.ts'
import { clientCredentialsForm, tokenExchangeForm } from '../../../oidc/grants.ts'
import type { Clock } from '../../../time.ts'
import { type Failure, failed, type Look, untried } from '../rules/look.ts'
import { describeBreak, isUntrusted, LOOK_MS } from './breaks.ts'
import { type Providers, throughProvider, type WholeOidc } from './providers.ts'
import { describeSecret, type Reading, readIfAny, readRef } from './secrets.ts'

/** The key of a subject's, an actor's or a refresh token where a reference names none, as upstream reads it. */
const TOKEN_KEY = 'token'
const CA_KEY = 'ca.crt'
/** Where upstream kept the authority before. */
const LEGACY_CA_KEY = 'value'

/**
 * Makes the way to a cluster.
 * @throws PermanentError – InvalidResource, when its IdentityProvider can't be understood. As `readRef`.
 */
export async function connectByToken(
  reading: Reading,
  { oidcAuth, oidcFromIdentityProvider }: ClusterConfig['spec'],
  { providers, clock }: { readonly providers: Providers; readonly clock: Clock },
): Promise<Connection | Look> {
  const whole = oidcAuth ?? (oidcFromIdentityProvider && throughProvider(oidcFromIdentityProvider, providers))
  if (!whole) return failed('OIDCConfigMissing', 'The spec says nothing of OIDC.')
  if ('kind' in whole) return whole
  if (whole.refreshTokenSecretRef) {
    const token = await readRef(reading, whole.refreshTokenSecretRef, TOKEN_KEY)
    return token.kind === 'failed' && ['', 'None'].includes(whole.fallbackPolicy) ? token : untried('refresh-token')
  }
  const asked = await formOf(reading, whole)
  if ('kind' in asked) return asked
  const tls = await tlsOf(reading, whole)
  if ('kind' in tls) return tls
  const token = await tokenFrom(whole, asked.form, { clock, signal: reading.signal })
  if (typeof token !== 'string') return token
  return { server: new URL(whole.server), tls, headers: async () => ({ authorization: `Bearer ${token}` }) }
}

/** What is asked of the token endpoint. */
async function formOf(
  reading: Reading,
  { clientSecretRef, tokenExchange, clientId, audience, scopes }: WholeOidc,
): Promise<{ readonly form: Record<string, string> } | Failure> {
  const subject = await readIfAny(reading, tokenExchange?.subjectTokenSecretRef, TOKEN_KEY)
  if (subject.kind === 'failed') return subject
  const actor = await readIfAny(reading, tokenExchange?.actorTokenSecretRef, TOKEN_KEY)
  if (actor.kind === 'failed') return actor
  const secret = await readIfAny(reading, clientSecretRef)
  if (secret.kind === 'failed') return secret
  const asking = { clientId, clientSecret: secret.value, audience, scopes }
  if (!tokenExchange) return { form: clientCredentialsForm(asking) }
  const tokens = { subjectToken: subject.value.trim(), actorToken: actor.value.trim() }
  return { form: tokenExchangeForm({ ...asking, ...tokenExchange, ...tokens }) }
}

/** How the cluster is trusted: by its CA Secret, else not at all where the spec says so, else as every public server. */
async function tlsOf(
  reading: Reading,
  { caSecretRef, insecureSkipTlsVerify, allowsTrustOnFirstUse }: WholeOidc,
): Promise<Endpoint['tls'] | Look> {
  const authority = caSecretRef && (await authorityOf(reading, caSecretRef))
  if (authority?.kind === 'failed' && authority.reason === 'SecretMissing' && !allowsTrustOnFirstUse)
    return failed('OIDCCASecretMissing', authority.message)
  if (authority?.kind === 'value')
    return isAuthority(authority.value)
      ? { ca: authority.value }
      : failed(
          'OIDCCASecretMissing',
          `${describeSecret(caSecretRef as SecretRef)} holds no certificate of an authority in PEM.`,
        )
  return insecureSkipTlsVerify ? { rejectUnauthorized: false } : {}
}

async function authorityOf(reading: Reading, ref: SecretRef) {
  const authority = await readRef(reading, ref, CA_KEY)
  const isElsewhere = authority.kind === 'failed' && authority.reason === 'SecretKeyMissing' && ref.key === undefined
  return isElsewhere ? await readRef(reading, ref, LEGACY_CA_KEY) : authority
}

/** Whether a text begins with a certificate; the TLS library passes over what is none in silence. */
function isAuthority(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0
  } catch {
    return false
  }
}

/** Asks the issuer for a token. */
async function tokenFrom(
  { issuerUrl, certificateAuthority, insecureSkipTlsVerify, allowsTrustOnFirstUse }: WholeOidc,
  form: Record<string, string>,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<string | Look> {
  const server = new URL(issuerUrl)
  if (certificateAuthority && !isAuthority(certificateAuthority))
    return failed('ValidationFailed', 'The certificateAuthority of the issuer is no certificate in PEM.')
  const tls = {
    ...(certificateAuthority && { ca: certificateAuthority }),
    ...(insecureSkipTlsVerify && { rejectUnauthorized: false }),
  }
  const exchange = openExchange({ server, tls, longestBody: LONGEST_ANSWER }, clock)
  const limits = { limitMs: LOOK_MS, signal }
  const mayTrust = allowsTrustOnFirstUse && !certificateAuthority
  try {
    const path = await discover(exchange, server, limits, mayTrust)
    if (typeof path !== 'string') return path
    return await requestToken(exchange, { path, form, ...limits }).then(
      ({ token }) => token,
      error => failed('OIDCTokenFetchFailed', `The issuer gives no token: ${describeRefusal(error, signal)}.`),
    )
  } finally {
    exchange.close()
  }
}

async function discover(
  exchange: Exchange,
  issuer: URL,
  limits: { readonly limitMs: number; readonly signal: AbortSignal },
  mayTrust: boolean,
): Promise<string | Look> {
  try {
    return await discoverTokenEndpoint(exchange, issuer, limits)
  } catch (error) {
    if (mayTrust && isUntrusted(error) && !limits.signal.aborted) return untried('trust-on-first-use')
    const why = error instanceof DiscoveryRefused ? error.message : describeBreak(error, limits.signal)
    return failed('OIDCDiscoveryFailed', `The issuer's discovery document can't be had: ${why}.`)
  }
}

function describeRefusal(error: unknown, signal: AbortSignal): string {
  if (!(error instanceof TokenRefused)) return describeBreak(error, signal)
  return `HTTP ${error.status}${error.error === undefined ? '' : ` ${error.error}`}`
}
