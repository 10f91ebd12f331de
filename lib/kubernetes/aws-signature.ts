// AWS Signature Version 4 with nothing but node:crypto, in the two forms that are used here: in the query of a URL that
// somebody else sends (EKS tokens), and in the headers of a request of our own (secrets).

import { createHash, createHmac } from 'node:crypto'
import type { AwsCredentials } from '../config.ts'

/** A request to the path `/` of an AWS service. */
export interface AwsRequest {
  readonly method: 'GET' | 'POST'
  readonly host: string
  readonly query?: Readonly<Record<string, string>>
  /** Besides `host`; lower-case names, values without spaces at their ends. All are signed. */
  readonly headers: Readonly<Record<string, string>>
  /** Default: none. */
  readonly body?: string
}

/** Who signs for which service. */
export interface Signer {
  readonly credentials: AwsCredentials
  readonly region: string
  readonly service: string
  /** Epoch ms; AWS refuses a date that is more than 5 min off. */
  readonly nowMs: number
}

const ALGORITHM = 'AWS4-HMAC-SHA256'

/**
 * Signs a request in its query.
 *
 * @param lifeSeconds how long AWS accepts it.
 * @returns its URL; who sends it adds its headers.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html
 */
export function presign(request: AwsRequest, signer: Signer, lifeSeconds: number): string {
  const { accessKeyId, sessionToken } = signer.credentials
  const headers = { host: request.host, ...request.headers }
  const query = {
    ...request.query,
    'X-Amz-Algorithm': ALGORITHM,
    'X-Amz-Credential': `${accessKeyId}/${scopeOf(signer)}`,
    'X-Amz-Date': dateOf(signer),
    'X-Amz-Expires': String(lifeSeconds),
    ...(sessionToken === undefined ? {} : { 'X-Amz-Security-Token': sessionToken }),
    'X-Amz-SignedHeaders': namesOf(headers),
  }
  const signature = signatureOf({ ...request, headers, query }, signer)
  return `https://${request.host}/?${canonicalQuery(query)}&X-Amz-Signature=${signature}`
}

/**
 * Signs a request in its headers.
 *
 * @returns the headers to send it with, its own among them.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html
 */
export function signedHeaders(request: AwsRequest, signer: Signer): Record<string, string> {
  const { accessKeyId, sessionToken } = signer.credentials
  const headers = {
    host: request.host,
    ...request.headers,
    'x-amz-date': dateOf(signer),
    ...(sessionToken === undefined ? {} : { 'x-amz-security-token': sessionToken }),
  }
  const credential = `Credential=${accessKeyId}/${scopeOf(signer)}`
  const signature = `Signature=${signatureOf({ ...request, headers }, signer)}`
  return {
    ...headers,
    authorization: `${ALGORITHM} ${credential}, SignedHeaders=${namesOf(headers)}, ${signature}`,
  }
}

/** The signature of a request whose headers and query are complete. */
function signatureOf({ method, query = {}, headers, body = '' }: AwsRequest, signer: Signer): string {
  const lines = Object.keys(headers)
    .sort()
    .map(name => `${name}:${headers[name]}\n`)
  const request = [method, '/', canonicalQuery(query), lines.join(''), namesOf(headers), sha256(body)].join('\n')
  const toSign = [ALGORITHM, dateOf(signer), scopeOf(signer), sha256(request)].join('\n')
  return hmac(signingKey(signer), toSign).toString('hex')
}

/** The instant as AWS writes it, e.g. `20261121T070500Z`. */
function dateOf({ nowMs }: Signer): string {
  return new Date(nowMs).toISOString().replace(/[-:]|\.\d{3}/g, '')
}

function scopeOf(signer: Signer): string {
  return `${dateOf(signer).slice(0, 8)}/${signer.region}/${signer.service}/aws4_request`
}

function namesOf(headers: Readonly<Record<string, string>>): string {
  return Object.keys(headers).sort().join(';')
}

function canonicalQuery(parameters: Readonly<Record<string, string>>): string {
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
function signingKey(signer: Signer): Buffer {
  const secret = Buffer.from(`AWS4${signer.credentials.secretAccessKey}`)
  return scopeOf(signer)
    .split('/')
    .reduce<Buffer>((key, part) => hmac(key, part), secret)
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
