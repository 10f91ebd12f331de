// One look at one cluster, with one deadline for all of it: the spec, the Secrets, the issuer, the cluster. The first thing that is
// wrong ends it. Nothing is written by it, neither here nor there.

import { AbortedError, errorCode, errorMessage, TransientError } from '../../../errors.ts'
import { type KubernetesApi, keyOf } from '../../../kubernetes/api.ts'
import type { ClusterConfig } from '../../../kubernetes/resources/cluster-config.ts'
import type { ObjectFailure } from '../../../tick/reconciler.ts'
import { type Clock, describeMs, within } from '../../../time.ts'
import { type Look, ready } from '../rules/look.ts'
import { judgeSpec } from '../rules/spec.ts'
import { LOOK_MS } from './breaks.ts'
import { connectBySecret } from './kubeconfig.ts'
import { connectByToken } from './oidc.ts'
import { probe } from './probe.ts'
import type { Providers } from './providers.ts'
import { describeSecret } from './secrets.ts'

/** What a look needs. */
export interface LookTools {
  /** The API server that holds the configurations and their Secrets. */
  readonly api: KubernetesApi
  readonly clock: Clock
  readonly providers: Providers
}

/** A look, or why there was none: what it needs could not be read. */
export type LookResult = Look | { readonly kind: 'broken'; readonly failure: ObjectFailure }

/**
 * Looks at a cluster for at most `LOOK_MS`.
 * @throws AbortedError – `signal` was aborted.
 */
export async function lookAt(config: ClusterConfig, tools: LookTools, signal: AbortSignal): Promise<LookResult> {
  try {
    return await within(tools.clock, LOOK_MS, late => look(config, tools, AbortSignal.any([signal, late])))
  } catch (error) {
    if (signal.aborted) throw new AbortedError('the look was stopped')
    // Only reads of our own API server throw: what other servers do is a result.
    const told =
      error instanceof AbortedError
        ? new TransientError('Timeout', `its Secrets could not be read within ${describeMs(LOOK_MS)}`)
        : error
    return { kind: 'broken', failure: { object: keyOf(config), code: errorCode(told), message: errorMessage(told) } }
  }
}

async function look({ spec }: ClusterConfig, tools: LookTools, signal: AbortSignal): Promise<Look> {
  const { api, clock } = tools
  const wrong = judgeSpec(spec)
  if (wrong) return wrong
  const { kubeconfigSecretRef: ref } = spec
  const reading = { api, signal }
  const way = ref ? await connectBySecret(reading, ref, clock) : await connectByToken(reading, spec, tools)
  if ('kind' in way) return way
  const oidc = spec.oidcAuth ?? spec.oidcFromIdentityProvider
  const allowsTrustOnFirstUse = (oidc?.allowsTrustOnFirstUse ?? false) && way.tls.ca === undefined
  const found = await probe(way, { clock, signal, allowsTrustOnFirstUse })
  if (found) return found
  return ref
    ? ready('KubeconfigValidated', `The cluster answers, and accepts the kubeconfig in ${describeSecret(ref)}.`)
    : ready('OIDCValidated', 'The cluster answers, and accepts a token of its issuer.')
}
