// ClusterConfig: one cluster that access is given on, and how it is reached: by a kubeconfig in a Secret, or with a token of an
// OIDC issuer. The view holds what reaching it depends on. A text, a name or a list that is missing is empty here, so that
// what is wrong with a spec is judged by rules and told by them; only a value of a wrong type can't be read.

import * as z from 'zod'
import type { RawObject, Resource } from '../api.ts'
import { type Condition, conditionsField } from './condition.ts'
import { type Metadata, metadataField, readWith } from './fields.ts'
import type { SecretRef } from './secret.ts'

/** How cluster configurations are addressed. */
export const CLUSTER_CONFIGS: Resource = {
  group: 'breakglass.t-caas.telekom.com',
  version: 'v1alpha1',
  kind: 'ClusterConfig',
  plural: 'clusterconfigs',
  namespaced: true,
}

/** How a token for one audience is exchanged for one for the cluster (RFC 8693); texts are '' when unset. */
export interface TokenExchange {
  readonly subjectTokenSecretRef: SecretRef | undefined
  readonly subjectTokenType: string
  readonly requestedTokenType: string
  readonly resource: string
  readonly actorTokenSecretRef: SecretRef | undefined
  readonly actorTokenType: string
}

/** What both ways of OIDC can say; texts are '' when unset. */
export interface OidcSpec {
  /** The cluster's API server. */
  readonly server: string
  readonly clientId: string
  readonly clientSecretRef: SecretRef | undefined
  readonly audience: string
  readonly scopes: readonly string[]
  /** PEM, for the issuer. */
  readonly certificateAuthority: string
  /** For the cluster. */
  readonly caSecretRef: SecretRef | undefined
  readonly insecureSkipTlsVerify: boolean
  readonly allowsTrustOnFirstUse: boolean
  readonly refreshTokenSecretRef: SecretRef | undefined
  readonly rotatedRefreshTokenKey: string
  /** `None`, `Auto`, `Warn`, or '' for none. */
  readonly fallbackPolicy: string
  /** Absent where it is not enabled. */
  readonly tokenExchange: TokenExchange | undefined
}

/** A cluster configuration as it was read. */
export interface ClusterConfig {
  readonly metadata: Metadata
  readonly spec: {
    /** Default `Kubeconfig`. */
    readonly authType: 'Kubeconfig' | 'OIDC'
    readonly kubeconfigSecretRef: SecretRef | undefined
    readonly oidcAuth: (OidcSpec & { readonly issuerUrl: string }) | undefined
    /** `provider` names an IdentityProvider. */
    readonly oidcFromIdentityProvider: (OidcSpec & { readonly provider: string }) | undefined
    readonly identityProviderRefs: readonly string[]
    readonly allowedApproverDomains: readonly string[]
  }
  readonly status: { readonly conditions: readonly Condition[] }
}

const text = z
  .string()
  .nullish()
  .transform(given => given ?? '')
const texts = z
  .array(z.string())
  .nullish()
  .transform(given => given ?? [])
const flag = z
  .boolean()
  .nullish()
  .transform(given => given ?? false)
const ref = z
  .object({ name: text, namespace: text, key: text })
  .transform(({ name, namespace, key }): SecretRef => ({ name, namespace, key: key || undefined }))
  .nullish()
  .transform(given => given ?? undefined)

const tokenExchange = z
  .object({
    enabled: flag,
    subjectTokenSecretRef: ref,
    subjectTokenType: text,
    requestedTokenType: text,
    resource: text,
    actorTokenSecretRef: ref,
    actorTokenType: text,
  })
  .nullish()
  .transform((given): TokenExchange | undefined => {
    if (!given?.enabled) return undefined
    const { enabled: _, ...exchange } = given
    return exchange
  })

const oidc = z.object({
  server: text,
  clientID: text,
  clientSecretRef: ref,
  audience: text,
  scopes: texts,
  certificateAuthority: text,
  caSecretRef: ref,
  insecureSkipTLSVerify: flag,
  allowTOFU: flag,
  refreshTokenSecretRef: ref,
  rotatedRefreshTokenKey: text,
  fallbackPolicy: text,
  tokenExchange,
})

function toOidc({ clientID, insecureSkipTLSVerify, allowTOFU, ...same }: z.infer<typeof oidc>): OidcSpec {
  return {
    ...same,
    clientId: clientID,
    insecureSkipTlsVerify: insecureSkipTLSVerify,
    allowsTrustOnFirstUse: allowTOFU,
  }
}

const schema = z.object({
  metadata: metadataField,
  spec: z.object({
    authType: z
      .enum(['Kubeconfig', 'OIDC', ''])
      .nullish()
      .transform(given => given || ('Kubeconfig' as const)),
    kubeconfigSecretRef: ref,
    oidcAuth: oidc
      .extend({ issuerURL: text })
      .transform(({ issuerURL, ...same }) => ({ ...toOidc(same), issuerUrl: issuerURL }))
      .nullish()
      .transform(given => given ?? undefined),
    oidcFromIdentityProvider: oidc
      .extend({ name: text })
      .transform(({ name, ...same }) => ({ ...toOidc(same), provider: name }))
      .nullish()
      .transform(given => given ?? undefined),
    identityProviderRefs: texts,
    allowedApproverDomains: texts,
  }),
  status: z.preprocess(status => status ?? {}, z.object({ conditions: conditionsField })),
})

/**
 * Reads a cluster configuration.
 * @throws PermanentError – InvalidResource, naming the field that has a wrong type.
 * @see api/v1alpha1/cluster_config_types.go in telekom/k8s-breakglass
 */
export function parseClusterConfig(raw: RawObject): ClusterConfig {
  return readWith(schema, CLUSTER_CONFIGS.kind, raw)
}
