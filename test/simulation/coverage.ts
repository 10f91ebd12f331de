// Which faults hit which await points, and how often. A pair that can occur and hardly did makes a large run fail: what was
// not tried was not tested.

import { FAULTS, type Fault, whyImpossible } from './faults.ts'
import { COMMANDS, type Label, REQUESTS, SLEEPS } from './world/names.ts'

/** How often each pair must have been hit in a run that is large enough. */
export const ENOUGH = 100
/** From how many schedules on a run is large enough. */
export const LARGE = 100_000

/** One fault at one await point. */
export interface Pair {
  readonly fault: Fault
  readonly label: Label
  readonly hits: number
  /** Why it can't occur. */
  readonly impossible?: string
}

/** All await points. */
export const LABELS: readonly Label[] = [...REQUESTS, ...COMMANDS, ...SLEEPS]

/** All pairs with their hits; `counts` as the world keeps them. */
export function pairsOf(counts: ReadonlyMap<string, number>): Pair[] {
  return (Object.keys(FAULTS) as Fault[]).flatMap(fault =>
    LABELS.map(label => {
      const impossible = whyImpossible(fault, label)
      const hits = counts.get(`${fault} at ${label}`) ?? 0
      return { fault, label, hits, ...(impossible !== undefined && { impossible }) }
    }),
  )
}

/** The pairs that can occur and did not often enough. */
export function missed(pairs: readonly Pair[]): Pair[] {
  return pairs.filter(({ hits, impossible }) => impossible === undefined && hits < ENOUGH)
}

/** Pairs that were said to be impossible and occurred all the same. */
export function surprises(pairs: readonly Pair[]): Pair[] {
  return pairs.filter(({ hits, impossible }) => impossible !== undefined && hits > 0)
}

/** The reasons why pairs can't occur, each with its pairs. */
export function reasons(pairs: readonly Pair[]): { readonly why: string; readonly pairs: readonly Pair[] }[] {
  const whys = [...new Set(pairs.flatMap(({ impossible }) => impossible ?? []))]
  return whys.map(why => ({ why, pairs: pairs.filter(({ impossible }) => impossible === why) }))
}
