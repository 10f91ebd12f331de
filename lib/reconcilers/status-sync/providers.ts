// The identity providers as they are now, each with its Keycloak if one can be asked. They are read anew in every tick, with
// their secrets, so that a rotated secret counts at the next one. Their own conditions are upstream's and are not written;
// health is told in its words.

import { X509Certificate } from 'node:crypto'
import { rootCertificates } from 'node:tls'
import { errorCode, errorMessage } from '../../errors.ts'
import { openExchange } from '../../http/exchange.ts'
import { type Keycloak, openKeycloak } from '../../keycloak/client.ts'
import type { KubernetesApi } from '../../kubernetes/api.ts'
import { listPages } from '../../kubernetes/pages.ts'
import { readAll } from '../../kubernetes/resources/fields.ts'
import {
  IDENTITY_PROVIDERS,
  type IdentityProvider,
  type KeycloakSpec,
  parseIdentityProvider,
} from '../../kubernetes/resources/identity-provider.ts'
import { readSecretKey, type SecretReading } from '../../kubernetes/resources/secret.ts'
import { type Clock, SECOND_MS } from '../../time.ts'

/** All that one provider may take of one tick. */
export const PROVIDER_DEADLINE_MS = 30 * SECOND_MS

/** The longest answer that is read, bytes; a page of a hundred people is a hundredth of it. */
const LONGEST_ANSWER = 4 * 1024 * 1024

/** Why a provider can't be asked, in the words of upstream's condition GroupSyncHealthy. */
export type Health =
  | 'GroupSyncOperational'
  | 'ValidationFailed'
  | 'KeycloakMissing'
  | 'KeycloakIncomplete'
  | 'KeycloakTLSConfigRejected'
  | 'KeycloakTLSConfigInvalid'
  | 'SecretNotFound'
  | 'SecretKeyNotFound'
  | 'KeycloakAuthenticationFailed'
  | 'KeycloakHealthCheckFailed'

/**
 * One provider.
 *
 * `usable`    its Keycloak can be asked
 * `disabled`  nobody logs in by it; as if it did not exist
 * `unusable`  it can't be asked; what is known of it stays
 */
export type Provider = { readonly name: string; readonly synchronises: boolean } & (
  | { readonly kind: 'usable'; readonly keycloak: Keycloak }
  | { readonly kind: 'disabled' }
  | { readonly kind: 'unusable'; readonly health: Health; readonly reason: string }
)

/**
 * Reads all providers; one that can't be used is told as such and never thrown.
 * @throws as `KubernetesApi.request`, when they can't be listed.
 */
export async function readProviders(api: KubernetesApi, clock: Clock, signal: AbortSignal): Promise<Provider[]> {
  const providers: Provider[] = []
  for await (const raws of listPages(api, IDENTITY_PROVIDERS, { signal })) {
    const { views, broken } = readAll(raws, parseIdentityProvider)
    for (const { object, message } of broken) providers.push(unusable(object, true, 'ValidationFailed', message))
    providers.push(...(await Promise.all(views.map(view => open(api, clock, view, signal)))))
  }
  return providers
}

async function open(
  api: KubernetesApi,
  clock: Clock,
  { metadata: { name }, spec }: IdentityProvider,
  signal: AbortSignal,
): Promise<Provider> {
  const { keycloak } = spec
  if (spec.isDisabled) return { name, synchronises: keycloak !== undefined, kind: 'disabled' }
  if (!keycloak) return unusable(name, false, 'KeycloakMissing', 'spec has no groupSyncProvider Keycloak')
  const refuse = (health: Health, reason: string) => unusable(name, true, health, reason)
  const server = URL.canParse(keycloak.baseUrl) ? new URL(keycloak.baseUrl) : undefined
  if (!server || !isSafe(server))
    return refuse('KeycloakIncomplete', 'spec.keycloak.baseURL must be an https URL: a secret is sent there')
  if (keycloak.insecureSkipVerify)
    return refuse('KeycloakTLSConfigRejected', 'spec.keycloak.insecureSkipVerify is refused; give certificateAuthority')
  const trust = trustOf(keycloak)
  if (!trust) return refuse('KeycloakTLSConfigInvalid', 'spec.keycloak.certificateAuthority is no certificate in PEM')
  let secret: SecretReading
  try {
    secret = await readSecretKey(api, keycloak.clientSecretRef, signal)
  } catch (error) {
    if (signal.aborted) throw error
    return refuse('KeycloakHealthCheckFailed', `its secret was not read (${errorCode(error)}): ${errorMessage(error)}`)
  }
  if (secret.kind !== 'value') return refuse(...secretProblem(secret.kind, keycloak))
  return {
    name,
    synchronises: true,
    kind: 'usable',
    keycloak: openKeycloak({
      provider: name,
      baseUrl: server,
      realm: keycloak.realm,
      clientId: keycloak.clientId,
      clientSecret: secret.value,
      requestTimeoutMs: keycloak.requestTimeoutMs,
      deadlineMs: PROVIDER_DEADLINE_MS,
      exchange: openExchange({ server, tls: trust, longestBody: LONGEST_ANSWER }, clock),
      clock,
    }),
  }
}

function unusable(name: string, synchronises: boolean, health: Health, reason: string): Provider {
  return { name, synchronises, kind: 'unusable', health, reason }
}

function secretProblem(
  kind: Exclude<SecretReading['kind'], 'value'>,
  { clientSecretRef: { namespace, name } }: KeycloakSpec,
): [Health, string] {
  const secret = `Secret ${namespace}/${name}`
  if (kind === 'missing') return ['SecretNotFound', `${secret} does not exist`]
  if (kind === 'forbidden')
    return ['SecretNotFound', `${secret} may not be read; bind the Role that reads secrets in namespace ${namespace}`]
  return ['SecretKeyNotFound', `${secret} has no text under the key that clientSecretRef names`]
}

/** The system's roots, and the provider's own beside them; undefined when that is no certificate. */
function trustOf({ certificateAuthority }: KeycloakSpec): { ca?: string[] } | undefined {
  if (certificateAuthority === undefined) return {}
  try {
    new X509Certificate(certificateAuthority)
    return { ca: [...rootCertificates, certificateAuthority] }
  } catch {
    return undefined
  }
}

/** A secret crosses no network in clear text. */
function isSafe({ protocol, hostname }: URL): boolean {
  return protocol === 'https:' || (protocol === 'http:' && ['127.0.0.1', '[::1]', 'localhost'].includes(hostname))
}
