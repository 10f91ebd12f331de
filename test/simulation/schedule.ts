// One schedule: a world is made from a seed, played with its faults and its people, calmed, and judged.

import { drawSwarm } from './faults.ts'
import { judge, type Violation } from './invariants.ts'
import type { State } from './work-loop.ts'
import type { LeaseKind } from './world/attempt.ts'
import { createDice, type Dice } from './world/dice.ts'
import type { Label } from './world/names.ts'
import { DEEDS, type Deed, openPeople } from './world/people.ts'
import { type Installation, openPlatform, PERIOD_MS, type Platform } from './world/platform.ts'
import { BEGINNING_MS } from './world/sandbox.ts'
import { createWorld, type World } from './world/world.ts'

/** What became of one seed. */
export interface Verdict {
  readonly seed: number
  readonly violations: readonly Violation[]
  /** What was explored. */
  readonly explored: Readonly<Record<string, number>>
  readonly coverage: ReadonlyMap<string, number>
}

/** Ticks after the faults have stopped: one that may go on from a checkpoint, and one for each step of a session. */
const CALM_TICKS = 4
/** The latest that a delivery comes, periods. */
const LATEST_PERIODS = 2
/** As long as anything can be delayed, and once more. */
const QUIET_PERIODS = 4

/** In which state sessions begin. */
const BEGINNINGS: readonly State[] = ['waiting', 'waiting', 'waiting', 'open', 'closed']

/** Plays one seed. */
export async function play(seed: number, onTrace?: (line: string) => void): Promise<Verdict> {
  const dice = createDice(seed)
  const swarm = drawSwarm(dice)
  const world = createWorld({ dice, swarm, servers: dice.between(2, 3), onTrace })
  const installation = drawInstallation(dice)
  world.trace(() => `seed ${seed} ${JSON.stringify(installation)} rate ${swarm.rate} of ${[...swarm.kinds].join(', ')}`)
  const people = openPeople(world, installation)
  const platform = openPlatform(world, installation)
  people.install()

  const ticks = dice.between(2, 4)
  const wildMs = ticks * PERIOD_MS
  for (let i = dice.between(3, 6); i > 0; i--)
    people.createSession(`session-${i}`, drawTimes(dice, wildMs), dice.pick(BEGINNINGS))
  planDeliveries(world, platform, ticks)
  planDeeds(world, people.do, ticks)
  planFreezes(world, wildMs)
  await world.timeline.playUntil(wildMs)

  // Whatever is still on its way arrives; then people put right what is left.
  world.calm()
  const calmMs = wildMs + QUIET_PERIODS * PERIOD_MS
  await world.timeline.playUntil(calmMs - PERIOD_MS / 2)
  void people.repair()
  const lastTick = calmMs + (CALM_TICKS - 1) * PERIOD_MS
  for (let tickAt = calmMs; tickAt <= lastTick; tickAt += PERIOD_MS) {
    await world.timeline.playUntil(tickAt)
    platform.deliver({ tickAt, requestId: `calm-${tickAt}`, scope: {} })
  }
  await world.timeline.playUntil(lastTick + PERIOD_MS - 1)
  const violations = judge(world, { leaseKind: installation.leaseKind, lastTick: BEGINNING_MS + lastTick })
  return { seed, violations, explored: exploredIn(world), coverage: world.coverage }
}

function drawInstallation(dice: Dice): Installation {
  return {
    leaseKind: dice.pick<LeaseKind>(['kubernetes', 'kubernetes', 'dynamodb']),
    remainingMs: dice.pick([45_000, 60_000, 60_000, 120_000]),
    deadlineMs: dice.pick([1, 1, LATEST_PERIODS]) * PERIOD_MS,
    workers: dice.between(1, 3),
    skewMs: dice.pick([0, 0, 2_000, 20_000]),
    doesKill: dice.chance(0.3),
    isShared: dice.chance(0.3),
    stops: dice.pick([0, 0, 0.3]),
  }
}

function drawTimes(dice: Dice, wildMs: number): number[] {
  const times = [dice.magnitude(1, wildMs), dice.below(wildMs), dice.below(wildMs)].sort((a, b) => a - b)
  return times.map(ms => BEGINNING_MS + ms)
}

/** Ticks at least once: late, twice, out of order, now and then not at all; and runs by hand. */
function planDeliveries(world: World, platform: Platform, ticks: number): void {
  const { dice, timeline } = world
  const mayRepeat = dice.chance(0.6) ? 0.4 : 0
  const mayBeLate = dice.chance(0.5) ? 0.3 : 0
  for (let tick = 0; tick < ticks; tick++) {
    const tickAt = tick * PERIOD_MS
    const requestId = `request-${tick}`
    const deliver = (id: string) => platform.deliver({ tickAt, requestId: id, scope: {} })
    if (mayBeLate > 0 && dice.chance(0.1)) continue
    timeline.after(
      tickAt + dice.below(2_000) + (dice.chance(mayBeLate) ? dice.below(LATEST_PERIODS * PERIOD_MS) : 0),
      () => deliver(requestId),
    )
    // A service that repeats an event keeps its request id; two events for one tick have two.
    while (dice.chance(mayRepeat))
      timeline.after(tickAt + dice.below(LATEST_PERIODS * PERIOD_MS), () =>
        deliver(dice.chance(0.7) ? requestId : `${requestId}-b`),
      )
  }
  if (dice.chance(0.3)) planBurst(world, platform, ticks)
  const mayBeManual = dice.chance(0.4) ? 0.5 : 0
  while (dice.chance(mayBeManual))
    timeline.after(dice.below(ticks) * PERIOD_MS + dice.magnitude(1, PERIOD_MS), () =>
      platform.deliver({
        tickAt: undefined,
        requestId: `hand-${dice.below(1_000_000)}`,
        scope: dice.chance(0.5) ? {} : { names: ['session-1'] },
      }),
    )
}

/** Several runs by hand in a short while, as of somebody who is impatient. */
function planBurst({ dice, timeline }: World, platform: Platform, ticks: number): void {
  const beginsMs = dice.below(ticks * PERIOD_MS)
  for (let run = dice.between(2, 5); run > 0; run--)
    timeline.after(beginsMs + dice.below(25_000), () =>
      platform.deliver({ tickAt: undefined, requestId: `burst-${run}`, scope: {} }),
    )
}

function planDeeds({ dice, timeline, swarm }: World, act: (deed: Deed) => void, ticks: number): void {
  const share = dice.pick([0, 0.1, 0.3])
  // A habit is nothing where nobody comes.
  const isHabit = (...labels: Label[]) => swarm.habits.some(({ label }) => labels.includes(label))
  if (isHabit('advance PUT', 'item advance', 'fence GET'))
    timeline.after(dice.below(ticks - 1) * PERIOD_MS + dice.between(70_000, 200_000), () =>
      act(dice.pick<Deed>(['recreate lease', 'move lease'])),
    )
  if (isHabit('session GET')) swarm.habits.push({ fault: 'conflict', label: 'status PATCH', rate: 0.5, left: 8 })
  for (const deed of DEEDS) {
    if (!dice.chance(deed.endsWith('session') ? 0.4 : share)) continue
    do timeline.after(dice.below(ticks) * PERIOD_MS + dice.magnitude(10, 120_000), () => act(deed))
    while (dice.chance(0.4))
  }
}

/** Servers whose copy of the Fence stops, for longer than W as well. */
function planFreezes({ dice, timeline, servers, swarm }: World, wildMs: number): void {
  if (!swarm.kinds.has('frozen copy') || swarm.rate === 0) return
  for (const { copy } of servers)
    while (dice.chance(0.5))
      timeline.after(dice.below(wildMs), () => {
        copy.freeze()
        timeline.after(dice.magnitude(1_000, 400_000), copy.thaw)
      })
}

function exploredIn({ attempts, store, coverage }: World): Record<string, number> {
  const requests = attempts.reduce((sum, { sent }) => [...sent.values()].reduce((a, b) => a + b, sum), 0)
  const faults = [...coverage].reduce((sum, [key, count]) => (key.includes(' at ') ? sum + count : sum), 0)
  const outcomes = attempts.flatMap(({ outcome }) => (outcome ? [outcome] : []))
  const kinds = (kind: string) => outcomes.filter(outcome => outcome.kind === kind).length
  return {
    schedules: 1,
    invocations: attempts.length,
    requests,
    faults,
    changes: store.log.length,
    completed: kinds('completed'),
    yielded: kinds('yielded'),
    skipped: kinds('skipped'),
    fenced: kinds('fenced'),
    failed: kinds('failed'),
    'take-overs': outcomes.filter(({ tookOverFrom }) => tookOverFrom).length,
    settles: outcomes.filter(({ settled }) => settled).length,
    heals: store.log.filter(({ by }) => typeof by !== 'string' && by.label.includes('advance')).length,
  }
}
