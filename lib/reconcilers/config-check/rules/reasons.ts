// The reasons that a Ready condition of a ClusterConfig can have, and why a cluster may be left untried. The words are upstream's,
// so that whoever reads conditions by them goes on working; what each means here is fixed by this table and by nothing else.

/**
 * Every reason of upstream's, and what it means for Ready.
 *
 * `ready`    True, at once
 * `certain`  False at once: it stands in objects of the API server that holds the configuration
 * `network`  False at the second look running: it was learnt from another server, or from its silence
 * `never`    not produced; docs/config-check.md says why
 */
export const REASONS = {
  KubeconfigValidated: 'ready',
  OIDCValidated: 'ready',
  ValidationFailed: 'certain',
  OIDCConfigMissing: 'certain',
  SecretMissing: 'certain',
  SecretKeyMissing: 'certain',
  OIDCCASecretMissing: 'certain',
  KubeconfigParseFailed: 'certain',
  OIDCDiscoveryFailed: 'network',
  OIDCTokenFetchFailed: 'network',
  ClusterUnreachable: 'network',
  OIDCRefreshFailed: 'never',
  TOFUFailed: 'never',
  RefreshTokenExpired: 'never',
  DegradedAuth: 'never',
  AuthRecovered: 'never',
  RefreshTokenSecretMissing: 'never',
  FallbackSucceeded: 'never',
} as const

/** A reason. */
export type Reason = keyof typeof REASONS
type ReasonOf<Meaning extends string> = { [R in Reason]: (typeof REASONS)[R] extends Meaning ? R : never }[Reason]
/** Why a cluster is ready. */
export type ReadyReason = ReasonOf<'ready'>
/** Why a cluster is not ready. */
export type FailureReason = ReasonOf<'certain' | 'network'>

/** Why a cluster is not tried, in a stable word and in words for people. */
export const UNTRIED = {
  command: 'its kubeconfig runs a command for its credentials, which is never done here',
  file: 'its kubeconfig names files, which are not here',
  proxy: 'its kubeconfig leads through a proxy, which is not supported',
  'plain-http': 'its kubeconfig has a server without TLS, and credentials are only sent over TLS',
  'unknown-field': 'its kubeconfig has fields that are not known here',
  aliases: 'its kubeconfig has aliases, which are not expanded here',
  'refresh-token': 'it has a refresh token, which is good for one use and is needed for real requests',
  'trust-on-first-use': 'the certificate is to be trusted on first use, which is left to whoever keeps it',
} as const

/** Why a cluster is not tried. */
export type UntriedWhy = keyof typeof UNTRIED
