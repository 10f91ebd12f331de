// What must be true between terms: once a successor has read, or a record says drained, the past is over.

import type { Fail } from '../invariants.ts'
import type { Terms } from '../terms.ts'
import type { Attempt } from '../world/attempt.ts'
import { LAG_MS, SERVER_MS, STORE_TAIL_MS } from '../world/names.ts'
import type { World } from '../world/world.ts'

type Work = Terms['works'][number]

/** Checks settled-reads, settled-long-enough and drained-is-over. */
export function checkTerms(world: World, terms: Terms, fail: Fail): void {
  const { raiseOf, works, records } = terms
  const orderOf = (attempt: Attempt) => raiseOf.get(attempt)?.position ?? Number.NEGATIVE_INFINITY
  const late = (work: Work) => `attempt ${work.by.attempt.id} (${work.by.label}) committed at ${work.commit.atMs} ms`

  for (const attempt of world.attempts) {
    const { firstRead } = attempt
    if (!firstRead || !raiseOf.has(attempt)) continue
    // A late copy of its raise may come after its read, where the Fence was created anew meanwhile.
    const raise = terms.raises.findLast(({ attempt: by, position }) => by === attempt && position <= firstRead.position)
    const settledMs = firstRead.atMs - (raise?.atMs ?? firstRead.atMs)
    if (!tookOverClean(attempt, terms) && settledMs < LAG_MS + SERVER_MS + STORE_TAIL_MS)
      fail('settled-long-enough', `attempt ${attempt.id} read ${settledMs} ms after its raise`)
    for (const work of works) {
      if (work.position < firstRead.position || orderOf(work.by.attempt) >= orderOf(attempt)) continue
      if (!isExempt(work, terms))
        fail('settled-reads', `${late(work)}, after attempt ${attempt.id} read at ${firstRead.atMs} ms`)
    }
  }

  for (const { position, commit, before, after } of records) {
    if (!after || after.drained === undefined || after.drained !== after.token) continue
    if (before?.drained === after.drained || typeof commit.by === 'string' || commit.by.attempt.isOperator) continue
    const { attempt } = commit.by
    // Who could not raise speaks for all that was raised before it.
    const until = raiseOf.get(attempt)?.position ?? attempt.beganAt
    for (const work of works)
      if (work.position > position && orderOf(work.by.attempt) <= until && !isExempt(work, terms))
        fail('drained-is-over', `${late(work)}, after attempt ${attempt.id} was drained at ${commit.atMs} ms`)
  }
}

/** Whether the record said of the term before an attempt's that it was drained. */
function tookOverClean(attempt: Attempt, { records }: Terms): boolean {
  return records.some(
    ({ commit, before, after }) =>
      typeof commit.by !== 'string' &&
      commit.by.attempt === attempt &&
      after?.holder !== '' &&
      before?.drained === before?.token,
  )
}

/** The design's own residues, for this very write. */
function isExempt({ position, by }: Work, { fenceDeletions }: Terms): boolean {
  const { admission, attempt } = by
  if (admission && (admission.behindMs > LAG_MS || !admission.hasTokenPolicy)) return true
  return fenceDeletions.some(deletion => deletion > attempt.beganAt && deletion < position)
}
