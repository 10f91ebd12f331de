// The log read as terms: who acquired which record under which token, who raised the fence after whom, and what became of
// the records. Read from the stored objects alone, by a reader of its own.

import type { Attempt, Write } from './world/attempt.ts'
import { FENCE_PATH, ITEM_KEY, LEASE_PATH } from './world/names.ts'
import type { Commit, Stored } from './world/store.ts'

/** What the invariants know of a lease record, whichever store it is in. */
export interface Record {
  readonly id: string
  readonly holder: string
  readonly token: number
  /** Of the current or last term, epoch ms. */
  readonly acquiredAtMs: number
  readonly termEndsAtMs: number
  readonly completedTick: string | undefined
  readonly drained: number | undefined
}

/** A change of a lease record. */
export interface RecordChange {
  readonly position: number
  readonly commit: Commit<Write>
  readonly before: Record | undefined
  readonly after: Record | undefined
}

/** A raise that took effect. */
export interface Raise {
  readonly position: number
  readonly atMs: number
  readonly attempt: Attempt
  readonly token: number
  readonly holder: string
  readonly lease: string
}

/** The log, sorted. */
export interface Terms {
  readonly records: readonly RecordChange[]
  readonly raises: readonly Raise[]
  /** An attempt's raise; the last one, if the Fence was created anew between two. */
  readonly raiseOf: ReadonlyMap<Attempt, Raise>
  /** Positions at which a Fence was deleted. */
  readonly fenceDeletions: readonly number[]
  /** Changes that attempts made to work objects. */
  readonly works: readonly { readonly position: number; readonly commit: Commit<Write>; readonly by: Write }[]
}

/** Sorts the log. */
export function readTerms(log: readonly Commit<Write>[]): Terms {
  const records: RecordChange[] = []
  const raises: Raise[] = []
  const fenceDeletions: number[] = []
  const works: { position: number; commit: Commit<Write>; by: Write }[] = []
  for (const [position, commit] of log.entries()) {
    const { key, before, after, by } = commit
    if (key === LEASE_PATH || key === ITEM_KEY)
      records.push({ position, commit, before: recordOf(before), after: recordOf(after) })
    else if (key === FENCE_PATH) {
      if (!after) fenceDeletions.push(position)
      else if (typeof by !== 'string') raises.push({ position, atMs: commit.atMs, attempt: by.attempt, ...after.spec })
    } else if (typeof by !== 'string') works.push({ position, commit, by })
  }
  return { records, raises, raiseOf: new Map(raises.map(raise => [raise.attempt, raise])), fenceDeletions, works }
}

function recordOf(stored: Stored | undefined): Record | undefined {
  if (!stored) return undefined
  const { item, spec = {}, metadata } = stored
  if (item) {
    const acquiredAtMs = Number(item.acquiredAtMs?.N ?? 0)
    return {
      acquiredAtMs,
      termEndsAtMs: acquiredAtMs + Number(item.leaseDurationMs?.N ?? 0),
      id: item.recordId?.S,
      holder: item.holderIdentity?.S ?? '',
      token: Number(item.fencingToken?.N ?? 0),
      completedTick: item.completedTick?.S,
      drained: item.drained === undefined ? undefined : Number(item.drained.N),
    }
  }
  const notes = metadata.annotations ?? {}
  const drained = notes['fencepost.dev/drained']
  return {
    acquiredAtMs: Date.parse(spec.acquireTime ?? 0),
    termEndsAtMs: Date.parse(spec.renewTime ?? 0) + (spec.leaseDurationSeconds ?? 0) * 1_000,
    id: metadata.uid,
    holder: spec.holderIdentity ?? '',
    token: spec.leaseTransitions ?? 0,
    completedTick: notes['fencepost.dev/completed-tick'],
    drained: drained === undefined ? undefined : Number(drained),
  }
}
