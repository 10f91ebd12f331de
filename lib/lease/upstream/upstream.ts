// Upstream's own Lease, read and changed by client-go's rules: one holder, a transition at every change of it, instants
// with six fractional digits. Every change is a PUT bound to uid and resourceVersion, made from the object as it was read;
// a 409 or a lost answer is judged again from a new read. The Lease is never created here: upstream does that.
//
// Not promised: that a leader which is frozen at a write stops. client-go stops the process that finds its renewal
// refused; what a frozen one still has in hand goes out when it wakes, as it does between two leaders of upstream's own.

import { errorMessage, OutcomeUnknownError, PermanentError, TransientError } from '../../errors.ts'
import { type KubernetesApi, pathOf, type RawObject } from '../../kubernetes/api.ts'
import { type Clock, type Moment, momentIn, msSince } from '../../time.ts'
import { LEASE } from '../kubernetes.ts'
import { fromUpstreamLease, refuseCoordinated, toUpstreamLease } from './record.ts'
import {
  heldRecord,
  isYoung,
  judgeUpstream,
  UPSTREAM_SETTLE_MS,
  type UpstreamClaim,
  type UpstreamMode,
  type UpstreamRecord,
} from './rules.ts'

/** How often a contended record is judged anew; upstream's leader writes it every 2 s. */
const MAX_TRIES = 10

/** Where upstream's Lease is, and for whom it is looked at. */
export interface UpstreamOptions {
  readonly api: KubernetesApi
  readonly namespace: string
  readonly name: string
  readonly mode: UpstreamMode
  /** Ours, as `LEADER_ELECT_ID` names it. */
  readonly installation: string
  readonly clock: Clock
}

/**
 * `go`      act. `settleFrom`: only when `waitOut` has returned. `takenFrom`: whom it was taken from, if from anybody.
 *           `isMissing`: there is no such Lease.
 * `active`  `holder` leads: do nothing.
 */
export type UpstreamAnswer =
  | {
      readonly kind: 'go'
      readonly settleFrom?: Moment
      readonly isTaken?: boolean
      readonly takenFrom?: string
      readonly isMissing?: boolean
    }
  | { readonly kind: 'active'; readonly holder: string }

/** Upstream's Lease. */
export interface Upstream {
  /** What messages call it, e.g. `Lease breakglass-system/breakglass.telekom.io`. */
  readonly address: string
  readonly mode: UpstreamMode
  /** Ours, as a holder: one for all loops and functions of the installation. */
  readonly identity: string
  /** Reads the record; undefined when there is no such Lease. @throws as `ask` does. */
  read(signal: AbortSignal): Promise<UpstreamRecord | undefined>
  /**
   * Asks whether a loop may act now, and takes or renews the record where the rules say so.
   *
   * @throws PermanentError – LeaseMissing, Forbidden or ForeignHolder (a coordinated election), with the mending.
   * @throws TransientError – Conflict, when the record kept changing; and as the API server does.
   */
  ask(claim: Pick<UpstreamClaim, 'periodMs' | 'isByHand'>, signal: AbortSignal): Promise<UpstreamAnswer>
}

/** Opens upstream's Lease. */
export function openUpstream(options: UpstreamOptions): Upstream {
  const { api, namespace, name, mode, clock } = options
  const identity = `fencepost/${options.installation}`
  const address = `Lease ${namespace}/${name}`
  const path = pathOf(LEASE, { namespace, name })

  async function readLease(signal: AbortSignal): Promise<RawObject | undefined> {
    const answer = await mending(api.request({ method: 'GET', path, repeat: 'read', signal }, [404]))
    return answer.status === 404 ? undefined : (answer.body as RawObject)
  }

  /** @returns false when the record is not known to be as `next` says. */
  async function swap(seen: RawObject, next: UpstreamRecord, signal: AbortSignal): Promise<boolean> {
    const body = toUpstreamLease(seen, next)
    try {
      const answer = await mending(api.request({ method: 'PUT', path, body, repeat: 'bound', signal }, [404, 409]))
      return answer.status < 400
    } catch (error) {
      if (error instanceof OutcomeUnknownError) return false
      throw error
    }
  }

  async function ask(
    { periodMs, isByHand }: Pick<UpstreamClaim, 'periodMs' | 'isByHand'>,
    signal: AbortSignal,
  ): Promise<UpstreamAnswer> {
    let tried: { record: UpstreamRecord; from: string } | undefined
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const seen = await readLease(signal)
      const record = seen && fromUpstreamLease(seen)
      const claim: UpstreamClaim = { mode, identity, isByHand, periodMs, nowMs: clock.wallMs() }
      const decision = judgeUpstream(record, claim)
      if (decision === 'go') return record ? { kind: 'go' } : { kind: 'go', isMissing: true }
      if (!seen || !record) throw missing(address)
      if (decision === 'active') return { kind: 'active', holder: record.holder }
      refuseCoordinated(seen, address)

      // A take that went unanswered shows as a record of ours that was acquired as we had written it.
      const isTaken = decision === 'take' || isSameTerm(record, tried?.record)
      const from = decision === 'take' ? record.holder : isTaken ? tried?.from : undefined
      const next = heldRecord(record, claim)
      if (!(await swap(seen, next, signal))) {
        if (decision === 'take') tried = { record: next, from: record.holder }
        continue
      }
      const mustSettle = decision === 'take' || isYoung(record, claim.nowMs)
      return {
        kind: 'go',
        ...(mustSettle && { settleFrom: momentIn(0, clock) }),
        ...(isTaken && { isTaken }),
        ...(from && { takenFrom: from }),
      }
    }
    throw new TransientError('Conflict', `${address} changed ${MAX_TRIES} times while it was to be held; try again`)
  }

  async function mending<T>(answered: Promise<T>): Promise<T> {
    try {
      return await answered
    } catch (error) {
      if (!(error instanceof PermanentError) || error.code !== 'Forbidden') throw error
      const right = `\`kubectl apply -k infra/kubernetes/upstream-lease\` gives the right to breakglass.telekom.io, \`npm run --silent manifests -- --upstream-lease ${namespace}/${name}\` that to any other (UPSTREAM_LEASE)`
      throw new PermanentError('Forbidden', `${errorMessage(error)}; ${right}`, { cause: error })
    }
  }

  async function read(signal: AbortSignal): Promise<UpstreamRecord | undefined> {
    const seen = await readLease(signal)
    return seen && fromUpstreamLease(seen)
  }

  return { address, mode, identity, read, ask }
}

/**
 * Waits until whoever led upstream before us has stopped. Counts on the clock that went less far.
 *
 * @returns whether it is over; false when the signal ended it, and then nothing may be written.
 */
export async function waitOut(settleFrom: Moment, clock: Clock, signal?: AbortSignal): Promise<boolean> {
  for (;;) {
    const waitedMs = msSince(settleFrom, clock)
    if (waitedMs >= UPSTREAM_SETTLE_MS) return true
    if (signal?.aborted) return false
    await clock.sleep(UPSTREAM_SETTLE_MS - waitedMs, signal)
  }
}

function isSameTerm(record: UpstreamRecord, tried: UpstreamRecord | undefined): boolean {
  return (
    tried !== undefined &&
    record.holder === tried.holder &&
    record.transitions === tried.transitions &&
    record.acquiredAtMs === tried.acquiredAtMs
  )
}

function missing(address: string): PermanentError {
  return new PermanentError(
    'LeaseMissing',
    `${address} does not exist, so that it can't be held: upstream makes it when its election first runs; is UPSTREAM_LEASE right? \`kubectl get leases --all-namespaces\` lists what there is`,
  )
}
