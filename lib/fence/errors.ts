// What goes wrong at the fence, in words that name the Fence, the tokens and the mending.

import { errorMessage, FenceError, LeaseLostError, OutcomeUnknownError, PermanentError } from '../errors.ts'
import type { ApiAnswer } from '../kubernetes/api.ts'
import { fromStatus } from '../kubernetes/errors.ts'
import type { Grant } from '../lease/lease.ts'
import { describeMs } from '../time.ts'
import type { Refusal } from './refusal.ts'

/** What mends a fence that is missing or broken. */
export const MENDING = '`kubectl apply -k infra/kubernetes`'

type Refused = Refusal & { by: 'fence' }
type Term = Pick<Grant, 'token'>
type Sent = { readonly method: string; readonly path: string }

/** There is no Fence; `body` is undefined where not even its kind is known. */
export function missing(fence: string, body: unknown): FenceError {
  const what = body === undefined ? 'the kind Fence is not installed in this cluster' : `Fence ${fence} does not exist`
  const twice = body === undefined ? ', twice, since no Fence can be made before its kind is known' : ''
  return new FenceError(
    'FenceMissing',
    `${what}, so that nothing would refuse an overtaken write; install it: ${MENDING}${twice}`,
  )
}

/** The function's own user lacks the right to raise. */
export function mayNotRaise(fence: string, { body }: ApiAnswer): FenceError {
  return new FenceError(
    'FenceForbidden',
    `this function may not patch Fence ${fence}; give its user the right: ${MENDING}${toldBy(body)}`,
  )
}

/** The function's own user lacks a right to impersonate, which the server names. */
export function mayNotImpersonate(fence: string, { body }: ApiAnswer): FenceError {
  return new FenceError(
    'FenceForbidden',
    `this function may not write as fencepost:${fence}; give its user the rights to impersonate: ${MENDING}${toldBy(body)}`,
  )
}

/** The server's own words, which name the user. */
function toldBy(body: unknown): string {
  const { message } = (body ?? {}) as { message?: unknown }
  return typeof message === 'string' ? ` (${message})` : ''
}

/** A raise is refused although the term is nobody else's and no token is in its way. */
export function unraisable(fence: string): PermanentError {
  return new PermanentError(
    'InvalidResource',
    `Fence ${fence} refuses to be raised, and not by its tokens; compare \`kubectl get fence ${fence} -o yaml\` with its lease`,
  )
}

/** A write that should have been refused was not. */
export function notInForce(kind: string): FenceError {
  return new FenceError(
    'FenceNotInForce',
    `the API server would let ${kind} through under a holder that nobody has: the policy fence-token is absent, not in force yet, or does not cover it; ` +
      `install it: ${MENDING}, or give it half a minute when it or the API server is new`,
  )
}

/** An API server's copy of the Fence stays behind this term's raise. */
export function lagging(fence: string, { token }: Term, { current }: Refused, waitedMs: number): FenceError {
  return new FenceError(
    'FenceLagging',
    `an API server still judges by token ${current ?? 'none'} of Fence ${fence}, ${describeMs(waitedMs)} after it was asked under token ${token}; ` +
      'nothing is written while it lags: look at its watch of fences.fencepost.dev, and restart it if it does not catch up',
  )
}

/** The term was overtaken, and the API server said so. */
export function overtaken(fence: string, { token }: Term, { current, holder }: Refused): LeaseLostError {
  return new LeaseLostError(
    `the API server refused the write: Fence ${fence} stands at token ${current} of ${holder}, and this term has token ${token}`,
  )
}

/** A refusal that is not the fence's: a right that is missing, or another policy's word on this object. */
export function refusedByOthers({ method, path }: Sent, { body }: ApiAnswer): Error {
  return fromStatus(`${method} ${path}`, 403, body, undefined)
}

/** The refusal of a later try says nothing about an earlier one that was never answered. */
export function unanswered({ method, path }: Sent, error: Error): OutcomeUnknownError {
  return new OutcomeUnknownError(
    `${method} ${path}: an earlier try was never answered and may have taken effect (last: ${errorMessage(error)})`,
    { cause: error },
  )
}
