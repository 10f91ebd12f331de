// A decision about one object as plain data, and the few words that decisions are made of.

import { describeMs, toInstant } from '../../../time.ts'
import type { CleanupReason } from './transitions.ts'

/** The changed keys of an object's status, as a merge patch: lists whole, nothing that stays as it is. */
export type StatusPatch = Readonly<Record<string, unknown>>

/** What is to be done with one object. */
export interface Decision {
  /** The state it gets, or `deleted`. */
  readonly to: string
  readonly reason: CleanupReason
  /** For people, e.g. `ended 3 min ago`. */
  readonly note: string
  /** Absent: the object is to be deleted. */
  readonly status?: StatusPatch
}

/** Whether an instant is set and has come: `now >= instant`. */
export function isReached(atMs: number | undefined, nowMs: number): boolean {
  return atMs !== undefined && nowMs >= atMs
}

/** Whether an instant is set and over: `now > instant`. */
export function isPast(atMs: number | undefined, nowMs: number): boolean {
  return atMs !== undefined && nowMs > atMs
}

/** Tells how long ago an instant was, e.g. `3 min ago`; `just now` for this very second. */
export function ago(atMs: number | undefined, nowMs: number): string {
  return atMs === undefined || atMs === nowMs ? 'just now' : `${describeMs(nowMs - atMs)} ago`
}

/** Tells the time of day of an instant, e.g. `07:04:30Z`. */
export function timeOfDay(atMs: number): string {
  return toInstant(atMs).slice('yyyy-mm-ddT'.length)
}
