// A function as a process that can be frozen and woken, as a platform does with a sandbox: its whole group is stopped, and
// knows nothing of it. It never outlives the process that started it. What is frozen can't notice that it is alone, so a
// shell that waits for the end of its input kills it then.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseLine, type Tick } from '../../terminal/log-lines.ts'
import type { Cleanups } from '../cleanups.ts'

const PROJECT = fileURLToPath(new URL('../../../../', import.meta.url))
const END_WITH_PARENT = new URL('../end-with-parent.mjs', import.meta.url).href
const IN_SANDBOX = fileURLToPath(new URL('./in-sandbox.ts', import.meta.url))

/** What a sandbox is started with. */
export interface SandboxOptions {
  /** The function, a file of `functions/` without its ending. */
  readonly name: string
  /** Its whole environment. */
  readonly environment: NodeJS.ProcessEnv
  /** Gets every line of its stdout and stderr. */
  readonly onLine: (line: string) => void
  /** Learns how it is ended. */
  readonly cleanups: Cleanups
  /** Nothing is started once it is aborted. */
  readonly signal: AbortSignal
}

/** A running sandbox. */
export interface Sandbox {
  readonly pid: number
  /** Resolves when its function is loaded. @throws Error – it ended before. */
  readonly ready: Promise<void>
  /** Invokes the function, once, when it is ready. */
  invoke(event: object): void
  /** Resolves when it has ended and all its lines are taken: its exit code, null after a signal, and its tick if it ran one. */
  readonly ended: Promise<{ code: number | null; tick: Tick | undefined }>
  /** Stops it where it stands. */
  freeze(): void
  /** Lets it go on. */
  wake(): void
}

/**
 * Starts a sandbox and loads its function.
 *
 * @throws Error – it could not be started; `AbortError` when `signal` was aborted.
 */
export function startSandbox({ name, environment, onLine, cleanups, signal }: SandboxOptions): Sandbox {
  signal.throwIfAborted()
  const what = `functions/${name}.ts`
  const args = ['--import', END_WITH_PARENT, '--import', 'tsx', IN_SANDBOX, PROJECT + what]
  const child = spawn(process.execPath, args, {
    cwd: PROJECT,
    env: environment,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  const { pid } = child
  if (pid === undefined) throw new Error(`${what} could not be started as a process`)
  let tick: Tick | undefined
  const take = (text: string) => {
    const line = parseLine(text)
    if (line.kind === 'tick') tick = line.tick
    onLine(text)
  }
  for (const stream of [child.stdout, child.stderr]) if (stream) createInterface(stream).on('line', take)

  const guard = startGuard(pid)
  const killAtExit = () => sendToGroup(child, 'SIGKILL')
  process.on('exit', killAtExit)
  const ended = once(child, 'close').then(([code]) => {
    process.off('exit', killAtExit)
    guard.kill('SIGKILL')
    return { code: code as number | null, tick }
  })
  const isReady = once(child, 'message').then(() => true)
  const ready = Promise.race([isReady, ended.then(() => false)]).then(is => {
    if (!is) throw new Error(`${what} ended before it was invoked`)
  })
  ready.catch(() => {})
  cleanups.add(`the process of ${what}`, async () => {
    killAtExit()
    await ended
  })
  return {
    pid,
    ready,
    // One that can't take it any more has ended, which `ended` tells.
    invoke: event => void child.send(event, () => {}),
    ended,
    freeze: () => sendToGroup(child, 'SIGSTOP'),
    wake: () => sendToGroup(child, 'SIGCONT'),
  }
}

/** Kills a group as soon as this process is gone, however it went. */
function startGuard(pid: number): ChildProcess {
  return spawn('sh', ['-c', 'read -r _; kill -s KILL -- "-$1"', 'sh', String(pid)], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
}

/** Signals the whole group; one that is gone already needs nothing. */
function sendToGroup({ pid, exitCode, signalCode }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined || exitCode !== null || signalCode !== null) return
  try {
    process.kill(-pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
