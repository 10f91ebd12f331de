// What the action `status` tells of a loop: who may act by the lease's record, whom the API server lets write, and who
// leads a live upstream beside which it runs.

import type { Fence, FenceSpec } from '../fence/fence.ts'
import { isDrained, isHeld } from '../lease/decide.ts'
import type { Lease, LeaseRecord } from '../lease/lease.ts'
import { isAlive, type UpstreamRecord } from '../lease/upstream/rules.ts'
import type { Upstream } from '../lease/upstream/upstream.ts'
import { toInstant } from '../time.ts'

/** A loop's lease and fence as people read them. */
export interface LoopStatus {
  readonly loop: string
  readonly lease: string
  /** null when nobody holds it. */
  readonly holder: string | null
  readonly token: number
  /** RFC 3339; null when there never was a term. */
  readonly termEndsAt: string | null
  /** A held lease whose term has ended: the next tick takes it over. */
  readonly isOverdue: boolean
  readonly suspended: boolean
  readonly tick: string | null
  readonly completedTick: string | null
  /** Whether the next holder may act without a settle. */
  readonly drained: boolean
  readonly lastOutcome: unknown
  readonly checkpoint: unknown
  readonly fence: FenceStatus
  /** Only where UPSTREAM_LEASE is set. */
  readonly upstream?: UpstreamStatus
}

/**
 * A Fence as people read it.
 *
 * `raised`        it stands at the record's token
 * `behind`        the record's last term never raised it, or has not yet
 * `ahead`         it has seen higher tokens, or another record: the next tick heals that and settles
 * `never-raised`  no term has raised it yet
 * `missing`       there is none: nothing is written while FENCE=enforced
 * `unreadable`    the API server did not say
 */
export interface FenceStatus {
  readonly name: string
  readonly mode: Fence['mode']
  readonly state: 'raised' | 'behind' | 'ahead' | 'never-raised' | 'missing' | 'unreadable'
  /** null unless it was raised. */
  readonly token: number | null
  readonly holder: string | null
}

/**
 * Upstream's Lease as people read it.
 *
 * `ours`        this installation holds it
 * `active`      somebody else holds it, and may lead: no tick acts
 * `over`        somebody else held it, and its time is over by more than 60 s
 * `free`        nobody holds it
 * `missing`     there is none
 * `unreadable`  the API server did not say
 */
export interface UpstreamStatus {
  readonly lease: string
  readonly mode: Upstream['mode']
  readonly state: 'ours' | 'active' | 'over' | 'free' | 'missing' | 'unreadable'
  /** null when nobody holds it, or nobody knows. */
  readonly holder: string | null
  /** When the time that it names ends, RFC 3339; null when it names none. */
  readonly endsAt: string | null
  /** Of the action `hold` alone: whom it was taken from; null when it was free, or ours already. */
  readonly takenFrom?: string | null
}

/** Tells who holds upstream's Lease. */
export function upstreamStatus(
  { address, mode, identity }: Pick<Upstream, 'address' | 'mode' | 'identity'>,
  record: UpstreamRecord | undefined | 'unreadable',
  nowMs: number,
): UpstreamStatus {
  const known = { lease: address, mode }
  if (record === 'unreadable') return { ...known, state: record, holder: null, endsAt: null }
  if (!record) return { ...known, state: 'missing', holder: null, endsAt: null }
  const { holder, renewedAtMs, durationMs } = record
  const others = isAlive(record, nowMs) ? 'active' : 'over'
  const state = holder === '' ? 'free' : holder === identity ? 'ours' : others
  const endsAt = renewedAtMs === undefined ? null : toInstant(renewedAtMs + durationMs)
  return { ...known, state, holder: holder || null, endsAt }
}

/** Compares a Fence with its lease's record. */
export function fenceStatus(
  { name, mode }: Pick<Fence, 'name' | 'mode'>,
  spec: FenceSpec | null | undefined | 'unreadable',
  record: LeaseRecord,
): FenceStatus {
  if (spec === 'unreadable') return { name, mode, state: spec, token: null, holder: null }
  if (!spec) return { name, mode, state: spec === null ? 'never-raised' : 'missing', token: null, holder: null }
  const { token, holder, lease } = spec
  const isAhead = lease !== record.recordId || token > record.token
  const state = isAhead ? 'ahead' : token === record.token ? 'raised' : 'behind'
  return { name, mode, state, token, holder }
}

/** The record as people read it. */
export function leaseStatus(
  loop: string,
  lease: Pick<Lease, 'address'>,
  record: LeaseRecord,
  nowMs: number,
): Omit<LoopStatus, 'fence' | 'upstream'> {
  const held = isHeld(record)
  return {
    loop,
    lease: lease.address,
    holder: record.holder || null,
    token: record.token,
    termEndsAt: record.termEndsAtMs > 0 ? toInstant(record.termEndsAtMs) : null,
    isOverdue: held && record.termEndsAtMs <= nowMs,
    suspended: record.isSuspended,
    tick: record.tick ?? null,
    completedTick: record.completedTick ?? null,
    drained: !held && isDrained(record),
    lastOutcome: parsedOrText(record.lastOutcome),
    checkpoint: parsedOrText(record.checkpoint),
  }
}

function parsedOrText(text: string | undefined): unknown {
  if (text === undefined) return null
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
