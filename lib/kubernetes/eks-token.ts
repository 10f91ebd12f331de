// The bearer token that EKS accepts: a presigned STS GetCallerIdentity request for one cluster, base64url-encoded.
// Signing is AWS Signature Version 4 with nothing but node:crypto; no aws CLI, no request is sent to make a token.

import { createHash, createHmac } from 'node:crypto'
import { MINUTE_MS } from '../time.ts'

/** AWS credentials as the environment gives them. */
export interface AwsCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** Present for temporary credentials, as every function has. */
  readonly sessionToken?: string
}

/** After which time a token is made anew: EKS accepts one for 15 min from its signing, and 5 min stay for clock skew. */
export const EKS_TOKEN_LIFE_MS = 10 * MINUTE_MS

/** Seconds for which STS itself accepts the presigned request. */
const PRESIGNED_SECONDS = 60
const CLUSTER_HEADER = 'x-k8s-aws-id'
const SIGNED_HEADERS = `host;${CLUSTER_HEADER}`
const ALGORITHM = 'AWS4-HMAC-SHA256'

/**
 * Signs a token for one cluster.
 *
 * @param nowMs epoch ms; STS refuses a date that is more than 5 min off.
 * @returns `k8s-aws-v1.` and the presigned URL in base64url without padding.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html
 * @see https://github.com/kubernetes-sigs/aws-iam-authenticator#api-authorization-from-outside-a-cluster
 */
export function signEksToken(cluster: string, region: string, credentials: AwsCredentials, nowMs: number): string {
  const host = `sts.${region}.${region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com'}`
  const date = new Date(nowMs).toISOString().replace(/[-:]|\.\d{3}/g, '')
  const scope = `${date.slice(0, 8)}/${region}/sts/aws4_request`
  const query = canonicalQuery({
    Action: 'GetCallerIdentity',
    Version: '2011-06-15',
    'X-Amz-Algorithm': ALGORITHM,
    'X-Amz-Credential': `${credentials.accessKeyId}/${scope}`,
    'X-Amz-Date': date,
    'X-Amz-Expires': String(PRESIGNED_SECONDS),
    ...(credentials.sessionToken === undefined ? {} : { 'X-Amz-Security-Token': credentials.sessionToken }),
    'X-Amz-SignedHeaders': SIGNED_HEADERS,
  })
  const headers = `host:${host}\n${CLUSTER_HEADER}:${cluster}\n`
  const request = ['GET', '/', query, headers, SIGNED_HEADERS, sha256('')].join('\n')
  const toSign = [ALGORITHM, date, scope, sha256(request)].join('\n')
  const signature = hmac(signingKey(credentials.secretAccessKey, scope), toSign).toString('hex')
  const url = `https://${host}/?${query}&X-Amz-Signature=${signature}`
  return `k8s-aws-v1.${Buffer.from(url).toString('base64url')}`
}

function canonicalQuery(parameters: Record<string, string>): string {
  return Object.keys(parameters)
    .sort()
    .map(key => `${encodeRfc3986(key)}=${encodeRfc3986(parameters[key] as string)}`)
    .join('&')
}

/** Percent-encodes everything but RFC 3986's unreserved characters, as Signature Version 4 asks. */
function encodeRfc3986(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, char => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
}

/** The signing key: the secret, then date, region, service and the closing word, one HMAC each. */
function signingKey(secret: string, scope: string): Buffer {
  return scope.split('/').reduce<Buffer>((key, part) => hmac(key, part), Buffer.from(`AWS4${secret}`))
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
