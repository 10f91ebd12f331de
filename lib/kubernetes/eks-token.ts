// The bearer token that EKS accepts: a presigned STS GetCallerIdentity request for one cluster, base64url-encoded.
// No aws CLI, and no request is sent to make a token.

import type { AwsCredentials } from '../config.ts'
import { MINUTE_MS } from '../time.ts'
import { presign } from './aws-signature.ts'

/** After which time a token is made anew: EKS accepts one for 15 min from its signing, and 5 min stay for clock skew. */
export const EKS_TOKEN_LIFE_MS = 10 * MINUTE_MS

/** Seconds for which STS itself accepts the presigned request. */
const PRESIGNED_SECONDS = 60
const CLUSTER_HEADER = 'x-k8s-aws-id'

/**
 * Signs a token for one cluster.
 *
 * @param nowMs epoch ms; STS refuses a date that is more than 5 min off.
 * @returns `k8s-aws-v1.` and the presigned URL in base64url without padding.
 * @see https://github.com/kubernetes-sigs/aws-iam-authenticator#api-authorization-from-outside-a-cluster
 */
export function signEksToken(cluster: string, region: string, credentials: AwsCredentials, nowMs: number): string {
  const host = `sts.${region}.${region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com'}`
  const query = { Action: 'GetCallerIdentity', Version: '2011-06-15' }
  const request = { method: 'GET', host, query, headers: { [CLUSTER_HEADER]: cluster } } as const
  const url = presign(request, { credentials, region, service: 'sts', nowMs }, PRESIGNED_SECONDS)
  return `k8s-aws-v1.${Buffer.from(url).toString('base64url')}`
}
