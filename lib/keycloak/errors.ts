// Keycloak's refusals and broken connections as our errors. A message names the provider, the request, the status and what
// mends it; tokens, secrets and bodies never appear in it.

import { PermanentError, TransientError } from '../errors.ts'
import type { TokenRefused } from '../http/token-request.ts'

/** Who refused what, and what it asked to wait, ms. */
export interface Refusal {
  readonly what: string
  readonly status: number
  readonly retryAfterMs: number | undefined
}

/** What a refused read of the admin API means; a 401 is one that a new token did not mend. */
export function fromStatus({ what, status, retryAfterMs }: Refusal): Error {
  const told = `${what}: HTTP ${status}`
  const options = retryAfterMs === undefined ? {} : { retryAfterMs }
  if (status === 429) return new TransientError('Throttled', told, options)
  if (status >= 500) return new TransientError('Unavailable', told, options)
  if (status === 401)
    return new PermanentError('Unauthorized', `${told} to a new token; does the admin API belong to the same Keycloak?`)
  if (status === 403)
    return new PermanentError(
      'Forbidden',
      `${told}; give the client's service account the roles query-groups and view-users of realm-management`,
    )
  if (status >= 300 && status < 400)
    return new PermanentError('InvalidConfiguration', `${told}; Keycloak does not redirect here: is baseURL right?`)
  return new PermanentError(
    'InvalidConfiguration',
    `${told}; are baseURL and realm right, is the admin API reachable there, and is it Keycloak 23 or newer?`,
  )
}

/** What a refused token means. */
export function fromTokenRefused(what: string, refused: TokenRefused): Error {
  const { status, error, retryAfterMs } = refused
  if (status === 429 || status >= 500) return fromStatus({ what, status, retryAfterMs })
  const told = `${what}: HTTP ${status}${error === undefined ? '' : ` ${error}`}`
  if (status === 200) return new PermanentError('InvalidConfiguration', `${told} without a token; is baseURL right?`)
  if (status === 400 || status === 401 || status === 403)
    return new PermanentError(
      'Unauthorized',
      `${told}; the client or its secret is wrong, or the client has no service account: see spec.keycloak of the IdentityProvider`,
    )
  return new PermanentError('InvalidConfiguration', `${told}; are baseURL and realm right?`)
}

/** Groups exist and none is shown: that is how Keycloak answers who may query groups but not view them. */
export function blind(what: string, groups: number): PermanentError {
  return new PermanentError(
    'Forbidden',
    `${what}: none of the realm's ${groups} groups is shown; give the client's service account the role view-users of realm-management`,
  )
}

/** An answer that is not what Keycloak answers there. */
export function unreadable(what: string): PermanentError {
  return new PermanentError(
    'InvalidConfiguration',
    `${what}: the answer is not Keycloak's; are baseURL and realm right, and does no proxy answer in its place?`,
  )
}

/** What it means that no whole answer came. @param isLate whether the try's time was up. */
export function fromBreak(what: string, error: unknown, isLate: boolean): Error {
  const { code, message } = error as { code?: string; message?: string }
  if (code !== undefined && CERTIFICATE.test(code))
    return new PermanentError(
      'InvalidConfiguration',
      `${what}: the server's certificate is not trusted (${code}); check certificateAuthority and the host name`,
    )
  const why = code === undefined ? (message ?? 'the connection broke') : `the connection failed (${code})`
  return new TransientError(isLate ? 'Timeout' : 'Unavailable', `${what}: ${why}`)
}

/** OpenSSL's and Node's verdicts on a certificate; no retry mends one. */
const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_(VERIFY|GET)_/
