// `npm start`: the whole product on this machine, on embedded servers and Node alone. See `--help`.

import { renderIntroduction } from './terminal/introduction.ts'
import { openJournal } from './terminal/journal.ts'
import { openScreen, type Screen } from './terminal/screen.ts'
import { type Cleanups, openCleanups } from './world/cleanups.ts'
import { openDeliveries } from './world/deliveries.ts'
import { type Ending, openEnding } from './world/ending.ts'
import { deliverFirstTick } from './world/first-tick.ts'
import { heldLeases } from './world/holders.ts'
import { waitForTicks } from './world/in-flight.ts'
import { scheduleNewcomers } from './world/newcomers.ts'
import { invokeUrl, startOffline } from './world/offline.ts'
import { HELP, type Options, readOptions, serversOf, UsageError } from './world/options.ts'
import { settlePorts } from './world/ports.ts'
import { startWorld } from './world/world.ts'

/** Starts everything and runs until it is to end; gives the exit code. What it started is ended by `cleanups`. */
async function run(options: Options, screen: Screen, cleanups: Cleanups, ending: Ending): Promise<number> {
  const { paint, say } = screen
  const { lease, isOnce } = options
  screen.busy('starting the embedded servers')
  const ports = await settlePorts(options.ports, serversOf(lease))
  const world = await startWorld({ lease, ports, environment: process.env, cleanups })

  screen.busy('starting the functions')
  const { signal } = ending
  const journal = openJournal(screen, options)
  const offline = await startOffline({ ports, environment: world.environment, onLine: journal.take, signal })
  cleanups.add('serverless offline', offline.stop)
  screen.idle()
  say(...renderIntroduction({ ...world, reconcileUrl: invokeUrl(ports.lambda, 'reconcile'), isOnce }, paint))

  const deliveries = openDeliveries()
  const inFlight = { deliveries: deliveries.inFlight, leases: () => heldLeases(world) }
  cleanups.add('ticks in flight', () => waitForTicks(inFlight, what => note(`waiting for ${what}`)))
  const note = (line: string) => say(paint.faint(line))
  const url = invokeUrl(ports.lambda, 'cleanup')
  const first = deliverFirstTick({ deliveries, journal, url, tell: note, signal })
  if (isOnce) return await Promise.race([first, offline.failed, ending.asked.then(() => 0)])

  first.catch((error: Error) => signal.aborted || say(`${paint.bad('error')}  ${error.message}`))
  const stopNewcomers = scheduleNewcomers(newcomers => {
    world.kubernetes.load(newcomers.map(({ object }) => object))
    for (const { object, what } of newcomers) note(`new      ${object.metadata.name}  ${what}`)
  })
  cleanups.add('newcomers', stopNewcomers)
  return await Promise.race([offline.failed, ending.asked.then(() => 0)])
}

/** Runs, then ends everything in order, whatever happened. */
async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2), process.env)
  if (options.isHelp) {
    process.stdout.write(`${HELP}\n`)
    return 0
  }
  const screen = openScreen({ isJson: options.isJson, environment: process.env })
  const ending = openEnding()
  const cleanups = openCleanups()
  const code = await run(options, screen, cleanups, ending).catch((error: Error) => {
    screen.idle()
    if (ending.signal.aborted) return 0
    screen.say(`${screen.paint.bad('error')}  ${error.message}`)
    return 1
  })
  const failures = await cleanups.run()
  for (const failure of failures) screen.say(`${screen.paint.bad('error')}  ${failure}`)
  ending.close()
  return failures.length > 0 ? 1 : code
}

try {
  process.exitCode = await main()
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 2
}
