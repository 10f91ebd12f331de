import { createHash, createHmac } from 'node:crypto'
import { SignatureV4 } from '@smithy/signature-v4'
import { describe, expect, it } from 'vitest'
import type { AwsCredentials } from '../../../lib/config.ts'
import { signEksToken } from '../../../lib/kubernetes/eks-token.ts'

const AT = Date.parse('2026-11-21T07:05:00Z')
const KEYS: AwsCredentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' }

/** What a token says to STS. */
function urlOf(token: string): URL {
  return new URL(Buffer.from(token.slice('k8s-aws-v1.'.length), 'base64url').toString('utf8'))
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

/** The same request, presigned by AWS's own library. */
async function presigned(cluster: string, region: string, credentials: AwsCredentials, atMs: number) {
  const signer = new SignatureV4({ credentials, region, service: 'sts', sha256: Sha256 as never, applyChecksum: false })
  const host = urlOf(signEksToken(cluster, region, credentials, atMs)).host
  const request = {
    method: 'GET',
    protocol: 'https:',
    hostname: host,
    path: '/',
    query: { Action: 'GetCallerIdentity', Version: '2011-06-15' },
    headers: { host, 'x-k8s-aws-id': cluster },
  }
  const { query } = await signer.presign(request as never, {
    expiresIn: 60,
    signingDate: new Date(atMs),
    unhoistableHeaders: new Set(['x-k8s-aws-id']),
  })
  return query
}

describe('a token is what AWS’s own library signs', () => {
  it.each<[string, string, string, AwsCredentials, string]>([
    ['with lasting credentials', 'edge', 'eu-central-1', KEYS, '2026-11-21T07:05:00Z'],
    [
      'with temporary ones',
      'edge',
      'eu-central-1',
      { ...KEYS, sessionToken: 'FwoGZXIvYXdzEBY' },
      '2026-11-21T07:05:00Z',
    ],
    [
      'with odd characters in the session token',
      'edge',
      'eu-central-1',
      { ...KEYS, sessionToken: "a+b/c==&d=é!'()*~ %2F" },
      '2026-11-21T07:05:00Z',
    ],
    [
      'with odd characters in the secret',
      'edge',
      'eu-central-1',
      { ...KEYS, secretAccessKey: 'ä/+= "&\\' },
      '2026-11-21T07:05:00Z',
    ],
    ['of another key', 'edge', 'eu-central-1', { ...KEYS, accessKeyId: 'ASIA/+EXAMPLE' }, '2026-11-21T07:05:00Z'],
    ['in another region', 'edge', 'us-gov-west-1', KEYS, '2026-11-21T07:05:00Z'],
    ['in China', 'edge', 'cn-north-1', KEYS, '2026-11-21T07:05:00Z'],
    ['for another cluster', 'Edge_7-test', 'eu-central-1', KEYS, '2026-11-21T07:05:00Z'],
    ['at midnight of a leap day', 'edge', 'eu-central-1', KEYS, '2028-02-29T00:00:00.000Z'],
    ['in the last millisecond of a year', 'edge', 'eu-central-1', KEYS, '2026-12-31T23:59:59.999Z'],
  ])('%s', async (_title, cluster, region, credentials, at) => {
    const atMs = Date.parse(at)
    const url = urlOf(signEksToken(cluster, region, credentials, atMs))
    expect(Object.fromEntries(url.searchParams)).toEqual(await presigned(cluster, region, credentials, atMs))
  })
})

describe('a token', () => {
  it('begins with k8s-aws-v1. and goes on in base64url without padding', () => {
    for (const cluster of ['a', 'ab', 'abc'])
      expect(signEksToken(cluster, 'eu-central-1', KEYS, AT)).toMatch(/^k8s-aws-v1\.[\w-]+$/)
  })

  it('is a presigned GetCallerIdentity for 60 s, with the cluster among the signed headers', () => {
    const url = urlOf(signEksToken('edge', 'eu-central-1', { ...KEYS, sessionToken: 'temporary' }, AT))
    expect(url.origin + url.pathname).toBe('https://sts.eu-central-1.amazonaws.com/')
    expect(Object.fromEntries(url.searchParams)).toEqual({
      Action: 'GetCallerIdentity',
      Version: '2011-06-15',
      'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
      'X-Amz-Credential': 'AKIDEXAMPLE/20261121/eu-central-1/sts/aws4_request',
      'X-Amz-Date': '20261121T070500Z',
      'X-Amz-Expires': '60',
      'X-Amz-Security-Token': 'temporary',
      'X-Amz-SignedHeaders': 'host;x-k8s-aws-id',
      'X-Amz-Signature': expect.stringMatching(/^[0-9a-f]{64}$/),
    })
  })

  it.each([
    ['eu-central-1', 'sts.eu-central-1.amazonaws.com'],
    ['us-gov-west-1', 'sts.us-gov-west-1.amazonaws.com'],
    ['cn-north-1', 'sts.cn-north-1.amazonaws.com.cn'],
  ])('of %s goes to %s', (region, host) => {
    expect(urlOf(signEksToken('edge', region, KEYS, AT)).host).toBe(host)
  })

  it('never shows the secret key', () => {
    expect(urlOf(signEksToken('edge', 'eu-central-1', KEYS, AT)).href).not.toContain(KEYS.secretAccessKey.slice(0, 10))
  })

  it.each<[string, Parameters<typeof signEksToken>]>([
    ['cluster', ['other', 'eu-central-1', KEYS, AT]],
    ['region', ['edge', 'eu-west-1', KEYS, AT]],
    ['secret key', ['edge', 'eu-central-1', { ...KEYS, secretAccessKey: 'other' }, AT]],
    ['second', ['edge', 'eu-central-1', KEYS, AT + 1_000]],
  ])('of another %s has another signature', (_title, other) => {
    const signature = (token: string) => urlOf(token).searchParams.get('X-Amz-Signature')
    expect(signature(signEksToken(...other))).not.toBe(signature(signEksToken('edge', 'eu-central-1', KEYS, AT)))
  })
})
