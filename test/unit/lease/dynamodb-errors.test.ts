import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { fromSdkError } from '../../../lib/lease/errors.ts'

const SECRET = 'never-in-a-message'
const DOING = 'updating lease item fencepost-cleanup in table leases'

/** An error as the AWS library throws it. */
function sdkError(name: string, httpStatusCode?: number): Error {
  const metadata = httpStatusCode === undefined ? {} : { httpStatusCode, requestId: SECRET }
  return Object.assign(new Error(SECRET), {
    name,
    $metadata: metadata,
    $response: { headers: { authorization: SECRET } },
  })
}

describe('an error of DynamoDB', () => {
  it.each<[string, number | undefined, string, string]>([
    ['ProvisionedThroughputExceededException', 400, 'Throttled', 'throttled by DynamoDB'],
    ['ThrottlingException', 400, 'Throttled', 'throttled by DynamoDB'],
    ['RequestLimitExceeded', 400, 'Throttled', 'throttled by DynamoDB'],
    [
      'ResourceNotFoundException',
      400,
      'InvalidConfiguration',
      'the table does not exist; deploy it, or set LEASE_TABLE',
    ],
    [
      'UnrecognizedClientException',
      400,
      'Unauthorized',
      'AWS credentials are missing, expired or invalid (UnrecognizedClientException)',
    ],
    [
      'ExpiredTokenException',
      400,
      'Unauthorized',
      'AWS credentials are missing, expired or invalid (ExpiredTokenException)',
    ],
    [
      'InvalidSignatureException',
      400,
      'Unauthorized',
      'AWS credentials are missing, expired or invalid (InvalidSignatureException)',
    ],
    [
      'MissingAuthenticationTokenException',
      400,
      'Unauthorized',
      'AWS credentials are missing, expired or invalid (MissingAuthenticationTokenException)',
    ],
    [
      'CredentialsProviderError',
      undefined,
      'Unauthorized',
      'AWS credentials are missing, expired or invalid (CredentialsProviderError)',
    ],
    ['AccessDeniedException', 400, 'Forbidden', "the function's role lacks dynamodb:GetItem or dynamodb:UpdateItem"],
    ['ValidationException', 400, 'InvalidConfiguration', 'refused by DynamoDB (ValidationException, HTTP 400)'],
  ])('%s is told alike of a read and a write', (name, status, code, why) => {
    for (const effect of ['read', 'write'] as const)
      expect(fromSdkError(sdkError(name, status), DOING, effect)).toMatchObject({ code, message: `${DOING}: ${why}` })
  })

  it.each<[string, number | undefined]>([
    ['InternalServerError', 500],
    ['ServiceUnavailable', 503],
    ['TimeoutError', undefined],
    ['AbortError', undefined],
    ['Error', undefined],
  ])('%s (HTTP %s) leaves a read unavailable and a write unknown', (name, status) => {
    expect(fromSdkError(sdkError(name, status), DOING, 'read')).toMatchObject({
      code: 'Unavailable',
      message: `${DOING}: DynamoDB did not answer (${name})`,
    })
    expect(fromSdkError(sdkError(name, status), DOING, 'write')).toMatchObject({
      code: 'OutcomeUnknown',
      message: `${DOING}: no definite answer (${name})`,
    })
  })

  it('never shows what the library said', () => {
    for (const name of ['ThrottlingException', 'ExpiredTokenException', 'ValidationException', 'InternalServerError'])
      for (const effect of ['read', 'write'] as const) {
        const { message, stack } = fromSdkError(sdkError(name, 400), DOING, effect)
        expect(inspect({ message, stack })).not.toContain(SECRET)
      }
  })
})
