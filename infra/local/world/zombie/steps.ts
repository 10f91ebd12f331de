// What happens to a frozen function, step by step, as data: shown to people in words, and to programs as it is.

import type { Answered } from './wire.ts'

/** Which of the invocations. `operator` frees the lease by hand. */
export type Who = 'first' | 'second' | 'operator'

/** An object at the end, and who changed it: nobody, or an invocation with its token. */
export interface Row {
  /** E.g. `debugsessions/prod-netshoot-v4d7`. */
  readonly object: string
  /** Its state, `deleted`, or a Fence's token. */
  readonly now: string
  readonly by: Who | undefined
  readonly token: number | undefined
}

/** What it came to. `sent`, `accepted`: real writes of the first function after it was woken. */
export interface Verdict {
  /** No write of the first function took effect after it was woken. */
  readonly holds: boolean
  readonly firstToken: number
  readonly secondToken: number
  readonly sent: number
  readonly accepted: number
  /** What its tick came to, e.g. `fenced`. */
  readonly outcome: string
  readonly rows: readonly Row[]
}

/** One step; `afterMs` and `forMs` are durations. */
export type Step =
  | { readonly step: 'started'; readonly who: Who; readonly pid: number; readonly keptDays: number }
  | { readonly step: 'request'; readonly request: Answered }
  | { readonly step: 'frozen'; readonly pid: number }
  | { readonly step: 'freed' }
  | { readonly step: 'settling'; readonly forMs: number }
  | { readonly step: 'settled'; readonly afterMs: number }
  | { readonly step: 'woken'; readonly pid: number; readonly afterMs: number }
  | { readonly step: 'ended'; readonly verdict: Verdict }
