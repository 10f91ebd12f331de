// The rule book of the lease, pure: record × claim × now → acquire or refuse. Every backend gives the same answers; the
// DynamoDB one writes the same rules as a condition expression, and the conformance suite holds the two together.

import { PermanentError } from '../errors.ts'
import type { Claim, Ending, LeaseRecord, RefusalReason } from './lease.ts'

/** `foreign` is no skip: another controller uses the record, and people must say whose it is. */
export type Decision =
  | { readonly kind: 'acquire' }
  | { readonly kind: 'refuse'; readonly reason: RefusalReason }
  | { readonly kind: 'foreign' }

/**
 * Decides what a claim may do with a record. The first row that applies wins.
 *
 * | record                               | claim     | decision                          |
 * |--------------------------------------|-----------|-----------------------------------|
 * | held, holder lacks our prefix        | any       | foreign, ended or not             |
 * | suspended                            | any       | refuse: suspended                 |
 * | completed tick = the claim's         | scheduled | refuse: already-completed         |
 * | completed tick > the claim's         | scheduled | refuse: superseded                |
 * | held, term ends after now            | any       | refuse: held                      |
 * | held, term ended                     | any       | acquire (a take-over)             |
 * | nobody holds it                      | any       | acquire                           |
 */
export function decide(record: LeaseRecord, claim: Claim): Decision {
  if (isForeign(record, claim.holderPrefix)) return { kind: 'foreign' }
  if (record.isSuspended) return { kind: 'refuse', reason: 'suspended' }
  if (claim.tick.isScheduled && record.completedTick !== undefined) {
    if (record.completedTick === claim.tick.id) return { kind: 'refuse', reason: 'already-completed' }
    if (record.completedTick > claim.tick.id) return { kind: 'refuse', reason: 'superseded' }
  }
  if (isHeld(record) && record.termEndsAtMs > claim.nowMs) return { kind: 'refuse', reason: 'held' }
  return { kind: 'acquire' }
}

/** Whether somebody holds the record, be the term ended or not. */
export function isHeld(record: LeaseRecord): boolean {
  return record.holder !== ''
}

/** Whether somebody who is not of this lease's installation and loop holds the record. */
export function isForeign(record: LeaseRecord, holderPrefix: string): boolean {
  return isHeld(record) && !record.holder.startsWith(holderPrefix)
}

/**
 * Whether the record's last term ended cleanly.
 *
 * `drained` must name the very token of that term: absent, another token, or a record created anew all mean that a write
 * of an earlier term may still be in flight.
 */
export function isDrained(record: Pick<LeaseRecord, 'token' | 'drained'>): boolean {
  return record.drained === record.token
}

/** The record as a claim leaves it: a higher token, a new term, and no word about how that term will end. */
export function acquired(record: LeaseRecord, claim: Claim): LeaseRecord {
  return {
    ...record,
    holder: claim.holder,
    token: record.token + 1,
    acquiredAtMs: claim.nowMs,
    termEndsAtMs: claim.nowMs + claim.termMs,
    drained: undefined,
    tick: claim.tick.id,
  }
}

/** The record as its holder leaves it at the end of the term. */
export function ended(record: LeaseRecord, ending: Ending, completedTick: string | undefined): LeaseRecord {
  return {
    ...record,
    holder: '',
    drained: ending.isDrained ? record.token : undefined,
    completedTick: completedTick ?? record.completedTick,
    lastOutcome: ending.outcome,
    checkpoint: ending.checkpoint === undefined ? record.checkpoint : (ending.checkpoint ?? undefined),
  }
}

/**
 * The record after an operator freed it.
 * @throws PermanentError – ForeignHolder, while a foreign term has not ended.
 */
export function freed(record: LeaseRecord, holderPrefix: string, nowMs: number): LeaseRecord {
  if (isForeign(record, holderPrefix) && record.termEndsAtMs > nowMs)
    throw new PermanentError(
      'ForeignHolder',
      `"${record.holder}" is not ours and its term has not ended; stop that controller, or give this installation an id of its own (LEADER_ELECT_ID)`,
    )
  return { ...record, holder: '', token: record.token + 1, drained: undefined }
}
