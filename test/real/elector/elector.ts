// client-go's leader election as a process of its own: built once into the cache, started on a Lease, listened to.

import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { cached } from '../servers/cache.ts'
import { GO, runTool, whyNot } from '../servers/tools.ts'

/** The version of client-go; go.mod names the same. */
const VERSION = '0.34.4'
const SOURCE = fileURLToPath(new URL('go/', import.meta.url))

/**
 * What it tells. `looked`: it read the record; `wrote`: it took or renewed it; `refused`: a write of it did not go through;
 * `released`: it wrote an empty holder; `observed`: client-go reports another leader; `cancelled`: it heard SIGTERM.
 */
export interface Line {
  /** Epoch ms, by the machine's clock. */
  readonly atMs: number
  readonly event: 'looked' | 'wrote' | 'refused' | 'released' | 'observed' | 'leading' | 'cancelled' | 'stopped'
  readonly holder: string
  readonly transitions: number
}

/** A running elector, at 15 s, 10 s and 2 s. */
export interface Elector {
  readonly identity: string
  /** All lines so far. */
  readonly lines: readonly Line[]
  /** Resolves with the first line, past or to come, that is `event` and fits; rejects when the process ends without one. */
  until(event: Line['event'], fits?: (line: Line, at: number) => boolean): Promise<Line>
  signal(name: NodeJS.Signals): void
  /** Resolves when the process is gone. */
  readonly ended: Promise<void>
}

/** Why there can be no elector on this machine; undefined when there can. With CI set it is a failure. */
export async function whyNoElector(): Promise<string | undefined> {
  const missing = await whyNot(GO)
  if (missing && process.env.CI === 'true') throw new Error(`the elector is left out: ${missing}`)
  return missing && `the elector is left out: ${missing}`
}

/** The elector's program, built once. */
export async function electorBinary(): Promise<string> {
  const folder = await cached({
    name: `elector-${VERSION}`,
    doing: `building an elector of client-go ${VERSION}, once`,
    sources: ['main.go', 'go.mod', 'go.sum'].map(name => join(SOURCE, name)),
    fill: into =>
      runTool('go', ['build', '-trimpath', '-mod=readonly', '-buildvcs=false', '-o', join(into, 'elector'), '.'], {
        cwd: SOURCE,
        environment: { CGO_ENABLED: '0' },
      }),
  })
  return join(folder, 'elector')
}

/** What to elect on. */
export interface ElectorOptions {
  readonly binary: string
  /** Plain HTTP. */
  readonly url: string
  readonly token: string
  readonly namespace: string
  readonly lease: string
  readonly identity: string
  readonly releasesOnCancel?: boolean
  /** Elects again 2 s after it lost, as a controller does that goes on. Default: it ends. */
  readonly electsAgain?: boolean
}

/** Starts an elector. It ends with this process. */
export function startElector(options: ElectorOptions): Elector {
  const { binary, url, token, namespace, lease, identity, releasesOnCancel = false, electsAgain = false } = options
  const child = spawn(
    binary,
    [
      ...['--server', url, '--token', token, '--namespace', namespace, '--name', lease],
      ...['--identity', identity, `--release-on-cancel=${releasesOnCancel}`, `--again=${electsAgain}`],
    ],
    { stdio: ['pipe', 'pipe', 'ignore'] },
  )
  const lines: Line[] = []
  const listeners = new Set<() => void>()
  const tell = () => {
    for (const listener of [...listeners]) listener()
  }
  let isGone = false
  createInterface({ input: child.stdout }).on('line', text => {
    lines.push(JSON.parse(text) as Line)
    tell()
  })
  const ended = new Promise<void>(resolve => {
    child.once('close', () => {
      isGone = true
      tell()
      resolve()
    })
  })

  return {
    identity,
    lines,
    ended,
    signal: name => void child.kill(name),
    until: (event, fits = () => true) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = lines.filter(line => line.event === event).find(fits)
          if (found === undefined && !isGone) return
          listeners.delete(look)
          if (found) resolve(found)
          else reject(new Error(`the elector ended without «${event}»: ${JSON.stringify(lines)}`))
        }
        listeners.add(look)
        look()
      }),
  }
}
