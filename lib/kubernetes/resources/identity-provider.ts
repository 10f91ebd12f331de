// IdentityProvider: where people log in, and the Keycloak that knows which groups they are in. The view holds what asking
// that Keycloak, and a cluster's OIDC login, depend on. Its conditions are upstream's and are not read.

import * as z from 'zod'
import { SECOND_MS } from '../../time.ts'
import type { RawObject, Resource } from '../api.ts'
import { type Metadata, metadataField, optionalDuration, optionalText, readWith } from './fields.ts'
import { type SecretRef, secretRefField } from './secret.ts'

/** How identity providers are addressed; they are cluster-scoped. */
export const IDENTITY_PROVIDERS: Resource = {
  group: 'breakglass.t-caas.telekom.com',
  version: 'v1alpha1',
  kind: 'IdentityProvider',
  plural: 'identityproviders',
  namespaced: false,
}

/** How long one request to a Keycloak may take where `spec.keycloak.requestTimeout` gives no usable time: 10 s. */
export const DEFAULT_REQUEST_TIMEOUT_MS = 10 * SECOND_MS

/** The Keycloak of a provider, as its spec says. */
export interface KeycloakSpec {
  readonly baseUrl: string
  readonly realm: string
  readonly clientId: string
  readonly clientSecretRef: SecretRef
  /** Default `DEFAULT_REQUEST_TIMEOUT_MS`. */
  readonly requestTimeoutMs: number
  /** PEM. */
  readonly certificateAuthority: string | undefined
  readonly insecureSkipVerify: boolean
}

/** A provider as it was read. */
export interface IdentityProvider {
  readonly metadata: Metadata
  readonly spec: {
    readonly isDisabled: boolean
    readonly issuer: string | undefined
    readonly oidc: {
      readonly authority: string
      readonly clientId: string | undefined
      /** PEM. */
      readonly certificateAuthority: string | undefined
      readonly insecureSkipVerify: boolean
    }
    /** Absent where nobody synchronises groups. */
    readonly keycloak: KeycloakSpec | undefined
  }
}

const keycloakField = z
  .object({
    baseURL: z.string().min(1),
    realm: z.string().min(1),
    clientID: z.string().min(1),
    clientSecretRef: secretRefField,
    requestTimeout: optionalDuration,
    certificateAuthority: optionalText,
    insecureSkipVerify: z.boolean().nullish(),
  })
  .transform(
    (spec): KeycloakSpec => ({
      baseUrl: spec.baseURL,
      realm: spec.realm,
      clientId: spec.clientID,
      clientSecretRef: spec.clientSecretRef,
      requestTimeoutMs: spec.requestTimeout ?? DEFAULT_REQUEST_TIMEOUT_MS,
      certificateAuthority: spec.certificateAuthority || undefined,
      insecureSkipVerify: spec.insecureSkipVerify ?? false,
    }),
  )

const schema = z
  .object({
    metadata: metadataField,
    spec: z.object({
      disabled: z.boolean().nullish(),
      issuer: optionalText,
      groupSyncProvider: optionalText,
      oidc: z.object({
        authority: z.string().min(1),
        clientID: optionalText,
        certificateAuthority: optionalText,
        insecureSkipVerify: z.boolean().nullish(),
      }),
      keycloak: keycloakField.nullish(),
    }),
  })
  .transform(
    ({ metadata, spec }): IdentityProvider => ({
      metadata,
      spec: {
        isDisabled: spec.disabled ?? false,
        issuer: spec.issuer || undefined,
        oidc: {
          authority: spec.oidc.authority,
          clientId: spec.oidc.clientID || undefined,
          certificateAuthority: spec.oidc.certificateAuthority || undefined,
          insecureSkipVerify: spec.oidc.insecureSkipVerify ?? false,
        },
        keycloak: spec.groupSyncProvider === 'Keycloak' ? (spec.keycloak ?? undefined) : undefined,
      },
    }),
  )

/** Reads a provider. @throws PermanentError – InvalidResource, naming the first field that can't be read. */
export function parseIdentityProvider(raw: RawObject): IdentityProvider {
  return readWith(schema, IDENTITY_PROVIDERS.kind, raw)
}
