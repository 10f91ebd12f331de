// Raising the fence: the term's token is published where its writes will land, before anything is read. A Fence only ever
// rises, by rules that the API server applies inside its compare-and-swap, so that a raise needs no read, may be repeated,
// and is refused to everyone who was overtaken. It works the same whichever store the lease is in.
//
// Not promised: that a server knows of a raise at once. The settle after an unclean end and the canary cover that.

import { LeaseLostError } from '../errors.ts'
import { type ApiAnswer, type KubernetesApi, pathOf, type RawObject, type Resource } from '../kubernetes/api.ts'
import { readObject } from '../kubernetes/pages.ts'
import { isMine } from '../lease/fenced-lease.ts'
import type { Grant, Lease } from '../lease/lease.ts'
import type { Log } from '../telemetry/log.ts'
import { type Clock, momentIn } from '../time.ts'
import { MENDING, mayNotRaise, missing, unraisable } from './errors.ts'

/** The Fence kind. */
export const FENCE: Resource = {
  group: 'fencepost.dev',
  version: 'v1',
  kind: 'Fence',
  plural: 'fences',
  namespaced: false,
}

/** How often a raise that was refused is healed, or one in conflict sent again, before the tick gives up. */
const MAX_HEALS = 3

/**
 * `enforced`  no write without a proof that the API server refuses an overtaken one
 * `advisory`  writes are fenced where a fence is installed, and nobody checks that one is
 */
export type FenceMode = 'enforced' | 'advisory'

/** What a Fence says; absent until it was first raised. */
export interface FenceSpec {
  readonly token: number
  readonly holder: string
  /** Identity of the lease's record. */
  readonly lease: string
  /** The record that came before, where the record has changed. */
  readonly after?: string
}

/** What a fence is opened with. */
export interface FenceOptions {
  readonly api: KubernetesApi
  /** `<installation>-<loop>`: the Fence's name, and its lease's. */
  readonly name: string
  readonly lease: Pick<Lease, 'address' | 'read' | 'advance'>
  readonly mode: FenceMode
  readonly clock: Clock
  readonly log: Log
}

/** The fence of one loop. */
export interface Fence {
  readonly name: string
  readonly mode: FenceMode
  /**
   * Publishes a term's token and holder; healed where the Fence has seen higher tokens than the record, which a record has
   * that was created anew, restored, or moved to another store.
   *
   * @param advanced told of each grant under a higher token, as soon as the record has it: the term can only be ended under it.
   * @returns the grant, its settle counted from here; after healing under a higher token, and not clean.
   * @throws LeaseLostError – the term was overtaken.
   * @throws FenceError – FenceMissing, unless advisory; FenceForbidden.
   * @throws as `KubernetesApi.request`.
   */
  raise(grant: Grant, signal: AbortSignal, advanced: (grant: Grant) => void): Promise<Grant>
  /** Reads what the Fence says; undefined when there is none, null when it was never raised. */
  read(signal: AbortSignal): Promise<FenceSpec | null | undefined>
}

/** Opens the fence of one loop. */
export function openFence({ api, name, lease, mode, clock, log }: FenceOptions): Fence {
  const path = pathOf(FENCE, { name })

  async function raise(grant: Grant, signal: AbortSignal, advanced: (grant: Grant) => void): Promise<Grant> {
    let mine = grant
    let after: string | undefined
    for (let heals = 0; ; heals++) {
      const isLast = heals === MAX_HEALS
      const answer = await patch(mine, after, isLast ? [403, 404, 422] : [403, 404, 409, 422], signal)
      if (answer.status < 300) return { ...mine, acknowledged: momentIn(0, clock) }
      if (answer.status === 403) throw mayNotRaise(name, answer)
      if (answer.status === 404) {
        if (mode === 'enforced') throw missing(name, answer.body)
        log.warn('fence missing', { fence: name, mode, mending: MENDING })
        return mine
      }
      if (answer.status === 409) continue
      if (isLast) throw unraisable(name)
      const healed = await heal(mine, signal)
      mine = healed.grant
      after = healed.after
      advanced(mine)
    }
  }

  function patch(
    grant: Grant,
    after: string | undefined,
    answers: readonly number[],
    signal: AbortSignal,
  ): Promise<ApiAnswer> {
    const spec: FenceSpec = {
      token: grant.token,
      holder: grant.holder,
      lease: grant.recordId,
      ...(after !== undefined && { after }),
    }
    const contentType = 'application/merge-patch+json'
    const { endsAt } = grant
    return api.request({ method: 'PATCH', path, contentType, body: { spec }, repeat: 'bound', signal, endsAt }, answers)
  }

  /** After a refused raise: overtaken, or the record must rise above what the Fence has seen. */
  async function heal(grant: Grant, signal: AbortSignal): Promise<{ grant: Grant; after: string | undefined }> {
    const record = await lease.read(signal)
    if (!isMine(record, grant)) {
      log.warn('fence not raised', { fence: name, token: grant.token, currentToken: record.token })
      throw new LeaseLostError(
        `${lease.address} was lost before Fence ${name} was raised: token ${grant.token} was overtaken by token ${record.token}`,
      )
    }
    const spec = await read(signal)
    if (spec === undefined) throw missing(name, {})
    if (spec === null) throw unraisable(name)
    log.warn('fence ahead of its lease', { fence: name, lease: lease.address, token: grant.token, seen: spec.token })
    const advanced = await lease.advance(grant, Math.max(grant.token, spec.token) + 1, signal)
    return { grant: advanced, after: spec.lease === grant.recordId ? undefined : spec.lease }
  }

  async function read(signal: AbortSignal): Promise<FenceSpec | null | undefined> {
    const object: (RawObject & { spec?: FenceSpec }) | undefined = await readObject(api, FENCE, { name }, signal)
    return object && (object.spec ?? null)
  }

  return { name, mode, raise, read }
}
