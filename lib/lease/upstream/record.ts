// Upstream's Lease as a record and back. What client-go writes has all five fields; one that was made by hand may have none.
// Labels, annotations and fields that are not of the election are carried along as they came.

import { PermanentError } from '../../errors.ts'
import type { RawObject } from '../../kubernetes/api.ts'
import { parseInstant, SECOND_MS, toMicroTime } from '../../time.ts'
import type { UpstreamRecord } from './rules.ts'

/** What of upstream's Lease is read; one that was never acquired has no spec. */
interface UpstreamLeaseSpec {
  holderIdentity?: string | null
  leaseTransitions?: number | null
  leaseDurationSeconds?: number | null
  acquireTime?: string | null
  renewTime?: string | null
  strategy?: string | null
  preferredHolder?: string | null
}

const specOf = (lease: RawObject) => (lease.spec ?? {}) as UpstreamLeaseSpec

/** Reads the record out of upstream's Lease. */
export function fromUpstreamLease(lease: RawObject): UpstreamRecord {
  const spec = specOf(lease)
  return {
    holder: spec.holderIdentity ?? '',
    transitions: spec.leaseTransitions ?? 0,
    acquiredAtMs: parseInstant(spec.acquireTime),
    renewedAtMs: parseInstant(spec.renewTime),
    durationMs: (spec.leaseDurationSeconds ?? 0) * SECOND_MS,
  }
}

/** Writes the record into a copy of the Lease it was read from; the duration is whole seconds, at least one, rounded up. */
export function toUpstreamLease(seen: RawObject, record: UpstreamRecord): RawObject {
  const { acquiredAtMs, renewedAtMs } = record
  const spec: UpstreamLeaseSpec = {
    holderIdentity: record.holder,
    leaseTransitions: record.transitions,
    leaseDurationSeconds: Math.max(1, Math.ceil(record.durationMs / SECOND_MS)),
    acquireTime: acquiredAtMs === undefined ? null : toMicroTime(acquiredAtMs),
    renewTime: renewedAtMs === undefined ? null : toMicroTime(renewedAtMs),
  }
  return { ...seen, spec: { ...specOf(seen), ...spec } }
}

/**
 * Refuses a Lease whose holder the API server's own election picks.
 * @throws PermanentError – ForeignHolder.
 */
export function refuseCoordinated(lease: RawObject, address: string): void {
  const { strategy, preferredHolder } = specOf(lease)
  if (strategy || preferredHolder)
    throw new PermanentError(
      'ForeignHolder',
      `${address} has spec.${strategy ? 'strategy' : 'preferredHolder'} set: a coordinated election owns it, and can't be held from outside; set UPSTREAM_MODE=refuse`,
    )
}
