// DynamoDB's errors as ours. Messages name the operation and the error's class; request and response never appear.

import { OutcomeUnknownError, PermanentError, TransientError } from '../errors.ts'

const THROTTLED = new Set(['ProvisionedThroughputExceededException', 'ThrottlingException', 'RequestLimitExceeded'])
const UNAUTHORIZED = new Set([
  'UnrecognizedClientException',
  'ExpiredTokenException',
  'InvalidSignatureException',
  'MissingAuthenticationTokenException',
  'CredentialsProviderError',
])

/**
 * Translates what the AWS library threw.
 *
 * @param doing what was tried, for the message.
 * @param effect `write`: without a definite answer the outcome is unknown; `read`: it is only unavailable.
 */
export function fromSdkError(error: unknown, doing: string, effect: 'read' | 'write'): Error {
  const { name, $metadata } = error as { name: string; $metadata?: { httpStatusCode?: number } }
  const status = $metadata?.httpStatusCode
  if (THROTTLED.has(name)) return new TransientError('Throttled', `${doing}: throttled by DynamoDB`, { cause: error })
  if (name === 'ResourceNotFoundException')
    return new PermanentError(
      'InvalidConfiguration',
      `${doing}: the table does not exist; deploy it, or set LEASE_TABLE`,
    )
  if (UNAUTHORIZED.has(name))
    return new PermanentError('Unauthorized', `${doing}: AWS credentials are missing, expired or invalid (${name})`)
  if (name === 'AccessDeniedException')
    return new PermanentError(
      'Forbidden',
      `${doing}: the function's role lacks dynamodb:GetItem or dynamodb:UpdateItem`,
    )
  if (status !== undefined && status >= 400 && status < 500)
    return new PermanentError('InvalidConfiguration', `${doing}: refused by DynamoDB (${name}, HTTP ${status})`)
  if (effect === 'write') return new OutcomeUnknownError(`${doing}: no definite answer (${name})`, { cause: error })
  return new TransientError('Unavailable', `${doing}: DynamoDB did not answer (${name})`, { cause: error })
}
