// The rule book beside a live upstream, pure: record × what is asked × now → may we act, and must we write its Lease first.
// Upstream elects its leader with client-go, which judges a record by the duration that the record itself names, counted
// from when it saw the record change. So a record of ours that names the time to our next tick keeps every elector waiting,
// and one that nobody renews any more is taken by them without our doing.
//
// Not promised: anything about an upstream whose clock is wrong by more than `UPSTREAM_SKEW_MS`. We see a record once a
// tick and can't count from when it changed, so that another's is judged by the instants that are written in it.

import { SECOND_MS } from '../../time.ts'

/** How far upstream's clock and ours may differ, ms: another's record counts as alive for so long after its end. */
export const UPSTREAM_SKEW_MS = 60 * SECOND_MS
/**
 * How long after a take upstream's last leader may still act: it rests for its retry period (2 s) after a renewal, then
 * tries to renew until its renew deadline (10 s) has passed; 3 s are for a request that was on its way.
 *
 * @see https://github.com/kubernetes/client-go/blob/v0.34.4/tools/leaderelection/leaderelection.go
 */
export const UPSTREAM_SETTLE_MS = 2 * SECOND_MS + 10 * SECOND_MS + 3 * SECOND_MS
/** How many periods a record of ours lasts: two ticks in a row may fail, and the third still finds it held. */
export const HELD_PERIODS = 3

/**
 * `hold`    we keep upstream's Lease, so that what its leader alone does stands still.
 * `refuse`  we leave it alone, and do nothing while somebody else renews it.
 */
export type UpstreamMode = 'hold' | 'refuse'

/** What of upstream's Lease is judged. */
export interface UpstreamRecord {
  /** '' when nobody holds it. */
  readonly holder: string
  /** How often the holder has changed. */
  readonly transitions: number
  /** When its holder took it, epoch ms; undefined when it does not say. */
  readonly acquiredAtMs: number | undefined
  /** When its holder last renewed it, epoch ms; undefined when it does not say. */
  readonly renewedAtMs: number | undefined
  readonly durationMs: number
}

/** Who asks, and for what. */
export interface UpstreamClaim {
  readonly mode: UpstreamMode
  /** Our identity in the record: one for all loops and functions of an installation. */
  readonly identity: string
  /** Asked for by an operator, who may take it from a live leader. */
  readonly isByHand: boolean
  /** The period of the loop that asks, ms. */
  readonly periodMs: number
  /** Our wall clock, epoch ms. */
  readonly nowMs: number
}

/**
 * `go`       act, and leave the record alone
 * `active`   somebody else leads: do nothing
 * `renew`    it is ours: renew it, then act
 * `take`     make it ours, wait `UPSTREAM_SETTLE_MS`, then act
 * `missing`  there is nothing to hold
 */
export type UpstreamDecision = 'go' | 'active' | 'renew' | 'take' | 'missing'

/**
 * Decides what a claim may do beside a record of upstream's.
 *
 * | record           | refuse | hold    | hold, by hand |
 * |------------------|--------|---------|---------------|
 * | there is none    | go     | missing | missing       |
 * | nobody holds it  | go     | take    | take          |
 * | ours             | go     | renew   | renew         |
 * | another's, alive | active | active  | take          |
 * | another's, dead  | go     | take    | take          |
 */
export function judgeUpstream(record: UpstreamRecord | undefined, claim: UpstreamClaim): UpstreamDecision {
  const { mode, identity, isByHand, nowMs } = claim
  const isAnothers = record !== undefined && record.holder !== '' && record.holder !== identity
  if (mode === 'refuse') return isAnothers && isAlive(record, nowMs) ? 'active' : 'go'
  if (record === undefined) return 'missing'
  if (record.holder === identity) return 'renew'
  return isAnothers && isAlive(record, nowMs) && !isByHand ? 'active' : 'take'
}

/** Whether somebody may still lead by the record; one without an instant can't be told from a live one. */
export function isAlive(record: UpstreamRecord, nowMs: number): boolean {
  if (record.holder === '') return false
  return record.renewedAtMs === undefined || endOf(record, record.renewedAtMs) + UPSTREAM_SKEW_MS > nowMs
}

/**
 * Whether whoever led before a record of ours may still act. It may have been taken by another invocation, whose clock is
 * not ours, so that a young record is waited out whole.
 */
export function isYoung({ acquiredAtMs }: UpstreamRecord, nowMs: number): boolean {
  return acquiredAtMs === undefined || nowMs < acquiredAtMs + UPSTREAM_SETTLE_MS + UPSTREAM_SKEW_MS
}

/**
 * The record as we leave it: it lasts `HELD_PERIODS` from now, or as long as it did when it was ours already, so that a
 * loop with a short period never cuts the time that one with a longer period counts on.
 */
export function heldRecord(record: UpstreamRecord, { identity, periodMs, nowMs }: UpstreamClaim): UpstreamRecord {
  const isOurs = record.holder === identity
  const lastsMs = isOurs && record.renewedAtMs !== undefined ? endOf(record, record.renewedAtMs) - nowMs : 0
  return {
    holder: identity,
    transitions: isOurs ? record.transitions : record.transitions + 1,
    acquiredAtMs: isOurs ? (record.acquiredAtMs ?? nowMs) : nowMs,
    renewedAtMs: nowMs,
    durationMs: Math.max(HELD_PERIODS * periodMs, lastsMs),
  }
}

function endOf({ durationMs }: UpstreamRecord, renewedAtMs: number): number {
  return renewedAtMs + durationMs
}
