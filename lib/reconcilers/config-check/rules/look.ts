// What looking at one cluster gave, as plain data. No message has a text that a server sent or anything out of a Secret, nor a
// time, a duration or a port of ours: the same world gives the same words, or each tick would write.

import { type FailureReason, type ReadyReason, UNTRIED, type UntriedWhy } from './reasons.ts'

/**
 * The result of one look.
 *
 * `ready`    the cluster answers, and knows us
 * `failed`   it can't be used as it is configured, or did not answer
 * `untried`  it can't be tried from here without harm
 */
export type Look =
  | { readonly kind: 'ready'; readonly reason: ReadyReason; readonly message: string }
  | Failure
  | { readonly kind: 'untried'; readonly why: UntriedWhy; readonly message: string }

/** A look that found something wrong. */
export interface Failure {
  readonly kind: 'failed'
  readonly reason: FailureReason
  readonly message: string
}

/** Makes the result of a cluster that is in order. */
export function ready(reason: ReadyReason, message: string): Look {
  return { kind: 'ready', reason, message }
}

/** Makes the result of a cluster that is not. */
export function failed(reason: FailureReason, message: string): Failure {
  return { kind: 'failed', reason, message }
}

/** Makes the result of a cluster that is left alone. */
export function untried(why: UntriedWhy): Look {
  return { kind: 'untried', why, message: `Not tried: ${UNTRIED[why]}.` }
}
