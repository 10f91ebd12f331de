import { describe, expect, it } from 'vitest'
import { describeBreak, isUntrusted } from '../../../../lib/reconcilers/config-check/look/breaks.ts'

const CANARY = 'never-in-a-message'
const coded = (code: string) => Object.assign(new Error(CANARY), { code })

describe('why there was no answer', () => {
  it.each<[string, unknown, string]>([
    ['a code of the socket', coded('ECONNRESET'), 'the connection failed (ECONNRESET)'],
    ['a verdict on a certificate', coded('CERT_HAS_EXPIRED'), 'its certificate is not trusted (CERT_HAS_EXPIRED)'],
    ['words of our own', new Error('the answer is not JSON'), 'the answer is not JSON'],
    ['words that only begin like ours', new Error(`the answer is "${CANARY}"`), 'the connection broke'],
    ['words of others', new Error(CANARY), 'the connection broke'],
    ['no error at all', CANARY, 'the connection broke'],
  ])('is told of %s, and nothing else of it', (_, error, told) => {
    expect(describeBreak(error, new AbortController().signal)).toBe(told)
  })

  it('is the time, once that is over', () => {
    expect(describeBreak(coded('ECONNRESET'), AbortSignal.abort())).toBe('no answer within 5.0 s')
  })

  it.each(['DEPTH_ZERO_SELF_SIGNED_CERT', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'ERR_TLS_CERT_ALTNAME_INVALID'])(
    'is a certificate’s with %s',
    code => expect(isUntrusted(coded(code))).toBe(true),
  )
})
