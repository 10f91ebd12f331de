// The lease: who may act in this tick. One record per loop is lock, fencing token, ledger and checkpoint at once, and every
// change of it is one compare-and-swap.
//
// Not promised: that only one process is running. A term ends by the clock, so a frozen holder may wake after another one
// took over. Its token is then lower, and `lib/fence` has the API server refuse its writes by it. Clocks decide when a term
// has ended and nothing else. One completion per tick is promised for the life of the record: a record that was deleted and
// created again starts its ledger anew.
//
// A term outlives its invocation (its length is the invocation's remaining time plus a tail), so nothing is ever renewed.

import type { Moment } from '../time.ts'

/** The tick an attempt is for. */
export interface TickIdentity {
  /** A scheduled instant such as `2026-11-21T07:05:00Z` (whole seconds, UTC, sorts as text), or `manual/<id>`. */
  readonly id: string
  /** Scheduled ticks are completed once, in order; a manual one takes the lease and leaves the ledger alone. */
  readonly isScheduled: boolean
}

/** The record as every backend gives it, free of the store's own encoding. */
export interface LeaseRecord {
  /** Identity of the record itself: another one means that it was deleted and created again. */
  readonly recordId: string
  /** Identity of the attempt that holds it; '' when nobody does. */
  readonly holder: string
  /** Fencing token, from 0 (never acquired); one higher at every acquire. */
  readonly token: number
  /** End of the current term, epoch ms; 0 when there never was one. */
  readonly termEndsAtMs: number
  /** Start of the current or last term, epoch ms; 0 when there never was one. */
  readonly acquiredAtMs: number
  /** The token of the term that ended cleanly: all its writes have known outcomes. Anything else means it did not. */
  readonly drained: number | undefined
  /** Nobody may acquire while it is set; an operator's switch. */
  readonly isSuspended: boolean
  /** The tick of the current or last term. */
  readonly tick: string | undefined
  /** The newest scheduled tick that was completed. */
  readonly completedTick: string | undefined
  /** How the last term ended, short JSON. */
  readonly lastOutcome: string | undefined
  /** Where the next tick continues, see `tick/checkpoint.ts`. */
  readonly checkpoint: string | undefined
}

/** A record together with what its store needs to change exactly this version of it. */
export interface Versioned {
  readonly record: LeaseRecord
  /** Opaque to everybody but the store. */
  readonly version: unknown
}

/** What an attempt asks for. */
export interface Claim {
  /** `<installation>-<loop>/<requestId>/<nonce>`, unique per attempt. */
  readonly holder: string
  /** `<installation>-<loop>/`: what every holder of this lease begins with. */
  readonly holderPrefix: string
  readonly tick: TickIdentity
  /** Length of the term, ms. */
  readonly termMs: number
  /** The attempt's wall clock, epoch ms. */
  readonly nowMs: number
}

/** `contended`: another writer came between, look again. `before` is the record that the claim was made on. */
export type ClaimAnswer =
  | { readonly kind: 'claimed'; readonly before: Pick<LeaseRecord, 'holder' | 'drained'>; readonly now: Versioned }
  | { readonly kind: 'refused'; readonly record: LeaseRecord }
  | { readonly kind: 'contended' }

/**
 * What a backend offers: a record with a compare-and-swap.
 *
 * Each method throws PermanentError – LeaseMissing, with the command that creates the record, when there is none;
 * TransientError when the store can't be reached; OutcomeUnknownError when a change was sent and never answered.
 */
export interface LeaseStore {
  /** What messages call the record, e.g. `Lease fencepost-system/fencepost-cleanup`. */
  readonly address: string
  /** Reads the record as it is after everything acknowledged so far. */
  read(signal: AbortSignal): Promise<Versioned>
  /** Takes the record for an attempt if `decide` allows it, in one compare-and-swap. */
  claim(claim: Claim, signal: AbortSignal): Promise<ClaimAnswer>
  /**
   * Replaces the record if it is still as `seen`; what the record does not model (labels, foreign annotations) survives.
   * @returns the new version, or undefined when it is not as seen any more.
   */
  swap(seen: Versioned, next: LeaseRecord, signal: AbortSignal): Promise<Versioned | undefined>
}

/** The right to act in one term, as a value. «Mine» means holder and token and record identity. */
export interface Grant {
  readonly holder: string
  readonly token: number
  readonly recordId: string
  readonly tick: TickIdentity
  /** The last term ended cleanly, so that no write of it can still be in flight; if not, settle before the first read. */
  readonly isClean: boolean
  /** Who was taken over from; undefined when the record was free. */
  readonly tookOverFrom: string | undefined
  readonly completedTick: string | undefined
  readonly checkpoint: string | undefined
  /** When the term's token was published, as far as is known: a settle counts from here. */
  readonly acknowledged: Moment
  /** When the term ends; no write of it is sent later. */
  readonly endsAt: Moment
  readonly versioned: Versioned
}

/** Why a lease was not given; each is a success of the tick. */
export type RefusalReason = 'held' | 'already-completed' | 'superseded' | 'suspended'

/** What `acquire` gives. */
export type AcquireResult =
  | { readonly kind: 'acquired'; readonly grant: Grant }
  | { readonly kind: 'refused'; readonly reason: RefusalReason; readonly record: LeaseRecord }

/** What a term leaves behind. */
export interface Ending {
  /** Short JSON for people and `status`. */
  readonly outcome: string
  /** undefined keeps the checkpoint, null clears it. */
  readonly checkpoint: string | null | undefined
  /** Every write of the term has a known outcome, and the predecessor was drained or this term has settled. */
  readonly isDrained: boolean
}

/** The lease of one loop. All methods are safe to repeat; a lost answer is resolved by reading back. */
export interface Lease {
  readonly address: string
  /**
   * Takes the lease for one tick, with a term of `termMs`.
   * @throws PermanentError – LeaseMissing; ForeignHolder when another controller uses the record. TransientError.
   */
  acquire(request: {
    tick: TickIdentity
    requestId: string
    termMs: number
    signal: AbortSignal
  }): Promise<AcquireResult>
  /**
   * Marks the tick completed, stores the ending and gives the lease back, in one write.
   * @throws LeaseLostError – another attempt or an operator has it; nothing was changed.
   */
  complete(grant: Grant, ending: Ending, signal: AbortSignal): Promise<void>
  /**
   * Gives a held term a higher token, for a fence that has seen higher ones than the record.
   * @returns the grant under that token; it is not clean, since nobody knows who wrote under the tokens between.
   * @throws LeaseLostError – another attempt or an operator has it; nothing was changed.
   */
  advance(grant: Grant, token: number, signal: AbortSignal): Promise<Grant>
  /** As `complete`, but leaves the completed tick as it is. */
  release(grant: Grant, ending: Ending, signal: AbortSignal): Promise<void>
  /**
   * Makes sure that a term has not been overtaken: reads the record, changes nothing.
   * @throws LeaseLostError – another attempt or an operator has it.
   */
  confirm(grant: Grant, signal: AbortSignal): Promise<void>
  /** Reads the record; changes nothing. */
  read(signal: AbortSignal): Promise<LeaseRecord>
  /** Sets or clears the operator's switch that keeps everybody from acquiring; a running term goes on to its end. */
  suspend(isSuspended: boolean, signal: AbortSignal): Promise<LeaseRecord>
  /**
   * Frees a stuck lease: token one higher, nobody holds it, not drained, so that the next holder settles first.
   * @throws PermanentError – ForeignHolder, while another controller's term has not ended.
   */
  free(signal: AbortSignal): Promise<LeaseRecord>
}
