// What may go wrong, where, and how often in one seed. Each seed draws a random part of the kinds and a rate, so that some
// worlds are calm, some have one trouble many times, and some have all at once.

import type { Dice } from './world/dice.ts'
import { COMMANDS, type Label, REQUESTS, SLEEPS } from './world/names.ts'

/** Every kind of fault, with what it means. */
export const FAULTS = {
  pause: 'the sandbox freezes before the request leaves, or in the sleep',
  'pause at answer': 'the sandbox freezes as the answer arrives',
  kill: 'the sandbox dies before the request leaves, or in the sleep',
  'kill at answer': 'the sandbox dies when the request took effect and before it hears so',
  'answer lost': 'the request took effect and no answer arrives',
  'request lost': 'the request arrives nowhere',
  'request delayed': 'the request arrives after its sender gave up',
  'request duplicated': 'the request arrives twice',
  'late commit': 'the write is admitted, and committed up to T + E later',
  conflict: 'somebody else changes the very object just before',
  throttled: 'too many requests, with a time to wait where there is one',
  'error after commit': 'the write took effect and is answered by an error',
  unavailable: 'an error before anything was done',
  'connection refused': 'nobody listens',
  'other server': 'the load balancer turns to another API server',
  'frozen copy': 'the API server that is asked has stopped following the Fence',
  'clock step': 'the wall clock jumps by up to an hour, ahead or back',
  expired: 'the continue token of a list is too old',
} as const

/** The name of a kind of fault. */
export type Fault = keyof typeof FAULTS

const WRITES: readonly Label[] = [
  'acquire PUT',
  'advance PUT',
  'complete PUT',
  'fence PATCH',
  'status PATCH',
  'session DELETE',
  'receipt POST',
  'event POST',
]
const BOUND: readonly Label[] = ['acquire PUT', 'advance PUT', 'complete PUT', 'status PATCH', 'session DELETE']

const includes = (list: readonly string[], label: Label) => list.includes(label)
const isSleep = (label: Label) => includes(SLEEPS, label)
const isCommand = (label: Label) => includes(COMMANDS, label)
const isRequest = (label: Label) => includes(REQUESTS, label)
const isRead = (label: Label) => isRequest(label) && !includes(WRITES, label)

/** Why a kind of fault can't happen at an await point; undefined where it can. The first rule that applies is told. */
const IMPOSSIBLE: readonly {
  readonly faults: readonly Fault[]
  readonly at: (label: Label) => boolean
  readonly why: string
}[] = [
  {
    faults: (Object.keys(FAULTS) as Fault[]).filter(fault => !['pause', 'kill', 'clock step'].includes(fault)),
    at: isSleep,
    why: 'nothing is sent in a sleep',
  },
  { faults: ['late commit', 'error after commit'], at: isRead, why: 'it commits nothing' },
  { faults: ['error after commit'], at: label => label === 'item read', why: 'it commits nothing' },
  { faults: ['conflict'], at: label => isRequest(label) && !includes(BOUND, label), why: 'it is bound to no revision' },
  { faults: ['conflict'], at: isCommand, why: 'its conditions name no revision; operators and attempts contend in it' },
  {
    faults: ['other server', 'frozen copy', 'connection refused', 'late commit'],
    at: isCommand,
    why: 'the table is one address without copies, and answers when it has committed',
  },
  { faults: ['expired'], at: label => label !== 'list', why: 'only lists have a continue token' },
]

/** Why `fault` can't hit `label`; undefined where it can. */
export function whyImpossible(fault: Fault, label: Label): string | undefined {
  return IMPOSSIBLE.find(({ faults, at }) => faults.includes(fault) && at(label))?.why
}

/** The kinds that can hit an await point by a throw of the dice; a frozen copy is a state of a server and hits by itself. */
const CANDIDATES = new Map(
  [...REQUESTS, ...COMMANDS, ...SLEEPS].map(label => [
    label as Label,
    (Object.keys(FAULTS) as Fault[]).filter(
      fault => fault !== 'frozen copy' && whyImpossible(fault, label) === undefined,
    ),
  ]),
)

/** A fault that hits one kind of await point again and again, until it has hit often enough. */
export interface Habit {
  readonly fault: Fault
  readonly label: Label
  readonly rate: number
  left: number
}

/** The faults of one seed. */
export interface Swarm {
  /** The share of await points at which something goes wrong. */
  readonly rate: number
  readonly kinds: ReadonlySet<Fault>
  readonly habits: Habit[]
}

const RATES = [0, 0.005, 0.02, 0.05, 0.1, 0.2]
const ALL_LABELS: readonly Label[] = [...REQUESTS, ...COMMANDS, ...SLEEPS]
/** Where a late effect does harm. */
const WORK: readonly Label[] = ['status PATCH', 'session DELETE', 'receipt POST', 'event POST']
const LATE: readonly Fault[] = [
  'pause',
  'request delayed',
  'late commit',
  'answer lost',
  'pause at answer',
  'request lost',
]

/** Draws the faults of a seed. */
export function drawSwarm(dice: Dice): Swarm {
  const share = dice.pick([0.15, 0.4, 0.8])
  const kinds = (Object.keys(FAULTS) as Fault[]).filter(() => dice.chance(share))
  const habits: Habit[] = []
  while (dice.chance(0.6) && habits.length < 3) habits.push(drawHabit(dice))
  return { rate: dice.pick(RATES), kinds: new Set(kinds), habits }
}

/** Await points that a schedule comes to only after something else went wrong. */
export const RARE: readonly Label[] = ['advance PUT', 'fence GET', 'item advance', 'session GET', 'session DELETE']

function drawHabit(dice: Dice): Habit {
  const isLate = dice.chance(0.5)
  const label = dice.pick(isLate ? WORK : dice.chance(0.5) ? RARE : ALL_LABELS)
  const fault = dice.pick(isLate ? LATE : (CANDIDATES.get(label) as Fault[]))
  return { fault, label, rate: dice.pick([0.2, 0.5, 1]), left: dice.magnitude(1, 12) }
}

/** What goes wrong at an await point, if anything. */
export function drawFault({ rate, kinds, habits }: Swarm, label: Label, dice: Dice): Fault | undefined {
  for (const habit of habits)
    if (habit.label === label && habit.left > 0 && dice.chance(habit.rate)) {
      habit.left--
      return habit.fault
    }
  if (rate === 0 || !dice.chance(rate)) return undefined
  const candidates = (CANDIDATES.get(label) as Fault[]).filter(fault => kinds.has(fault))
  return candidates.length > 0 ? dice.pick(candidates) : undefined
}
