// What a part of the benchmark hands on: plain values, so that a terminal, a document and a program get the same.

import type { Progress } from './progress.ts'
import type { Spread } from './statistics.ts'

/** A figure or a word in a table. */
export type Cell = string | number | Spread

/** A table; the first column names what the others measure. */
export interface Table {
  readonly title: string
  readonly columns: readonly string[]
  readonly rows: readonly (readonly Cell[])[]
}

/** What a number is to be, and whether it is. */
export interface Aim {
  readonly aim: string
  readonly measured: string
  readonly isMet: boolean
  /** What it would take to meet it; told only where it is missed. */
  readonly wouldTake?: string
}

/** What one part measured. */
export interface Report {
  readonly title: string
  /** How it was measured, in a sentence or two. */
  readonly how: string
  readonly tables: readonly Table[]
  readonly aims: readonly Aim[]
  /** What dominates the numbers. */
  readonly dominates: string
}

/** What a part is run with. */
export interface Setting {
  /** Tiny sizes, for trying the benchmark itself. */
  readonly isQuick: boolean
  /** Whether real servers may be started. */
  readonly isReal: boolean
  /** A JSON file whose prices count instead of the ones here. */
  readonly prices: string | undefined
  readonly progress: Progress
}

/** One part of the benchmark. */
export type Part = (setting: Setting) => Promise<Report>
