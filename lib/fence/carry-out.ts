// One change of one object, carried out whoever else writes to it: a bound write; after a conflict a look at the lease, a live
// read that is judged again, and the write that follows from it. What must stay true: no live read is judged before the term
// was confirmed, and nothing is told of a change that did not take effect.

import { AbortedError, TransientError } from '../errors.ts'
import type { Deleted, Written } from './writer.ts'

/** How often one object is tried when others keep changing it. */
export const MAX_TRIES = 5

/** What carries a change out. */
export interface Steps<Change> {
  /** Sends the bound write. */
  write(change: Change): Promise<Written | Deleted>
  /** Makes sure that the term was not overtaken. @throws LeaseLostError */
  confirm(): Promise<void>
  /** Reads live and judges again; undefined when the object is gone, was made anew, or nothing is to be done any more. */
  judgeAgain(change: Change): Promise<Change | undefined>
  /** Tells of a change that took effect, with the resourceVersion that it gave (none after a deletion). */
  announce(change: Change, resourceVersion: string | undefined): Promise<void>
  readonly signal: AbortSignal
}

/**
 * Carries out a change.
 *
 * @returns `unchanged` when a fresh look showed that nothing was to do any more.
 * @throws LeaseLostError – after a conflict, when the term was overtaken.
 * @throws TransientError – Conflict, when the object changed under each of `MAX_TRIES` tries.
 * @throws AbortedError – the signal was aborted between two steps.
 * @throws as the steps do.
 */
export async function carryOut<Change extends { readonly object: string; readonly reason: string }>(
  change: Change,
  steps: Steps<Change>,
): Promise<'changed' | 'unchanged'> {
  let current: Change | undefined = change
  for (let tries = 1; tries <= MAX_TRIES; tries++) {
    stopIfAborted(steps.signal)
    const result = await steps.write(current)
    if (result.kind === 'gone') return 'unchanged'
    if (result.kind !== 'conflict') {
      await steps.announce(current, result.kind === 'written' ? result.object.metadata.resourceVersion : undefined)
      return 'changed'
    }
    if (tries === MAX_TRIES) break
    await steps.confirm()
    stopIfAborted(steps.signal)
    current = await steps.judgeAgain(current)
    if (!current) return 'unchanged'
  }
  throw new TransientError('Conflict', `${change.object} changed under each of ${MAX_TRIES} tries (${change.reason})`)
}

function stopIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw new AbortedError('the work was stopped before it was written')
}
