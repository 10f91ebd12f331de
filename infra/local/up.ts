// `npm start`: the whole product on this machine, on embedded servers and Node alone. See `--help`.

import { renderIntroduction, renderZombieIntroduction } from './terminal/introduction.ts'
import { type Journal, openJournal } from './terminal/journal.ts'
import { openScreen, type Screen } from './terminal/screen.ts'
import { openTeller } from './terminal/zombie-teller.ts'
import { type Cleanups, openCleanups } from './world/cleanups.ts'
import { openDeliveries } from './world/deliveries.ts'
import { type Ending, openEnding } from './world/ending.ts'
import { deliverFirstTicks } from './world/first-tick.ts'
import { heldLeases } from './world/holders.ts'
import { waitForTicks } from './world/in-flight.ts'
import { LOOPS } from './world/loops.ts'
import { type Newcomer, scheduleNewcomers } from './world/newcomers.ts'
import { invokeUrl, type Offline, startOffline } from './world/offline.ts'
import { HELP, type Options, type Ports, readOptions, serversOf, storesOf, UsageError } from './world/options.ts'
import { settlePorts } from './world/ports.ts'
import { startWorld, type World } from './world/world.ts'
import { objectsAtFirst } from './world/zombie/objects.ts'
import type { Step } from './world/zombie/steps.ts'
import { playZombie } from './world/zombie/story.ts'

/** What a run is given. */
interface Run {
  readonly options: Options
  readonly screen: Screen
  /** Ends what was started. */
  readonly cleanups: Cleanups
  readonly ending: Ending
}

/** What is running. */
interface Started {
  readonly ports: Ports
  readonly world: World
  readonly offline: Offline
  readonly journal: Journal
}

/** Starts the servers, then the functions. */
async function start({ options, screen, cleanups, ending }: Run): Promise<Started> {
  const { lease } = options
  screen.busy('starting the embedded servers')
  const ports = await settlePorts(options.ports, serversOf(lease))
  const world = await startWorld({ lease, ports, environment: process.env, cleanups })

  screen.busy('starting the functions')
  const journal = openJournal(screen, options)
  const { environment } = world
  const offline = await startOffline({ ports, environment, onLine: journal.take, signal: ending.signal })
  cleanups.add('serverless offline', offline.stop)
  screen.idle()
  return { ports, world, offline, journal }
}

/** Delivers the first ticks, and leaves the others to the schedules, until it is to end; gives the exit code. */
async function live({ options, screen, cleanups, ending }: Run, started: Started): Promise<number> {
  const { ports, world, offline, journal } = started
  const { paint, say } = screen
  const note = (line: string) => say(paint.faint(line))
  const reconcileUrl = invokeUrl(ports.lambda, 'reconcile')
  say(...renderIntroduction({ ...world, reconcileUrl, isOnce: options.isOnce }, paint))

  const deliveries = openDeliveries()
  const inFlight = { deliveries: deliveries.inFlight, leases: () => heldLeases(world) }
  cleanups.add('ticks in flight', () => waitForTicks(inFlight, what => note(`waiting for ${what}`)))
  const asked = ending.asked.then(() => 0)
  const urlOf = (loop: string) => invokeUrl(ports.lambda, loop)
  const first = deliverFirstTicks({ loops: LOOPS, deliveries, journal, urlOf, tell: note, signal: ending.signal })
  if (options.isOnce) return await Promise.race([first, offline.failed, asked])

  const tellUnlessEnding = ({ message }: Error) => ending.signal.aborted || tellError(screen, message)
  await Promise.race([first.catch(tellUnlessEnding), offline.failed, asked])
  const appear = (newcomers: readonly Newcomer[]) => {
    world.kubernetes.load(newcomers.map(({ object }) => object))
    for (const { object, what } of newcomers) note(`new      ${object.metadata.name}  ${what}`)
  }
  cleanups.add('newcomers', scheduleNewcomers(appear))
  return await Promise.race([offline.failed, asked])
}

function tellError({ say, paint }: Screen, message: string): void {
  say(`${paint.bad('error')}  ${message}`)
}

/** Freezes a function, and wakes it after its successor's; gives the exit code. */
async function zombie({ options, screen, cleanups, ending }: Run): Promise<number> {
  const { lease } = options
  screen.busy('starting the embedded servers')
  const ports = await settlePorts(options.ports, storesOf(lease))
  const objects = objectsAtFirst(Date.now())
  const world = await startWorld({ lease, ports, environment: process.env, cleanups, objects })
  screen.idle()
  screen.say(...renderZombieIntroduction(world, screen.paint))
  screen.busy('starting the functions')
  const { signal } = ending
  const onLine = openJournal(screen, options).take
  const teller = openTeller(screen, options)
  const tell = (step: Step) => signal.aborted || teller(step)
  const story = playZombie({ world, tell, onLine, cleanups, signal })
  return await Promise.race([story, ending.asked.then(() => 0)])
}

/** Starts, lives, and ends everything in order, whatever happened; gives the exit code. */
async function main(options: Options): Promise<number> {
  const screen = openScreen({ isJson: options.isJson, environment: process.env })
  const run: Run = { options, screen, cleanups: openCleanups(), ending: openEnding() }
  let code = 0
  try {
    code = options.isZombie ? await zombie(run) : await live(run, await start(run))
  } catch (error) {
    if (!run.ending.signal.aborted) {
      code = 1
      screen.idle()
      tellError(screen, (error as Error).message)
    }
  }
  screen.idle()
  const failures = await run.cleanups.run()
  for (const failure of failures) tellError(screen, failure)
  run.ending.close()
  return failures.length > 0 ? 1 : code
}

try {
  const options = readOptions(process.argv.slice(2), process.env)
  if (options.isHelp) process.stdout.write(`${HELP}\n`)
  else process.exitCode = await main(options)
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 2
}
