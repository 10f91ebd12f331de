// The API server's refusals and broken connections as our errors. A message names the request, the status and the
// Status object's reason and message; request bodies, Secrets and credentials never appear in it.

import { type PermanentCode, PermanentError, TransientError } from '../errors.ts'
import { parseRetryAfter } from '../http/exchange.ts'

const PERMANENT: Readonly<Record<number, { code: PermanentCode; mending: string }>> = {
  400: { code: 'InvalidResource', mending: '' },
  401: {
    code: 'Unauthorized',
    mending:
      '; the credentials are missing, expired or not known to this cluster: renew them, or check the EKS access entry',
  },
  403: { code: 'Forbidden', mending: '; grant the right (infra/kubernetes has the roles)' },
  404: { code: 'NotFound', mending: '; are the custom resource definitions installed, and is the namespace right?' },
  405: { code: 'InvalidResource', mending: '' },
  415: { code: 'InvalidResource', mending: '' },
  422: { code: 'InvalidResource', mending: '' },
}

/** Whether a refusal may be gone at the next try. */
export function isTransientStatus(status: number): boolean {
  return status === 429 || status >= 500
}

/**
 * Translates a refusal.
 *
 * @param what method and path, for the message.
 * @param retryAfter the `Retry-After` header, whole seconds.
 */
export function fromStatus(what: string, status: number, body: unknown, retryAfter: string | undefined): Error {
  const told = `${what}: ${describeStatus(status, body)}`
  const permanent = PERMANENT[status]
  if (permanent) return new PermanentError(permanent.code, told + permanent.mending)
  if (status < 400)
    return new PermanentError(
      'InvalidConfiguration',
      `${told}; a redirect is no answer of an API server: is its URL right?`,
    )
  if (status === 409) return new TransientError('Conflict', told)
  if (status === 410) return new TransientError('Expired', told)
  const retryAfterMs = parseRetryAfter(retryAfter)
  const options = retryAfterMs === undefined ? {} : { retryAfterMs }
  if (status === 429) return new TransientError('Throttled', told, options)
  return new TransientError('Unavailable', told, options)
}

const LONGEST_MESSAGE = 500

function describeStatus(status: number, body: unknown): string {
  const { kind, reason, message } = (body ?? {}) as { kind?: unknown; reason?: unknown; message?: unknown }
  if (kind !== 'Status') return `HTTP ${status}`
  const text = typeof message === 'string' ? `: ${message.slice(0, LONGEST_MESSAGE)}` : ''
  return `HTTP ${status}${typeof reason === 'string' && reason !== '' ? ` ${reason}` : ''}${text}`
}
