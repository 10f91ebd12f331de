// `claim` for stores that read first and then swap: one read and one write on the clean path.

import { acquired, decide } from './decide.ts'
import type { Claim, ClaimAnswer, LeaseStore } from './lease.ts'

/**
 * Claims by reading, deciding and swapping.
 *
 * A holder identity is unique per attempt, so that finding it in the record means that an earlier try of this very claim
 * took effect without being answered; it was then made on the version that was read before it, whose state is not known
 * here any more and counts as not drained.
 */
export async function claimBySwap(
  store: Pick<LeaseStore, 'read' | 'swap'>,
  claim: Claim,
  signal: AbortSignal,
): Promise<ClaimAnswer> {
  const seen = await store.read(signal)
  if (seen.record.holder === claim.holder)
    return { kind: 'claimed', before: { holder: '', drained: undefined }, now: seen }
  if (decide(seen.record, claim).kind !== 'acquire') return { kind: 'refused', record: seen.record }
  const now = await store.swap(seen, acquired(seen.record, claim), signal)
  return now ? { kind: 'claimed', before: seen.record, now } : { kind: 'contended' }
}
