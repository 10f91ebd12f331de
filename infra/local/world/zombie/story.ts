// A frozen function against the fence. A first invocation takes the lease and is frozen as it sends its first write, which is
// lost. Its lease is freed by hand, a second invocation takes over, settles and finishes. Then the first one goes on: nothing
// told it, and what it is about to delete is as it judged it, since the second one, under a newer setting, left that alone.
// So its resourceVersion still matches, and its token is all that tells the two apart.
//
// Everything is the product's own: functions as processes, the servers, the policies. Only the wire between them is watched.

import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Cleanups } from '../cleanups.ts'
import { scheduledEvent } from '../deliveries.ts'
import type { World } from '../world.ts'
import { KEPT_AT_FIRST_DAYS, KEPT_LATER_DAYS, objectsMeanwhile, readStates } from './objects.ts'
import { type Sandbox, startSandbox } from './sandbox.ts'
import type { Step, Who } from './steps.ts'
import { judge } from './verdict.ts'
import { type Answered, isAccepted, isWrite, startWire, type Wire } from './wire.ts'

/** How long a successor waits after an unclean end, ms: docs/timing.md says what it is the sum of. */
const SETTLE_MS = 15_000

/** What it takes. */
export interface ZombieOptions {
  /** Filled with `objectsAtFirst`. */
  readonly world: World
  readonly tell: (step: Step) => unknown
  /** Gets every line that the functions write. */
  readonly onLine: (line: string) => void
  readonly cleanups: Cleanups
  /** Starts nothing more once it is aborted. */
  readonly signal: AbortSignal
  /** More settings of the first function. Default none. */
  readonly firstEnvironment?: NodeJS.ProcessEnv
  /** Done before the first function is woken. Default nothing. */
  readonly beforeWaking?: () => Promise<void>
}

/**
 * Plays it from the beginning to the end.
 *
 * @returns an exit code: 0, or 1 when a write of the first function was accepted after the second one had taken over.
 * @throws Error – it did not come so far: a function ended too early, failed, or wrote nothing. `AbortError` when `signal`
 *   was aborted.
 */
export async function playZombie(options: ZombieOptions): Promise<number> {
  const { world, tell, cleanups, signal, firstEnvironment = {}, beforeWaking = async () => {} } = options
  if (process.platform === 'win32') throw new Error('Windows can’t freeze a process; try --zombie on Linux or macOS')
  const wire = await startWire(world.kubernetes.port)
  cleanups.add('the wire to the embedded Kubernetes API', wire.close)
  wire.tell = teller(tell)

  const first = sandbox(options, wire, 'first', { ...keptFor(KEPT_AT_FIRST_DAYS), ...firstEnvironment })
  const second = sandbox(options, wire, 'second', keptFor(KEPT_LATER_DAYS))
  const operator = sandbox(options, wire, 'operator', {})

  await Promise.all([first.ready, second.ready, operator.ready])

  const lost = frozen(first, wire)
  tell({ step: 'started', who: 'first', pid: first.pid, keptDays: KEPT_AT_FIRST_DAYS })
  first.invoke(scheduledEvent(Date.now()))
  await lost
  const frozenAtMs = performance.now()
  tell({ step: 'frozen', pid: first.pid })

  const atFirst = await readStates(world)
  world.kubernetes.load(objectsMeanwhile(Date.now()))
  const before = new Map([...atFirst, ...(await readStates(world))])
  tell({ step: 'freed' })
  operator.invoke({ loop: 'cleanup', action: 'release' })
  if ((await operator.ended).code !== 0) throw new Error('the lease could not be freed')
  tell({ step: 'started', who: 'second', pid: second.pid, keptDays: KEPT_LATER_DAYS })
  second.invoke(scheduledEvent(Date.now()))
  if ((await second.ended).tick?.kind !== 'completed') throw new Error('the second function did not complete its tick')
  await beforeWaking()
  signal.throwIfAborted()

  const wokenAt = wire.answered.length
  tell({ step: 'woken', pid: first.pid, afterMs: Math.round(performance.now() - frozenAtMs) })
  first.wake()
  const { tick } = await first.ended
  const verdict = judge({ answered: wire.answered, wokenAt, before, after: await readStates(world), tick })
  tell({ step: 'ended', verdict })
  return verdict.holds ? 0 : 1
}

/** Settings of a function that keeps ended debug sessions for so many days. */
const keptFor = (days: number): NodeJS.ProcessEnv => ({ DEBUG_SESSION_RETENTION_PERIOD: `${days}d` })

/** Starts a function behind the wire. */
function sandbox(options: ZombieOptions, wire: Wire, who: Who, settings: NodeJS.ProcessEnv): Sandbox {
  const { world, onLine, cleanups, signal } = options
  const environment = {
    ...world.environment,
    KUBECONFIG: kubeconfigOf(world, wire, who),
    // One write after the other, so that the moment of the first one is exact.
    WORKERS: '1',
    // What starts close to the end of its tick's period is not too late.
    TICK_DEADLINE: '10m',
    ...settings,
  }
  return startSandbox({ name: who === 'operator' ? 'reconcile' : 'cleanup', environment, onLine, cleanups, signal })
}

/** A kubeconfig that leads through the wire, under a token that says who it is. */
function kubeconfigOf({ kubernetes, kubeconfig }: World, wire: Wire, who: Who): string {
  const path = join(dirname(kubeconfig), who)
  writeFileSync(path, kubernetes.kubeconfig(who).replaceAll(kubernetes.url, wire.url), { mode: 0o600 })
  return path
}

/** Freezes the first function as it sends its first write, which is lost, and resolves then. */
async function frozen(first: Sandbox, wire: Wire): Promise<void> {
  const lost = new Promise<void>(resolve => {
    wire.lose = request => {
      if (request.by !== 'first' || !isWrite(request)) return false
      first.freeze()
      wire.lose = () => false
      setImmediate(resolve)
      return true
    }
  })
  const tooEarly = first.ended.then(() => {
    throw new Error('the first function ended before it wrote anything')
  })
  await Promise.race([lost, tooEarly])
}

/** Tells of requests, and when the second function begins to settle and ends it: its raise, and its first read after it. */
function teller(tell: ZombieOptions['tell']): (request: Answered) => void {
  let settlingAtMs: number | undefined
  return request => {
    if (settlingAtMs !== undefined && request.by === 'second') {
      tell({ step: 'settled', afterMs: Math.round(performance.now() - settlingAtMs) })
      settlingAtMs = undefined
    }
    tell({ step: 'request', request })
    if (request.by !== 'second' || !isAccepted(request) || !request.object.startsWith('fences/')) return
    settlingAtMs = performance.now()
    tell({ step: 'settling', forMs: SETTLE_MS })
  }
}
