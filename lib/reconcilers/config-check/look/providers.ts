// IdentityProviders as clusters refer to them by `oidcFromIdentityProvider`, read once for a pass.

import { PermanentError } from '../../../errors.ts'
import type { KubernetesApi } from '../../../kubernetes/api.ts'
import { listPages } from '../../../kubernetes/pages.ts'
import type { OidcSpec } from '../../../kubernetes/resources/cluster-config.ts'
import { readAll } from '../../../kubernetes/resources/fields.ts'
import {
  IDENTITY_PROVIDERS,
  type IdentityProvider,
  parseIdentityProvider,
} from '../../../kubernetes/resources/identity-provider.ts'
import { type Failure, failed } from '../rules/look.ts'
import { isHttpsUrl } from '../rules/spec.ts'

/** An OIDC spec with everything that an IdentityProvider adds to it. */
export interface WholeOidc extends OidcSpec {
  readonly issuerUrl: string
}

/** Providers by name; of one that can't be understood, why. */
export type Providers = ReadonlyMap<string, IdentityProvider | string>

/** Lists all providers. @throws as `KubernetesApi.request` */
export async function listProviders(api: KubernetesApi, signal: AbortSignal): Promise<Providers> {
  const providers = new Map<string, IdentityProvider | string>()
  for await (const raws of listPages(api, IDENTITY_PROVIDERS, { signal })) {
    const { views, broken } = readAll(raws, parseIdentityProvider)
    for (const provider of views) providers.set(provider.metadata.name, provider)
    for (const { object, message } of broken) providers.set(object, message)
  }
  return providers
}

/**
 * Completes a spec with what its provider says: the issuer, its authority, and the client. Without a client secret of its own it is
 * the Keycloak client of the provider that asks, as upstream has it.
 *
 * @throws PermanentError – InvalidResource, when the provider can't be understood.
 */
export function throughProvider(
  spec: OidcSpec & { readonly provider: string },
  providers: Providers,
): WholeOidc | Failure {
  const name = `IdentityProvider ${spec.provider}`
  const provider = providers.get(spec.provider)
  if (typeof provider === 'string') throw new PermanentError('InvalidResource', provider)
  if (!provider) return failed('OIDCConfigMissing', `${name} does not exist.`)
  const { isDisabled, oidc, keycloak } = provider.spec
  if (isDisabled) return failed('OIDCConfigMissing', `${name} is disabled.`)
  if (oidc.insecureSkipVerify)
    return failed('ValidationFailed', `${name} switches the check of certificates off, which is refused.`)
  if (!isHttpsUrl(oidc.authority))
    return failed('ValidationFailed', `The authority of ${name} is not an https URL without a user in it.`)
  const own = { secret: spec.clientSecretRef, id: spec.clientId || oidc.clientId }
  const asks = own.secret || !keycloak ? own : { secret: keycloak.clientSecretRef, id: keycloak.clientId }
  if (!asks.secret && !spec.refreshTokenSecretRef && !spec.tokenExchange)
    return failed('OIDCConfigMissing', `Neither the cluster nor ${name} has a client secret.`)
  if (!asks.id) return failed('OIDCConfigMissing', `Neither the cluster nor ${name} has a client id.`)
  return {
    ...spec,
    issuerUrl: oidc.authority,
    clientId: asks.id,
    clientSecretRef: asks.secret,
    certificateAuthority: spec.certificateAuthority || (oidc.certificateAuthority ?? ''),
  }
}
