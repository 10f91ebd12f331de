// What one API server knows of the Fence and of the policies: a copy that follows the store, late by up to W, or not at
// all while it is frozen. Of what it has not heard it knows nothing; what it judges by is exactly this copy.

import type { Dice } from './dice.ts'
import { LAG_MS } from './names.ts'
import type { Stored } from './store.ts'
import type { Timeline } from './timeline.ts'

/** Which policies there are. */
export interface Policies {
  readonly form: boolean
  readonly token: boolean
}

/** The copy of one server. */
export interface FenceCopy {
  fence(): Stored | undefined
  policies(): Policies
  /** By how long the copy of the Fence is behind, ms: since when there is a change that it has not heard of. */
  behindMs(): number
  hearFence(fence: Stored | undefined): void
  hearPolicies(policies: Policies): void
  freeze(): void
  thaw(): void
  isFrozen(): boolean
}

/** Makes a copy that knows everything so far; `lateness` is the share of news that comes as late as it may. */
export function createFenceCopy(timeline: Timeline, dice: Dice, lateness: number): FenceCopy {
  const unheard: { readonly sinceMs: number; readonly fence: Stored | undefined; isDue: boolean }[] = []
  let fence: Stored | undefined
  let policies: Policies = { form: true, token: true }
  let isFrozen = false

  /** Watch events come in order, so that a quick one waits for a slow one before it. */
  function watch(): () => number {
    let lastDueMs = 0
    return () => {
      const [usual, slow] = [dice.magnitude(1, 60), dice.between(1, LAG_MS)]
      lastDueMs = Math.max(lastDueMs, timeline.nowMs() + (dice.chance(lateness) ? slow : usual))
      return lastDueMs - timeline.nowMs()
    }
  }
  const fenceLagMs = watch()
  const policyLagMs = watch()

  function catchUp(): void {
    while (!isFrozen && unheard[0]?.isDue) fence = unheard.shift()?.fence
  }

  return {
    fence: () => fence,
    policies: () => policies,
    behindMs: () => (unheard[0] ? timeline.nowMs() - unheard[0].sinceMs : 0),
    hearFence(heard) {
      const news = { sinceMs: timeline.nowMs(), fence: heard, isDue: false }
      unheard.push(news)
      timeline.after(fenceLagMs(), () => {
        news.isDue = true
        catchUp()
      })
    },
    hearPolicies(heard) {
      timeline.after(policyLagMs(), () => {
        policies = heard
      })
    },
    freeze: () => {
      isFrozen = true
    },
    thaw: () => {
      isFrozen = false
      catchUp()
    },
    isFrozen: () => isFrozen,
  }
}
