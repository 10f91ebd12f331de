// How long until another one may act: after a holder that was killed, and after one that ended in order.

import { SETTLE_MS, TAIL_MS } from '../../../lib/tick/times.ts'
import { systemClock } from '../../../lib/time.ts'
import { startChild } from '../../support/child.ts'
import { scenarioClock, T0 } from '../../support/clock.ts'
import { startSandbox } from '../../support/invoke.ts'
import { isStatus } from '../../support/requests.ts'
import type { Cell, Report, Setting } from '../report.ts'
import { sessions } from '../sessions.ts'
import { type Spread, spreadOf } from '../statistics.ts'
import { type LeaseKind, startWorld, type World } from '../world.ts'

const AIM_MS = 100
const DUE = 10

/** A take-over after a kill. */
interface AfterKill {
  /** The killed holder's, from its acquire. */
  readonly termMs: number
  /** What the successor waited on the injected clock. */
  readonly settleMs: number
  /** Real time from its invocation to its first read, which it may do only when it may act. */
  readonly wallMs: number
}

/** Take-over times with both stores. */
export async function takeOver({ isQuick, progress }: Setting): Promise<Report> {
  const [kills, ends] = isQuick ? [1, 3] : [5, 25]
  progress.begin('take-over', 2 * (kills + ends))
  const killed: Cell[][] = []
  const ended: Cell[][] = []
  const aims: [boolean, Spread][] = []
  for (const lease of ['kubernetes', 'dynamodb'] as const) {
    const name = lease === 'kubernetes' ? 'Kubernetes' : 'DynamoDB'
    const found = await repeat(
      kills,
      () => afterKill(lease),
      () => progress.step(),
    )
    const isWithin = found.every(({ termMs, settleMs }) => termMs <= 60_000 + TAIL_MS && settleMs <= SETTLE_MS)
    killed.push([
      name,
      spreadOf(
        found.map(({ termMs }) => termMs / 1_000),
        's',
      ),
      spreadOf(
        found.map(({ settleMs }) => settleMs / 1_000),
        's',
      ),
      spreadOf(
        found.map(({ wallMs }) => wallMs),
        'ms',
      ),
    ])
    const clean = spreadOf(await afterCleanEnds(lease, ends, () => progress.step()), 'ms')
    ended.push([name, clean])
    aims.push([isWithin, clean])
  }
  const slowest = Math.max(...aims.map(([, { median }]) => median))
  return {
    title: 'Take-over',
    how:
      'The holder is a process that is killed by SIGKILL at its third write; its invocation had 60 s, so its term is what was left of them at its acquire, and a tail of 15 s. The next ' +
      'delivery is refused just before the term ends and comes again as it ends. The clock is injected: a settle passes at once and is counted.',
    tables: [
      { title: 'After kill -9', columns: ['lease', 'term', 'settle', 'measured besides'], rows: killed },
      {
        title: 'After an end in order: from its answer to the successor’s first read',
        columns: ['lease', 'time'],
        rows: ended,
      },
    ],
    aims: [
      {
        aim: 'after a kill, at most term + settle by the clock',
        measured: aims.every(([isWithin]) => isWithin) ? 'so in every one' : 'not in every one',
        isMet: aims.every(([isWithin]) => isWithin),
      },
      {
        aim: `after a clean end, less than ${AIM_MS / 1_000} s`,
        measured: `${slowest.toFixed(1)} ms`,
        isMet: slowest < AIM_MS,
      },
    ],
    dominates:
      'The term, which is the time that the platform gave the dead one: a shorter timeout of the function is the way to a faster ' +
      'take-over. A schedule asks again only with its next tick, so that between ticks nobody waits for a term to end.',
  }
}

async function repeat<T>(times: number, work: () => Promise<T>, step: () => void): Promise<T[]> {
  const done: T[] = []
  for (let time = 0; time < times; time++) {
    done.push(await work())
    step()
  }
  return done
}

async function afterKill(lease: LeaseKind): Promise<AfterKill> {
  let nowMs = T0
  const world = await startWorld(['fencepost-cleanup'], () => nowMs)
  const actor = startChild('./actor.ts', world.environment(lease))
  try {
    await actor.next()
    world.kubernetes.load(sessions('due', DUE, 'due', T0))
    const killed = new Promise<void>(resolve => {
      let writes = 0
      world.kubernetes.intercept = async request => {
        if (!isStatus(request) || ++writes !== 3) return undefined
        await actor.kill()
        setImmediate(resolve)
        return 'reset'
      }
    })
    actor.send({ tickAtMs: T0 })
    await killed
    world.kubernetes.intercept = undefined
    const { termEndsAtMs } = await world.record(lease, 'fencepost-cleanup')

    nowMs = termEndsAtMs - 1
    const early = await startSandbox(world.environment(lease), standing(nowMs)).reconcile({ loop: 'cleanup' })
    if (early.reason !== 'held') throw new Error(`a delivery before the term's end was ${early.reason ?? early.kind}`)
    nowMs = termEndsAtMs
    const clock = scenarioClock(nowMs)
    const startedMs = performance.now()
    const readMs = atFirstList(world, () => ({ wallMs: performance.now() - startedMs, clockMs: clock.monotonicMs() }))
    const outcome = await startSandbox(world.environment(lease), clock).reconcile({ loop: 'cleanup' })
    if (outcome.kind !== 'completed' || !outcome.tookOverFrom) throw new Error(`the successor ended ${outcome.kind}`)
    const { wallMs, clockMs } = await readMs
    return { termMs: termEndsAtMs - T0, settleMs: Math.round(clockMs - wallMs), wallMs }
  } finally {
    await actor.kill()
    await world.close()
  }
}

/** The machine's clock with a wall that stands, for a delivery on the edge of a term. */
function standing(atMs: number) {
  return { ...scenarioClock(atMs), wallMs: () => atMs }
}

async function afterCleanEnds(lease: LeaseKind, times: number, step: () => void): Promise<number[]> {
  const world = await startWorld(['fencepost-cleanup'])
  try {
    const reconcile = () => startSandbox(world.environment(lease), systemClock).reconcile({ loop: 'cleanup' })
    await reconcile()
    return await repeat(
      times,
      async () => {
        world.kubernetes.load(sessions('due', 1, `due-${performance.now().toFixed(0)}`, Date.now()))
        await reconcile()
        const startedMs = performance.now()
        const readMs = atFirstList(world, () => performance.now() - startedMs)
        await reconcile()
        return await readMs
      },
      step,
    )
  } finally {
    await world.close()
  }
}

/** What `look` gives as the next list arrives. */
function atFirstList<T>({ kubernetes }: World, look: () => T): Promise<T> {
  return new Promise(resolve => {
    kubernetes.intercept = ({ method, path }) => {
      if (method !== 'GET' || !path.endsWith('sessions')) return undefined
      kubernetes.intercept = undefined
      resolve(look())
      return undefined
    }
  })
}
