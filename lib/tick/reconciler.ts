// The contract of a loop: observe (reads only), plan (pure), apply (writes). The tick calls these three and nothing else.
// A reconciler never sees the lease store. Whatever it plans must be a function of the object's own state, so that an
// action that comes late is refused by its resourceVersion or still right, and a page may be planned again from fresh reads.

import type { ObjectWriter } from '../fence/writer.ts'
import type { CheckpointCodec } from './checkpoint.ts'

/** One planned write, as data that a dry run can print. Loops add what they need to carry it out. */
export interface Action {
  /** The object it is about, `namespace/name`, or `name` where there is no namespace. */
  readonly object: string
  /** The object's state as it was observed. */
  readonly from: string
  /** The state it gets; `deleted` when the object goes. */
  readonly to: string
  /** A stable CamelCase or camelCase word: why. */
  readonly reason: string
  /** One short phrase for people, e.g. `ended 3 min ago`. */
  readonly note: string
}

/** An object that could not be read or acted on; the others go on, and the tick fails at its end so that alarms see it. */
export interface ObjectFailure {
  readonly object: string
  /** Stable code of the failure, see `errorCode`. */
  readonly code: string
  /** Safe to log; see `errorMessage`. */
  readonly message: string
}

/** One batch of reads. */
export interface Page<Item, Cursor> {
  /** Observing from here sees this page again. */
  readonly cursor: Cursor
  readonly items: readonly Item[]
  /** Objects of this page that can't be understood; never planned for, never dropped silently. */
  readonly broken: readonly ObjectFailure[]
}

/** What a manual run narrows the loop to; an empty scope is the whole loop. */
export interface Scope {
  readonly namespace?: string
  /** Names of objects, at least one when present. */
  readonly names?: readonly string[]
}

/** What `observe` may use. */
export interface Observation<Cursor, Memory = undefined> {
  /** Where an earlier tick stopped; undefined starts at the beginning. */
  readonly from: Cursor | undefined
  /** What the last whole pass returned; undefined when there was none, and in a run that is narrowed. */
  readonly memory?: Memory | undefined
  readonly scope: Scope
  /** The tick's one `now`, epoch ms at a whole second. */
  readonly nowMs: number
  readonly signal: AbortSignal
}

/** What one `apply` may use. */
export interface Application {
  /** The way to write, valid for this term. */
  readonly writer: ObjectWriter
  /** The tick's one `now`, epoch ms at a whole second. */
  readonly nowMs: number
  /**
   * Makes sure that the term was not overtaken; to be called after a conflict, before a live read is judged, since whoever
   * changed the object may be the successor, and a write that is bound to its work would be accepted by a server that lags.
   * @throws LeaseLostError
   */
  confirm(): Promise<void>
  /** Aborted when the drain of the tick's budget begins; a write cut off by it has an unknown outcome. */
  readonly signal: AbortSignal
}

/** `changed`: the write took effect. `unchanged`: a fresh look showed that nothing was to do any more. */
export type Applied = 'changed' | 'unchanged'

/**
 * One loop.
 *
 * `Item` is what it reads, `Act` what it plans, `Cursor` where it continues, `Memory` what one whole pass leaves for the
 * next (both JSON, small).
 */
export interface Reconciler<Item, Act extends Action, Cursor, Memory = undefined> {
  /** The loop's name: part of its lease's name, of log lines and of metrics. Lower-case words joined by `-`. */
  readonly name: string
  readonly checkpoint: CheckpointCodec<Cursor, Memory>
  /**
   * Reads, page by page, in an order that `from` can be found again in; what it returns after its last page is what the
   * next pass is given as its memory.
   */
  // biome-ignore lint/suspicious/noConfusingVoidType: a generator that returns nothing returns void.
  observe(observation: Observation<Cursor, Memory>): AsyncIterable<Page<Item, Cursor>, Memory | void>
  /** Decides; pure. */
  plan(page: Page<Item, Cursor>, nowMs: number): Act[]
  /**
   * Writes one action, bound to the state it was planned on; re-plans from a live read after a conflict.
   * @throws whatever failed; the tick records it as this object's failure and goes on, unless the lease was lost.
   */
  apply(action: Act, application: Application): Promise<Applied>
}

/** A reconciler whose types no caller needs to know. */
// biome-ignore lint/suspicious/noExplicitAny: the tick hands items, actions and cursors through without looking inside.
export type AnyReconciler = Reconciler<any, any, any, any>
