// Memory, time and bytes of one tick by the number of sessions.

import { type Bundles, withBundles } from '../bundled.ts'
import { withEmbedded } from '../embedded.ts'
import type { Aim, Cell, Report, Setting } from '../report.ts'
import type { Fate } from '../sessions.ts'
import { type Spread, spreadOf } from '../statistics.ts'
import { openTicks, type RanTick } from '../ticks.ts'

const DUE = 50
const AIM = 1.25
const MB = 1e6

/** What was measured at one size. */
interface Measured {
  readonly sessions: number
  readonly memory: Spread
  readonly wall: Spread
  readonly received: Spread
}

/** What the sessions besides those that are due are: most clusters keep far more ended ones than they have live ones. */
const WORLDS: readonly { readonly name: string; readonly livePart: number }[] = [
  { name: '2 % live, the others ended and kept', livePart: 0.02 },
  { name: 'all live, the worst case', livePart: 1 },
]

/** One tick at growing numbers of sessions, each in a fresh process. */
export async function memory({ isQuick, progress }: Setting): Promise<Report> {
  const sizes = isQuick ? [100, 1_000] : [1_000, 10_000, 100_000]
  const times = isQuick ? 1 : 5
  progress.begin('memory', WORLDS.length * sizes.length * (times + 1))
  const measured = await withBundles(async bundles => {
    const worlds: Measured[][] = []
    for (const { livePart } of WORLDS) {
      const found: Measured[] = []
      for (const size of sizes) found.push(await measure(bundles, size, livePart, times, () => progress.step()))
      worlds.push(found)
    }
    return worlds
  })
  return {
    title: 'Memory of a tick',
    how:
      `Each tick is the packaged cleanup function in a fresh process with its defaults, peak resident memory as the system counts it; ` +
      `${times} ticks a size, ${DUE} sessions due in each. The embedded API is another process. Node's own process has some 45 MB.`,
    tables: WORLDS.map(({ name }, i) => ({
      title: `Sessions: ${name}`,
      columns: ['sessions', 'peak memory', 'whole process', 'received'],
      rows: (measured[i] as Measured[]).map(rowOf),
    })),
    aims: WORLDS.map(({ name }, i) => aimOf(name, measured[i] as Measured[])),
    dominates:
      'A page of 500 sessions is held at a time, so memory does not follow their number but the garbage that V8 lets lie ' +
      'between collections: with more pages it grows its young generation to its limit. What does follow the number is the ' +
      'index of possible duplicates, two short texts for each live session. Time is the lists: the server renders and the tick ' +
      'reads every session once, and live ones twice.',
  }
}

async function measure(
  bundles: Bundles,
  size: number,
  livePart: number,
  times: number,
  step: () => void,
): Promise<Measured> {
  return await withEmbedded(async servers => {
    const live = Math.round((size - DUE) * livePart)
    const load = async (fate: Fate, count: number) => {
      for (let at = 0; at < count; at += 5_000) await servers.load(fate, Math.min(5_000, count - at), `${fate}-${at}`)
    }
    await load('live', live)
    await load('kept', size - DUE - live)
    const tick = openTicks(bundles, servers)
    step()
    const ticks: RanTick[] = []
    for (let time = 0; time < times; time++) {
      await servers.load('due', DUE, `due-${time}`)
      ticks.push(await tick())
      await servers.drop(`due-${time}`)
      step()
    }
    if (ticks.some(({ counts }) => counts.changed !== DUE)) throw new Error('a tick did not change what was due')
    return {
      sessions: size,
      memory: spreadOf(
        ticks.map(({ peakBytes }) => peakBytes / MB),
        'MB',
      ),
      wall: spreadOf(
        ticks.map(({ wallMs }) => wallMs),
        'ms',
      ),
      received: spreadOf(
        ticks.map(({ receivedBytes }) => receivedBytes / MB),
        'MB',
      ),
    }
  })
}

function rowOf({ sessions, memory, wall, received }: Measured): Cell[] {
  return [sessions.toLocaleString('en').replaceAll(',', ' '), memory, wall, received]
}

function aimOf(name: string, measured: readonly Measured[]): Aim {
  const [least, most] = [measured[0], measured.at(-1)] as [Measured, Measured]
  const ratio = most.memory.median / least.memory.median
  return {
    aim: `memory at ${most.sessions} sessions at most ${AIM} times that at ${least.sessions} (${name})`,
    measured: `${ratio.toFixed(2)} times`,
    isMet: ratio <= AIM,
    wouldTake:
      "a collector that collects sooner, at the price of time. Tried by hand where 2 % are live: Node's --optimize-for-size " +
      'keeps 100 000 sessions at the memory of 1 000 and takes twice the time; a young generation of 1 to 8 MB ' +
      '(--max-semi-space-size) gives 1.6 to 1.7 times. With 1 769 MB for its processor, the function has no need of either.',
  }
}
