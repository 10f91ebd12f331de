// The price of the fence: the same ticks with it and without it.

import { startChild } from '../../support/child.ts'
import { withEmbedded } from '../embedded.ts'
import type { Ask, Purpose, Ticked, Told } from '../processes/fenced.ts'
import { withReal } from '../real.ts'
import type { Aim, Report, Setting, Table } from '../report.ts'
import { ratios, type Spread, spreadOf } from '../statistics.ts'

/** On a real API server: the embedded one's evaluator is a library that nobody installs. */
const AIM = 1.5

/** One round: both ways, one right after the other. */
interface Round {
  readonly fenced: Told
  readonly bare: Told
}

/** What was measured on one server. */
interface Measured {
  readonly server: string
  readonly rounds: readonly Round[]
}

/** Calls and milliseconds per write and per tick, with the fence and without. */
export async function fence(setting: Setting): Promise<Report> {
  const size = setting.isQuick ? { due: 5, rounds: 2, warmUps: 1 } : { due: 20, rounds: 20, warmUps: 4 }
  const measured = [
    await withEmbedded(servers => {
      const { KUBECONFIG } = servers.environment('kubernetes') as { KUBECONFIG: string }
      return measure('embedded API', { KUBECONFIG, ADMINISTRATOR: KUBECONFIG }, size, setting)
    }),
  ]
  if (setting.isReal)
    measured.push(
      await withReal(server =>
        measure('kube-apiserver', { KUBECONFIG: server.function, ADMINISTRATOR: server.administrator }, size, setting),
      ),
    )
  const [{ rounds }] = measured as [Measured]
  const { fenced, bare } = rounds[0] as Round
  return {
    title: 'The price of the fence',
    how:
      'Whole ticks of cleanup by the same code, one write after the other: with the policies in force, the Fence raised, canaries sent and writes as the virtual user; and without ' +
      `any of these, under the function's own name. In each of ${size.rounds} rounds both ways run one right after the other, each a tick with nothing due and one with ${size.due} due ` +
      `(who is first alternates, ${size.warmUps} rounds before them don't count). Ratios are taken round by round, of the median request of each. The server is another process.`,
    tables: [callTable(fenced, bare, size.due), ...measured.map(timeTable)],
    aims: [callAim(fenced, bare, size.due), ...measured.slice(1).map(timeAim)],
    dominates:
      'For a write the policies, which the API server evaluates; the headers and the right to impersonate are checked in memory. For a tick that ' +
      'changes nothing the raise, a write of its own; for one that changes something the canaries besides, one for each kind of write, however many follow.',
  }
}

async function measure(
  server: string,
  environment: Record<string, string>,
  { due, rounds, warmUps }: { due: number; rounds: number; warmUps: number },
  { progress }: Setting,
): Promise<Measured> {
  progress.begin(`fence, ${server}`, rounds + warmUps)
  const child = startChild('../bench/processes/fenced.ts', environment)
  try {
    await child.next()
    const ask = async (isFenced: boolean) => {
      child.send({ isFenced, due } satisfies Ask)
      return await child.next<Told>()
    }
    const found: Round[] = []
    for (let round = 0; round < rounds + warmUps; round++) {
      // Alternating, so that the policies come and go once a round.
      const isFencedFirst = round % 2 === 0
      const first = await ask(isFencedFirst)
      const second = await ask(!isFencedFirst)
      if (round >= warmUps)
        found.push(isFencedFirst ? { fenced: first, bare: second } : { fenced: second, bare: first })
      progress.step()
    }
    return { server, rounds: found }
  } finally {
    await child.kill('SIGTERM')
  }
}

const callsOf = ({ requests }: Ticked) => Object.values(requests).reduce((sum, { length }) => sum + length, 0)
const perChange = ({ idle, due }: Told, count: number) =>
  (callsOf(due) - callsOf(idle) - due.requests.canary.length) / count

function callTable(fenced: Told, bare: Told, count: number): Table {
  const row = (name: string, of: (told: Told) => number) => [name, of(fenced), of(bare), of(fenced) - of(bare)]
  return {
    title: 'Calls',
    columns: ['', 'with', 'without', 'more'],
    rows: [
      row('a tick that changes nothing', ({ idle }) => callsOf(idle)),
      row(`a tick that changes ${count} sessions`, ({ due }) => callsOf(due)),
      row('of these raises', ({ due }) => due.requests.raise.length),
      row('of these canaries', ({ due }) => due.requests.canary.length),
      row('for each changed session: its write and its Event', told => perChange(told, count)),
    ],
  }
}

const medianOf = (measuredMs: readonly number[]) => spreadOf(measuredMs, 'ms').median

/** A median a round, with the fence and without. */
function compare({ rounds }: Measured, of: (told: Told) => number): { with: Spread; without: Spread; ratio: Spread } {
  const fenced = rounds.map(round => of(round.fenced))
  const bare = rounds.map(round => of(round.bare))
  return { with: spreadOf(fenced, 'ms'), without: spreadOf(bare, 'ms'), ratio: spreadOf(ratios(fenced, bare), 'x') }
}

const median = (purpose: Purpose) => (told: Told) => medianOf(told.due.requests[purpose])

function timeTable(measured: Measured): Table {
  const row = (name: string, of: (told: Told) => number) => {
    const found = compare(measured, of)
    return [name, found.with, found.without, found.ratio]
  }
  const alone = (name: string, purpose: Purpose) => [
    name,
    spreadOf(
      measured.rounds.map(({ fenced }) => median(purpose)(fenced)),
      'ms',
    ),
    '',
    '',
  ]
  return {
    title: `Time, ${measured.server}`,
    columns: ['', 'with', 'without', 'with / without'],
    rows: [
      row('a patch of a status', median('status')),
      row('a create of an Event', median('event')),
      alone('the raise', 'raise'),
      alone('a canary', 'canary'),
      row('a tick that changes nothing', ({ idle }) => idle.ms),
      row('a tick that changes some', ({ due }) => due.ms),
    ],
  }
}

function callAim(fenced: Told, bare: Told, count: number): Aim {
  const more = [
    callsOf(fenced.idle) - callsOf(bare.idle),
    fenced.due.requests.canary.length,
    perChange(fenced, count) - perChange(bare, count),
  ]
  return {
    aim: '1 call more a tick, 1 more for each kind of write in it (here 2), none more for each write',
    measured: more.join(', '),
    isMet: more.join() === '1,2,0',
  }
}

function timeAim(measured: Measured): Aim {
  const { ratio } = compare(measured, median('status'))
  return {
    aim: `a fenced patch of a status in at most ${AIM} times that of a bare one on the ${measured.server}`,
    measured: `${ratio.median.toFixed(2)} (${ratio.min.toFixed(2)}–${ratio.max.toFixed(2)})`,
    isMet: ratio.median <= AIM,
    wouldTake:
      'expressions that are cheaper to evaluate: fewer variables in the policies, or one policy instead of two.',
  }
}
