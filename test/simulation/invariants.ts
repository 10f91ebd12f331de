// What must be true of every schedule, as sentences, each held to the store's log and never to what anybody believes.
// An exemption is part of its sentence: it is one that the design names, judged for the single write in question.

import { checkLedger } from './invariants/ledger.ts'
import { checkProgress } from './invariants/progress.ts'
import { checkTells } from './invariants/tells.ts'
import { checkTerms } from './invariants/terms.ts'
import { checkWork } from './invariants/work.ts'
import { readTerms } from './terms.ts'
import type { LeaseKind } from './world/attempt.ts'
import type { World } from './world/world.ts'

/** The invariants, by their short names. */
export const INVARIANTS = {
  'one-completion':
    'In the life of a record a scheduled tick is completed at most once, the completed tick never goes back, and nobody ' +
    'acquires the record for a tick that is not newer.',
  'held-is-held': 'A held record is taken over, by the clock of whoever does it, not before the end of its term.',
  'manual-leaves-ledger': 'A run by hand never changes the completed tick.',
  'own-record': 'Whoever ends or advances a term changes a record that still carries his own term, and no other.',
  'tokens-rise': 'Every acquire gives the record a higher token, and no two terms raise the same token of one record.',
  'raised-by-its-own': 'Who raises the fence raises a token and a holder that he himself wrote into the lease.',
  'settled-reads':
    'Once a raised term has read its first list, no write of a term that was raised before it is committed; except one ' +
    'that a server admitted whose copy of the Fence was more than W behind, or without the policy fence-token, or one of ' +
    'a term that had begun before the Fence was deleted.',
  'settled-long-enough':
    'Between the raise and the first list of a term whose predecessor did not end cleanly lie W + T + E of true time.',
  'drained-is-over':
    'Once a record says that a term is drained, no write of that term or of one raised before it is committed; with the ' +
    'same exemptions.',
  'bound-writes':
    'Every change of a session names the resourceVersion that it changes, and is the next step of that very state.',
  'foreign-edits-survive': 'A change of a session leaves everything but its state as others wrote it.',
  'nothing-lost': 'A session that was opened has its receipt.',
  'as-virtual-user':
    'Work objects are written as the virtual user alone, with the token and the holder that the term has raised.',
  'unguarded-writes-nothing':
    'A term that acquires and ends while the policy fence-token is absent everywhere, or that could not raise, writes nothing.',
  'term-end': 'No write leaves a process after the end of its term, by either clock.',
  'fenced-writes-no-more': 'Who was told that he is overtaken gets no write accepted that he sends later.',
  'fenced-is-told': 'Who was told that he is overtaken, and ends, says `fenced`.',
  'fenced-is-true':
    'Who says `fenced` has lost his record or his place at the fence to somebody, unless the Fence had been deleted before, ' +
    'or he never heard that the token in his record is his own advance.',
  'completed-is-true':
    'Who says `completed` has himself ended his term in the record, with his tick if it was scheduled.',
  'skips-never-throw': 'A tick never throws, whatever happens to it.',
  'clean-tick-calls': 'A tick that nothing hit needs its fixed number of calls and not one more.',
  progress: 'Some ticks after faults and people have stopped, everything due is done and the last tick is completed.',
} as const

/** The short name of an invariant. */
export type Invariant = keyof typeof INVARIANTS

/** An invariant that did not hold. */
export interface Violation {
  readonly invariant: Invariant
  readonly detail: string
}

/** What the last, calm ticks must have reached. */
export interface Goal {
  readonly leaseKind: LeaseKind
  /** Epoch ms. */
  readonly lastTick: number
}

/** Judges a world that has been played. */
export function judge(world: World, goal: Goal): Violation[] {
  const terms = readTerms(world.store.log)
  const violations: Violation[] = [...world.misdeeds]
  const fail = (invariant: Invariant, detail: string) => violations.push({ invariant, detail })
  checkLedger(terms, fail)
  checkTerms(world, terms, fail)
  checkWork(world, terms, fail)
  checkTells(world, terms, fail)
  checkProgress(world, goal, fail)
  return violations
}

/** Takes down a violation. */
export type Fail = (invariant: Invariant, detail: string) => void
