// Many deliveries of one tick at once: how long until all are answered, at what price, and who won.

import { type Child, startChild } from '../../support/child.ts'
import { T0 } from '../../support/clock.ts'
import type { Round, RoundResult } from '../../support/contender.ts'
import type { Cell, Report, Setting } from '../report.ts'
import { spreadOf } from '../statistics.ts'
import { type LeaseKind, startWorld, type World } from '../world.ts'

const CONTENDERS = [1, 2, 8, 50]
const PROCESSES = 8
const PERIOD_MS = 300_000

/** What one round came to. */
interface Contest {
  readonly ms: number
  readonly calls: number
  readonly winners: number
}

/** 1, 2, 8 and 50 contenders on one lease, with both stores. */
export async function contention({ isQuick, progress }: Setting): Promise<Report> {
  const rounds = isQuick ? 2 : 20
  progress.begin('contention', 2 * CONTENDERS.length * rounds)
  const rows: Cell[][] = []
  let wrong = 0
  for (const lease of ['kubernetes', 'dynamodb'] as const) {
    const contests = await contest(lease, rounds, () => progress.step())
    for (const [i, contenders] of CONTENDERS.entries()) {
      const found = contests[i] as Contest[]
      wrong += found.filter(({ winners }) => winners !== 1).length
      rows.push([
        `${lease === 'kubernetes' ? 'Kubernetes' : 'DynamoDB'}, ${contenders}`,
        spreadOf(
          found.map(({ ms }) => ms),
          'ms',
        ),
        spreadOf(
          found.map(({ calls }) => calls),
          '',
        ),
        spreadOf(
          found.map(({ calls }) => calls / contenders),
          '',
        ),
        spreadOf(
          found.map(({ winners }) => winners),
          '',
        ),
      ])
    }
  }
  return {
    title: 'Contention for one lease',
    how:
      `One tick is delivered to all contenders at once, ${rounds} rounds each, over at most ${PROCESSES} processes; the winner acquires, raises, does nothing and ` +
      'completes. Calls are those on the lease, counted at the embedded server.',
    tables: [
      {
        title: 'Until every contender is answered',
        columns: ['lease, contenders', 'time', 'lease calls', 'calls a contender', 'winners'],
        rows,
      },
    ],
    aims: [
      {
        aim: 'one winner in every round',
        measured: wrong === 0 ? `in all ${rounds * CONTENDERS.length * 2} rounds` : `not in ${wrong} rounds`,
        isMet: wrong === 0,
      },
    ],
    dominates:
      'The processes share the processors with the server. With Kubernetes a loser reads, tries to put, is refused by the ' +
      'resourceVersion and reads once more, or only reads once the winner has put; with DynamoDB it sends one conditional update ' +
      'and reads why it was refused.',
  }
}

async function contest(lease: LeaseKind, rounds: number, step: () => void): Promise<Contest[][]> {
  let nowMs = T0
  const world = await startWorld(['fencepost-contention'], () => nowMs)
  const children = Array.from({ length: PROCESSES }, () => startChild('./contender.ts', world.environment(lease)))
  try {
    await Promise.all(children.map(child => child.next()))
    const contests = CONTENDERS.map((): Contest[] => [])
    // The first round loads what is loaded at first use, in every process.
    for (let round = -1; round < rounds; round++) {
      for (const [i, contenders] of CONTENDERS.entries()) {
        nowMs += PERIOD_MS
        const found = await deliver(world, children, round < 0 ? PROCESSES : contenders, nowMs)
        if (round < 0) continue
        contests[i]?.push(found)
        step()
      }
    }
    return contests
  } finally {
    await Promise.all(children.map(child => child.kill()))
    await world.close()
  }
}

async function deliver(
  world: World,
  children: readonly Child[],
  contenders: number,
  tickAtMs: number,
): Promise<Contest> {
  world.kubernetes.clearRequests()
  const before = world.dynamodb.requests.length
  const taking = children.slice(0, contenders)
  const startedMs = performance.now()
  for (const [i, child] of taking.entries()) {
    const deliveries = Math.floor((contenders + taking.length - 1 - i) / taking.length)
    child.send({ tickAtMs, deliveries } satisfies Round)
  }
  const results = await Promise.all(taking.map(child => child.next<RoundResult>()))
  return {
    ms: performance.now() - startedMs,
    calls: leaseCalls(world) + world.dynamodb.requests.length - before,
    winners: results.reduce((sum, { acts }) => sum + acts, 0),
  }
}

function leaseCalls({ kubernetes }: World): number {
  return kubernetes.requests.filter(({ path }) => path.includes('/leases/')).length
}
