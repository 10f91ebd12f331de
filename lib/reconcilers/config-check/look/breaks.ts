// Why another server gave no whole answer, in words that are the same for the same cause. Errors of sockets quote addresses, and those
// of certificates quote the certificate, so that only their code is told.

import { describeMs, SECOND_MS } from '../../../time.ts'

/** How long a look at one cluster may take in all, ms. */
export const LOOK_MS = 5 * SECOND_MS

/** Tells why there was no whole answer; `signal` is the look's own. */
export function describeBreak(error: unknown, signal: AbortSignal): string {
  if (signal.aborted) return `no answer within ${describeMs(LOOK_MS)}`
  const { code } = error as { code?: unknown }
  if (isUntrusted(error)) return `its certificate is not trusted (${code})`
  if (typeof code === 'string') return `the connection failed (${code})`
  const { message = '' } = error as { message?: string }
  return OWN_WORDS.test(message) ? message : 'the connection broke'
}

/** What `lib/http` says of an answer, in words of its own. */
const OWN_WORDS = /^the (answer|connection) [A-Za-z0-9 ]+$/

/** Whether it ended with OpenSSL's verdict on the server's certificate, before anything was sent. */
export function isUntrusted(error: unknown): boolean {
  const { code } = error as { code?: unknown }
  return typeof code === 'string' && /CERT|SELF_SIGNED|UNABLE_TO_(VERIFY|GET)_/.test(code)
}
