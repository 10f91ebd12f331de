// The lease record as a Kubernetes Lease (coordination.k8s.io/v1). Lock and token are the fields other tools know
// (holderIdentity, leaseTransitions, renewTime, leaseDurationSeconds); ledger and checkpoint are annotations.
// Every change is a PUT bound to uid and resourceVersion, made from the object as it was read, so that labels,
// annotations and fields that are not ours survive, and a Lease that was deleted is never created by us.

import { PermanentError } from '../errors.ts'
import { type KubernetesApi, pathOf, type RawObject, type Resource } from '../kubernetes/api.ts'
import { parseInstant, SECOND_MS, toMicroTime } from '../time.ts'
import { claimBySwap } from './claim-by-swap.ts'
import type { LeaseRecord, LeaseStore, Versioned } from './lease.ts'

/** The Lease kind. */
export const LEASE: Resource = {
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  plural: 'leases',
  namespaced: true,
}

const ANNOTATION = {
  tick: 'fencepost.dev/tick',
  completedTick: 'fencepost.dev/completed-tick',
  drained: 'fencepost.dev/drained',
  suspend: 'fencepost.dev/suspend',
  lastOutcome: 'fencepost.dev/last-outcome',
  checkpoint: 'fencepost.dev/checkpoint',
} as const

/** What of a Lease's spec is read; a Lease that was never acquired has none. */
interface LeaseSpec {
  holderIdentity?: string | null
  leaseTransitions?: number | null
  leaseDurationSeconds?: number | null
  acquireTime?: string | null
  renewTime?: string | null
  strategy?: string | null
  preferredHolder?: string | null
}

/** A store over one Lease that must exist. */
export function kubernetesStore(api: KubernetesApi, at: { namespace: string; name: string }): LeaseStore {
  const address = `Lease ${at.namespace}/${at.name}`
  const path = pathOf(LEASE, at)

  const store: LeaseStore = {
    address,

    async read(signal) {
      const answer = await api.request({ method: 'GET', path, repeat: 'read', signal }, [404])
      if (answer.status === 404) throw missing(address)
      return versioned(answer.body, address)
    },

    claim: (claim, signal) => claimBySwap(store, claim, signal),

    async swap(seen, next, signal) {
      const body = toLease(seen.version as RawObject, next)
      const answer = await api.request({ method: 'PUT', path, body, repeat: 'bound', signal }, [404, 409])
      if (answer.status === 404) throw missing(address)
      return answer.status === 409 ? undefined : versioned(answer.body, address)
    },
  }
  return store
}

function versioned(body: unknown, address: string): Versioned {
  const lease = body as RawObject
  return { record: fromLease(lease, address), version: lease }
}

/**
 * Reads the record out of a Lease.
 * @throws PermanentError – ForeignHolder, when the Lease takes part in a coordinated election.
 */
export function fromLease(lease: RawObject, address: string): LeaseRecord {
  const spec = (lease.spec ?? {}) as LeaseSpec
  if (spec.strategy || spec.preferredHolder)
    throw new PermanentError(
      'ForeignHolder',
      `${address} has spec.${spec.strategy ? 'strategy' : 'preferredHolder'} set: a coordinated election owns it; remove the field, or set LEADER_ELECT_ID to an id of its own`,
    )
  const annotations = annotationsOf(lease)
  const termBeganAtMs = parseInstant(spec.renewTime) ?? parseInstant(spec.acquireTime) ?? 0
  return {
    recordId: lease.metadata.uid,
    holder: spec.holderIdentity ?? '',
    token: spec.leaseTransitions ?? 0,
    acquiredAtMs: parseInstant(spec.acquireTime) ?? 0,
    termEndsAtMs: termBeganAtMs + (spec.leaseDurationSeconds ?? 0) * SECOND_MS,
    drained: parseToken(annotations[ANNOTATION.drained]),
    isSuspended: annotations[ANNOTATION.suspend] === 'true',
    tick: annotations[ANNOTATION.tick],
    completedTick: annotations[ANNOTATION.completedTick],
    lastOutcome: annotations[ANNOTATION.lastOutcome],
    checkpoint: annotations[ANNOTATION.checkpoint],
  }
}

/** Writes the record into a copy of the Lease it was read from. */
export function toLease(seen: RawObject, record: LeaseRecord): RawObject {
  const annotations = { ...annotationsOf(seen) }
  const set = (key: string, value: string | undefined) => {
    if (value === undefined) delete annotations[key]
    else annotations[key] = value
  }
  set(ANNOTATION.tick, record.tick)
  set(ANNOTATION.completedTick, record.completedTick)
  set(ANNOTATION.drained, record.drained?.toString())
  set(ANNOTATION.suspend, record.isSuspended ? 'true' : undefined)
  set(ANNOTATION.lastOutcome, record.lastOutcome)
  set(ANNOTATION.checkpoint, record.checkpoint)
  return {
    ...seen,
    metadata: { ...seen.metadata, annotations },
    // A record that nobody ever held has no term to write down.
    ...(record.token > 0 && { spec: { ...(seen.spec as object | undefined), ...toLeaseSpec(record) } }),
  }
}

/** Term and holder in the Lease's own fields; a term is whole seconds, at least one, rounded up. */
function toLeaseSpec(record: LeaseRecord): LeaseSpec {
  const began = toMicroTime(record.acquiredAtMs)
  return {
    holderIdentity: record.holder,
    leaseTransitions: record.token,
    leaseDurationSeconds: Math.max(1, Math.ceil((record.termEndsAtMs - record.acquiredAtMs) / SECOND_MS)),
    acquireTime: began,
    renewTime: began,
  }
}

function annotationsOf(lease: RawObject): Record<string, string> {
  return (lease.metadata.annotations ?? {}) as Record<string, string>
}

function parseToken(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : undefined
}

function missing(address: string): PermanentError {
  return new PermanentError(
    'LeaseMissing',
    `${address} does not exist; create it with \`kubectl apply -k infra/kubernetes\` (its ledger then starts anew)`,
  )
}
