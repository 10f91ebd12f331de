import { createHash, createHmac } from 'node:crypto'
import { SignatureV4 } from '@smithy/signature-v4'
import type { HttpRequest } from '@smithy/types'
import { describe, expect, it } from 'vitest'
import { type AwsRequest, type Signer, signedHeaders } from '../../../lib/kubernetes/aws-signature.ts'

const REQUEST: AwsRequest = {
  method: 'POST',
  host: 'secretsmanager.eu-central-1.amazonaws.com',
  headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'secretsmanager.GetSecretValue' },
  body: '{"SecretId":"arn"}',
}
const SIGNER: Signer = {
  credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' },
  region: 'eu-central-1',
  service: 'secretsmanager',
  nowMs: Date.parse('2026-11-21T07:05:00Z'),
}

/** SHA-256 and its HMAC as the AWS libraries want them. */
class Sha256 {
  readonly #hash
  constructor(secret?: unknown) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', Buffer.from(secret as Uint8Array))
  }
  update(data: Uint8Array) {
    this.#hash.update(data)
  }
  async digest() {
    return new Uint8Array(this.#hash.digest())
  }
}

/** The headers that AWS's own library signs the same request with. */
async function theirs({ method, host, query = {}, headers, body = '' }: AwsRequest, signer: Signer) {
  const { credentials, region, service, nowMs } = signer
  const library = new SignatureV4({ credentials, region, service, sha256: Sha256 as never, applyChecksum: false })
  const request = { method, protocol: 'https:', hostname: host, path: '/', query, headers: { host, ...headers }, body }
  const signed = await library.sign(request as never as HttpRequest, { signingDate: new Date(nowMs) })
  return signed.headers
}

describe('signed headers are what AWS’s own library signs', () => {
  it.each<[string, Partial<AwsRequest>, Partial<Signer>]>([
    ['with lasting credentials', {}, {}],
    ['with temporary ones', {}, { credentials: { ...SIGNER.credentials, sessionToken: 'FwoGZXIvYXdzEBYaD+/==' } }],
    ['with odd characters in the body', { body: '{"SecretId":"ä/ü\\n\\u0000 %2F+ 日"}' }, {}],
    ['without a body', { method: 'GET', body: '' }, {}],
    ['with a query', { query: { Action: 'List', 'A b': "c!'()*~ d", Version: '2011-06-15' } }, {}],
    ['to another host', { host: '127.0.0.1:5000' }, {}],
    ['in another region', {}, { region: 'cn-north-1' }],
    ['for another service', {}, { service: 'sts' }],
    ['in the last millisecond of a year', {}, { nowMs: Date.parse('2026-12-31T23:59:59.999Z') }],
  ])('%s', async (_, request, signer) => {
    const one: [AwsRequest, Signer] = [
      { ...REQUEST, ...request },
      { ...SIGNER, ...signer },
    ]
    expect(signedHeaders(...one)).toEqual(await theirs(...one))
  })
})

describe('signed headers', () => {
  it('name date, scope and every header that is signed, and not the secret key', () => {
    const headers = signedHeaders(REQUEST, SIGNER)
    expect(headers).toMatchObject({ ...REQUEST.headers, host: REQUEST.host, 'x-amz-date': '20261121T070500Z' })
    expect(headers.authorization).toMatch(
      /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/20261121\/eu-central-1\/secretsmanager\/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature=[0-9a-f]{64}$/,
    )
    expect(JSON.stringify(headers)).not.toContain('wJalr')
  })

  it('have another signature for another body', () => {
    const other = signedHeaders({ ...REQUEST, body: '{"SecretId":"other"}' }, SIGNER)
    expect(other.authorization).not.toBe(signedHeaders(REQUEST, SIGNER).authorization)
  })
})
