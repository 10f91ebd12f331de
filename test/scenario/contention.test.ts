// The one promise everything rests on: however often a tick is delivered, one delivery acts.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Child, startChild } from '../support/child.ts'
import { T0 } from '../support/clock.ts'
import type { Round, RoundResult } from '../support/contender.ts'
import { readFence } from '../support/requests.ts'
import { type LeaseKind, startWorld, type World } from '../support/world.ts'

const ROUNDS = 200
const PERIOD = 300_000
/** 50 deliveries over 8 processes. */
const SHARES = [7, 7, 6, 6, 6, 6, 6, 6]

describe.each<LeaseKind>(['kubernetes', 'dynamodb'])(
  '50 deliveries of one tick from 8 processes, with the %s lease',
  lease => {
    let world: World
    let children: Child[]
    let nowMs = T0

    beforeAll(async () => {
      world = await startWorld(['contention'], () => nowMs)
      children = SHARES.map(() => startChild('./contender.ts', world.environment(lease)))
      await Promise.all(children.map(child => child.next()))
    }, 120_000)
    afterAll(async () => {
      await Promise.all(children.map(child => child.kill()))
      await world.close()
    })

    it(`have exactly one actor in each of ${ROUNDS} rounds, one token and one completion; the Fence ends at the last token`, {
      timeout: 300_000,
    }, async () => {
      for (let round = 0; round < ROUNDS; round++) {
        const tickAtMs = T0 + round * PERIOD
        nowMs = tickAtMs
        for (const [i, child] of children.entries())
          child.send({ tickAtMs, deliveries: SHARES[i] as number } satisfies Round)
        const results = await Promise.all(children.map(child => child.next<RoundResult>()))
        const outcomes = results.flatMap(result => result.outcomes)
        expect(results.reduce((sum, { acts }) => sum + acts, 0)).toBe(1)
        expect(outcomes.length).toBe(50)
        expect(outcomes.filter(outcome => outcome === 'completed').length).toBe(1)
        expect(outcomes.filter(outcome => outcome === 'held' || outcome === 'already-completed').length).toBe(49)
        expect(await world.record(lease, 'contention')).toMatchObject({
          token: round + 1,
          holder: '',
          drained: round + 1,
          completedTick: new Date(tickAtMs).toISOString().replace('.000', ''),
        })
      }
      const { LEADER_ELECT_ID } = world.environment(lease)
      const { recordId } = await world.record(lease, 'contention')
      expect(await readFence(world.api, `${LEADER_ELECT_ID}-contention`)).toMatchObject({
        token: ROUNDS,
        lease: recordId,
      })
    })
  },
)
