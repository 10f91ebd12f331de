// One simulated world: the store, the API servers over it, the table, what goes wrong, and the facts about what happened.
// Everything random comes from one seed.

import type { Fault, Swarm } from '../faults.ts'
import { drawFault } from '../faults.ts'
import type { ServerTools } from './api-server.ts'
import type { Attempt, Write } from './attempt.ts'
import type { Dice } from './dice.ts'
import { createFenceCopy, type FenceCopy, type Policies } from './fence-copy.ts'
import { FENCE_PATH, ITEM_KEY, type Label } from './names.ts'
import type { Sandbox } from './sandbox.ts'
import { createStore, type Store, type Stored } from './store.ts'
import { createTable, type Table } from './table.ts'
import { createTimeline, type Timeline } from './timeline.ts'
import type { Answer, Asked } from './verbs.ts'

/** An API server and its copy of the Fence. */
export type Server = ServerTools<Write> & { readonly copy: FenceCopy }

/** Something that is wrong with what an attempt did, seen as it was done. */
export interface Misdeed {
  readonly invariant: 'term-end' | 'skips-never-throw'
  readonly detail: string
}

/** One world. */
export interface World {
  readonly dice: Dice
  readonly timeline: Timeline
  readonly store: Store<Write>
  readonly table: Table
  readonly servers: readonly Server[]
  readonly swarm: Swarm
  readonly attempts: Attempt[]
  readonly misdeeds: Misdeed[]
  /** How often each fault hit each await point, as `fault at label`, and each await point was reached, as `label`. */
  readonly coverage: Map<string, number>
  /** While the policy fence-token was not there: from, to. */
  readonly unguarded: { readonly fromMs: number; toMs: number }[]
  /** Ends all that goes wrong by the dice. */
  calm(): void
  isCalm(): boolean
  hit(attempt: Attempt, label: Label): Fault | undefined
  noteHit(attempt: Attempt, fault: Fault, label: Label): void
  noteSent(attempt: Attempt, label: Label, asked: Asked): void
  noteTerm(attempt: Attempt, wallEndsAtMs: number, termMs: number): void
  noteCount(attempt: Attempt, label: Label): void
  noteRead(attempt: Attempt, asked: Asked): void
  noteAnswer(attempt: Attempt, answer: Answer): void
  /** The server that an attempt's next request goes to. */
  route(attempt: Attempt, isAnother: boolean): Server
  freeze(sandbox: Sandbox): void
  /** Runs something when it hurts: often as another one has just raised the fence. */
  atBadMoment(run: () => void): void
  /** Somebody else changes an object. */
  meddle(key: string): void
  setPolicies(policies: Policies): void
  trace(line: () => string): void
}

/** What a world is made with. */
export interface WorldOptions {
  readonly dice: Dice
  readonly swarm: Swarm
  readonly servers: number
  readonly onTrace: ((line: string) => void) | undefined
}

const LONGEST_MS = 600_000

/** Makes an empty world. */
export function createWorld({ dice, swarm, servers: count, onTrace }: WorldOptions): World {
  const timeline = createTimeline()
  const store = createStore<Write>(timeline)
  const rests = new Map<string, Stored[]>()
  const lateness = dice.pick([0.1, 0.4, 1])
  const servers = Array.from({ length: count }, (_, index) => ({
    index,
    timeline,
    dice,
    store,
    rests,
    copy: createFenceCopy(timeline, dice, lateness),
  }))
  const coverage = new Map<string, number>()
  const afterRaise: { readonly run: () => void; readonly raises: number }[] = []
  const routes = new Map<Sandbox, Server>()
  const unguarded: { fromMs: number; toMs: number }[] = []
  const misdeeds: Misdeed[] = []
  let isCalm = false
  let marks = 0

  store.onCommit(({ key, after, by }) => {
    trace(
      () =>
        `store ${key} ${after ? JSON.stringify(after.spec ?? after.item ?? after.status) : 'removed'} by ${authorOf(by)}`,
    )
    if (key !== FENCE_PATH) return
    for (const { copy } of servers) copy.hearFence(after)
    for (const { run, raises } of afterRaise.splice(0))
      if (raises > 1) afterRaise.push({ run, raises: raises - 1 })
      else timeline.after(dice.chance(0.7) ? dice.magnitude(1, 5_000) : dice.below(20_000), run)
  })

  function trace(line: () => string): void {
    onTrace?.(`${(timeline.nowMs() / 1_000).toFixed(3).padStart(9)} ${line()}`)
  }

  function count1(key: string): void {
    coverage.set(key, (coverage.get(key) ?? 0) + 1)
  }

  const world: World = {
    dice,
    timeline,
    store,
    table: createTable((before, after, by) => store.note(ITEM_KEY, before, after, by)),
    servers,
    swarm,
    attempts: [],
    misdeeds,
    coverage,
    unguarded,
    calm: () => {
      isCalm = true
      for (const { copy } of servers) copy.thaw()
    },
    isCalm: () => isCalm,
    hit(attempt, label) {
      count1(label)
      if (isCalm || attempt.isSpared || attempt.sandbox.isDead()) return undefined
      const fault = drawFault(swarm, label, dice)
      if (fault) world.noteHit(attempt, fault, label)
      return fault
    },
    noteHit(attempt, fault, label) {
      attempt.faults++
      count1(`${fault} at ${label}`)
      trace(() => `! ${fault} at ${label} of attempt ${attempt.id}`)
    },
    noteCount(attempt, label) {
      attempt.sent.set(label, (attempt.sent.get(label) ?? 0) + 1)
    },
    noteTerm(attempt, wallEndsAtMs, termMs) {
      attempt.term = { wallEndsAtMs, monotonicEndsAtMs: attempt.sandbox.clock.monotonicMs() + termMs }
    },
    noteSent(attempt, label, asked) {
      world.noteCount(attempt, label)
      trace(() => `sandbox ${attempt.sandbox.index} attempt ${attempt.id} ${label} ->`)
      if (label === 'acquire PUT') {
        const { acquireTime, leaseDurationSeconds } = asked.body.spec
        world.noteTerm(attempt, Date.parse(acquireTime) + leaseDurationSeconds * 1_000, leaseDurationSeconds * 1_000)
      }
      const isWork = asked.user.startsWith('fencepost:fencepost-')
      const { wallMs, monotonicMs } = attempt.sandbox.clock
      if (!isWork || !attempt.term) return
      if (wallMs() > attempt.term.wallEndsAtMs || monotonicMs() > attempt.term.monotonicEndsAtMs)
        misdeeds.push({ invariant: 'term-end', detail: `attempt ${attempt.id} sent ${label} after its term` })
    },
    noteRead(attempt, { query }) {
      if (query.has('limit')) attempt.firstRead ??= { position: store.log.length, atMs: timeline.nowMs() }
    },
    noteAnswer(attempt, { status, body }) {
      if (status !== 403 || attempt.overtaken !== undefined) return
      const told = /fence-token: token=(\d+) current=(\d+)/.exec((body as { message: string }).message)
      if (told && Number(told[2]) > Number(told[1])) attempt.overtaken = store.log.length
    },
    route({ sandbox }, isAnother) {
      const known = routes.get(sandbox)
      if (known && !isAnother && !dice.chance(0.05)) return known
      const chosen = dice.pick(servers.filter(server => server !== known || !isAnother))
      routes.set(sandbox, chosen)
      return chosen
    },
    freeze(sandbox) {
      sandbox.freeze(dice.chance(0.5))
      trace(() => `sandbox ${sandbox.index} freezes`)
      world.atBadMoment(() => {
        trace(() => `sandbox ${sandbox.index} thaws`)
        sandbox.thaw()
      })
    },
    atBadMoment(run) {
      let isDone = false
      const once = () => {
        if (!isDone) run()
        isDone = true
      }
      if (dice.chance(0.7)) afterRaise.push({ run: once, raises: dice.chance(0.8) ? 1 : 2 })
      timeline.after(dice.magnitude(500, LONGEST_MS), once)
    },
    meddle(key) {
      const mark = `team.example/mark-${++marks}`
      store.change(key, 'foreigner', object => ({
        ...object,
        metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, [mark]: 'true' } },
      }))
    },
    setPolicies(policies) {
      const last = unguarded.at(-1)
      const isUnguarded = last?.toMs === Number.POSITIVE_INFINITY
      if (!policies.token && !isUnguarded) unguarded.push({ fromMs: timeline.nowMs(), toMs: Number.POSITIVE_INFINITY })
      if (policies.token && isUnguarded) last.toMs = timeline.nowMs()
      for (const { copy } of servers) copy.hearPolicies(policies)
      trace(() => `policies ${JSON.stringify(policies)}`)
    },
    trace,
  }
  return world
}

function authorOf(by: Write | string): string {
  return typeof by === 'string' ? by : `attempt ${by.attempt.id} (${by.label})`
}
