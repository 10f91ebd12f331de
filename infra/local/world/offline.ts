// The functions in `serverless offline`, as a child in a process group of its own: a Ctrl-C in the terminal reaches only
// its parent, which ends things in order. The child never outlives the parent: it is told to end, then killed, and where
// the parent can't do that any more, it ends by itself when their channel breaks.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { HOST } from './ports.ts'

const PROJECT = fileURLToPath(new URL('../../../', import.meta.url))
const SERVERLESS = createRequire(import.meta.url).resolve('serverless/bin/serverless.js')
const END_WITH_PARENT = new URL('./end-with-parent.mjs', import.meta.url).href

/** The service and stage that functions are named by: `<service>-<stage>-<function>`. */
const SERVICE = 'fencepost'
const STAGE = 'local'

/** How often a starting child is asked whether it listens, ms. */
const ASK_EVERY_MS = 100
/** How many of the CLI's last lines explain why it ended. */
const LAST_LINES = 20
/** How long the child may take to end before it is killed, ms. */
const PATIENCE_MS = 5_000

/** The child while it runs. */
export interface Offline {
  /** Rejects when it has ended without being told to, with its last lines in the message; never resolves. */
  readonly failed: Promise<never>
  /** Tells it to end, kills it after 5 s, and resolves when it is gone. */
  stop(): Promise<void>
}

/** The address that invokes a function, as the AWS SDK's Lambda client would. */
export function invokeUrl(lambdaPort: number, name: string): string {
  return `http://${HOST}:${lambdaPort}/2015-03-31/functions/${SERVICE}-${STAGE}-${name}/invocations`
}

/**
 * Starts the functions; resolves when they can be invoked.
 *
 * @param options `environment` is the child's whole environment; `onLine` gets every line of its stdout and stderr;
 *   `signal` ends the waiting, and the child with it.
 * @throws Error – it ended before it listened; `AbortError` when `signal` was aborted.
 */
export async function startOffline(options: {
  ports: { readonly lambda: number; readonly http: number }
  environment: NodeJS.ProcessEnv
  onLine: (line: string) => void
  signal: AbortSignal
}): Promise<Offline> {
  const { ports, environment, onLine, signal } = options
  const args = ['offline', '--stage', STAGE, '--lambdaPort', String(ports.lambda), '--httpPort', String(ports.http)]
  const child = spawn(process.execPath, ['--import', END_WITH_PARENT, SERVERLESS, ...args], {
    cwd: PROJECT,
    env: environment,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  const killAtExit = () => send(child, 'SIGKILL')
  process.on('exit', killAtExit)
  const lastLines = readLines(child, onLine)
  const ended = once(child, 'close').then(([code, name]) => {
    process.off('exit', killAtExit)
    return `serverless offline ended with ${code ?? name}`
  })
  const failed = ended.then(what => Promise.reject(new Error([what, ...lastLines].join('\n  '))))
  failed.catch(() => {})

  const offline: Offline = { failed, stop: () => stop(child, ended) }
  try {
    await Promise.race([failed, listening(ports.lambda, signal)])
    return offline
  } catch (error) {
    await offline.stop()
    throw error
  }
}

/** Hands on every line; gives the list that always has the CLI's own last ones. */
function readLines(child: ChildProcess, onLine: (line: string) => void): readonly string[] {
  const lastLines: string[] = []
  for (const stream of [child.stdout, child.stderr])
    if (stream)
      createInterface(stream).on('line', line => {
        if (!line.startsWith('{') && lastLines.push(line) > LAST_LINES) lastLines.shift()
        onLine(line)
      })
  return lastLines
}

/** Resolves when something listens on the port. */
async function listening(port: number, signal: AbortSignal): Promise<void> {
  while (!(await accepts(port))) await sleep(ASK_EVERY_MS, undefined, { signal })
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, HOST)
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

async function stop(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  send(child, 'SIGTERM')
  const patience = new AbortController()
  const late = sleep(PATIENCE_MS, 'late', { signal: patience.signal }).catch(() => 'ended')
  if ((await Promise.race([ended, late])) === 'late') send(child, 'SIGKILL')
  patience.abort()
  await ended
}

/** Signals the whole group; one that is gone already needs nothing. */
function send(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  try {
    process.kill(-child.pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
