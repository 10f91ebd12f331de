// The protocol over any store: claim until decided, end until it is known who ended it. A 409 or a lost answer is never
// taken for a loss; the record is read back, and «mine» (holder, token, record identity) decides.

import { randomBytes } from 'node:crypto'
import { LeaseLostError, PermanentError, TransientError } from '../errors.ts'
import type { Log } from '../telemetry/log.ts'
import { type Clock, type Moment, momentIn, parseInstant } from '../time.ts'
import { decide, ended, freed, isDrained } from './decide.ts'
import type {
  AcquireResult,
  Claim,
  ClaimAnswer,
  Ending,
  Grant,
  Lease,
  LeaseRecord,
  LeaseStore,
  Versioned,
} from './lease.ts'

/** How often a contended compare-and-swap is tried before the store counts as unavailable. */
const MAX_TRIES = 10

/** What a lease is opened with. */
export interface LeaseOptions {
  readonly store: LeaseStore
  /** `<installation>-<loop>`: the lease's name, and what its holders' identities begin with. */
  readonly name: string
  readonly clock: Clock
  readonly log: Log
  /** Gives what makes an attempt unique; default 16 random hexadecimal digits. */
  readonly nonce?: () => string
}

/** Opens the lease of one loop. */
export function openLease(options: LeaseOptions): Lease {
  const { store, name, clock, log, nonce = () => randomBytes(8).toString('hex') } = options
  const holderPrefix = `${name}/`

  async function acquire(request: Parameters<Lease['acquire']>[0]): Promise<AcquireResult> {
    const { tick, requestId, termMs, signal } = request
    const holder = `${holderPrefix}${requestId}/${nonce()}`
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const claim: Claim = { holder, holderPrefix, tick, termMs, nowMs: clock.wallMs() }
      const endsAt = momentIn(termMs, clock)
      const answer = await store.claim(claim, signal)
      if (answer.kind === 'claimed') return { kind: 'acquired', grant: grantOf(claim, endsAt, answer) }
      if (answer.kind === 'refused') {
        const decision = decide(answer.record, claim)
        if (decision.kind === 'foreign') throw foreign(answer.record)
        if (decision.kind === 'refuse') return refused(answer.record, claim, decision.reason)
      }
    }
    throw contended()
  }

  function grantOf(claim: Claim, endsAt: Moment, { before, now }: ClaimAnswer & { kind: 'claimed' }): Grant {
    const { token, recordId, completedTick, checkpoint } = now.record
    const tookOverFrom = before.holder || undefined
    const isClean = isDrained({ token: token - 1, drained: before.drained }) && tookOverFrom === undefined
    const fields = { lease: store.address, holder: claim.holder, token, tick: claim.tick.id }
    if (tookOverFrom) log.warn('lease taken over', { ...fields, tookOverFrom })
    else log.info('lease acquired', { ...fields, clean: isClean })
    return {
      holder: claim.holder,
      token,
      recordId,
      tick: claim.tick,
      isClean,
      tookOverFrom,
      completedTick,
      checkpoint,
      acknowledged: momentIn(0, clock),
      endsAt,
      versioned: now,
    }
  }

  function refused(
    record: LeaseRecord,
    claim: Claim,
    reason: (AcquireResult & { kind: 'refused' })['reason'],
  ): AcquireResult {
    // Ticks are compared as texts, so that a ledger somebody has written over could refuse every tick there will ever be.
    if (reason === 'superseded' && parseInstant(record.completedTick) === undefined) throw unreadable(record)
    if (reason === 'held')
      log.info('lease held by another', {
        lease: store.address,
        holder: record.holder,
        token: record.token,
        tick: claim.tick.id,
      })
    return { kind: 'refused', reason, record }
  }

  /** Ends a term. What others changed meanwhile (an operator's switch) is kept. */
  async function end(
    grant: Grant,
    ending: Ending,
    completedTick: string | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    let seen: Versioned = grant.versioned
    let given = ending
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const swapped = await store.swap(seen, ended(seen.record, given, completedTick), signal)
      if (swapped) return
      seen = await store.read(signal)
      if (isEmptied(seen.record, grant)) {
        if (seen.record.lastOutcome === ending.outcome) return
      } else if (!isMine(seen.record, grant)) {
        if (completedTick !== undefined || !isAttempt(seen.record, grant)) throw lost(seen.record, grant)
        given = { ...ending, checkpoint: undefined, isDrained: false }
      }
    }
    throw contended()
  }

  async function advance(grant: Grant, token: number, signal: AbortSignal): Promise<Grant> {
    let seen: Versioned = grant.versioned
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const now = await store.swap(seen, { ...seen.record, token }, signal)
      if (now) return advanced(grant, now)
      seen = await store.read(signal)
      if (isMine(seen.record, { ...grant, token })) return advanced(grant, seen)
      if (!isMine(seen.record, grant)) throw lost(seen.record, grant)
    }
    throw contended()
  }

  async function confirm(grant: Grant, signal: AbortSignal): Promise<void> {
    const { record } = await store.read(signal)
    if (!isMine(record, grant)) throw lost(record, grant)
  }

  function advanced(grant: Grant, versioned: Versioned): Grant {
    const { token } = versioned.record
    log.warn('lease token advanced', { lease: store.address, holder: grant.holder, from: grant.token, to: token })
    return { ...grant, token, isClean: false, versioned }
  }

  function lost(record: LeaseRecord, grant: Grant): LeaseLostError {
    const fields = { lease: store.address, holder: grant.holder, token: grant.token }
    log.warn('lease lost', { ...fields, currentHolder: record.holder, currentToken: record.token })
    return new LeaseLostError(
      `${store.address} was lost: token ${grant.token} was overtaken by token ${record.token}${record.holder ? ` of ${record.holder}` : ''}`,
    )
  }

  async function amend(change: (record: LeaseRecord) => LeaseRecord, signal: AbortSignal): Promise<LeaseRecord> {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const seen = await store.read(signal)
      const swapped = await store.swap(seen, change(seen.record), signal)
      if (swapped) return swapped.record
    }
    throw contended()
  }

  function contended(): TransientError {
    return new TransientError(
      'Conflict',
      `${store.address} changed ${MAX_TRIES} times while it was being changed; try again`,
    )
  }

  function unreadable({ completedTick }: LeaseRecord): PermanentError {
    return new PermanentError(
      'InvalidResource',
      `${store.address} names "${completedTick}" as its completed tick, which is no instant; remove that value, and the next tick writes it anew`,
    )
  }

  function foreign(record: LeaseRecord): PermanentError {
    return new PermanentError(
      'ForeignHolder',
      `${store.address} is held by "${record.holder}", which is not of ${name}: a lease is never shared with another controller. ` +
        'Give this installation an id of its own (LEADER_ELECT_ID), or point that controller at another lease; ' +
        'when that controller is gone for good, free the lease with the action "release"',
    )
  }

  return {
    address: store.address,
    acquire,
    advance,
    confirm,
    complete: (grant, ending, signal) => end(grant, ending, grant.tick.isScheduled ? grant.tick.id : undefined, signal),
    release: (grant, ending, signal) => end(grant, ending, undefined, signal),
    read: async signal => (await store.read(signal)).record,
    suspend: (isSuspended, signal) => amend(record => ({ ...record, isSuspended }), signal),
    free: signal => amend(record => freed(record, holderPrefix, clock.wallMs()), signal),
  }
}

/** Whether a record is this grant's own, term and all. */
export function isMine(record: LeaseRecord, grant: Pick<Grant, 'holder' | 'token' | 'recordId'>): boolean {
  return record.holder === grant.holder && record.token === grant.token && record.recordId === grant.recordId
}

/**
 * Whether a record is held by a grant's own attempt under a higher token: an advance whose answer was lost, or a late repeat
 * of its acquire. Nothing that was written is known under that token, so that it may be given back and nothing else.
 */
function isAttempt(record: LeaseRecord, grant: Grant): boolean {
  return record.holder === grant.holder && record.recordId === grant.recordId && record.token > grant.token
}

/**
 * Whether nobody holds the record, and nobody has since this grant: every later acquire, and an operator's release, raises
 * the token. Either its own end took effect, which the outcome shows, or a stranger emptied the holder (a frozen elector of
 * client-go does that when it is cancelled), and the end is still to be written.
 */
function isEmptied(record: LeaseRecord, grant: Grant): boolean {
  return record.holder === '' && record.token === grant.token && record.recordId === grant.recordId
}
