// Commands that never outlive us, however we end: each runs under a keeper that watches this process by a pipe. The keeper
// and the command have process groups of their own, so that a Ctrl-C in a terminal reaches this process alone.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const KEEPER = fileURLToPath(new URL('keeper.mjs', import.meta.url))
/** How much of a command's output a failure tells, bytes. */
const TOLD = 2_000

/** A command that runs. */
export interface Kept {
  /** Resolves with its exit code when it has ended; its folder is gone then. */
  readonly ended: Promise<number>
  /** What it has said last; still there after its end. */
  said(): string
  /** Ends it, by itself within 5 s or else by force, and resolves when it is gone. */
  stop(): Promise<void>
}

/** What to run. */
export interface KeptCommand {
  readonly command: string
  readonly args: readonly string[]
  /** Exists already, holds the command's output, and is removed when the command has ended. */
  readonly folder: string
  /** Default: `folder`. */
  readonly cwd?: string
  /** Added to this process's own. */
  readonly environment?: Readonly<Record<string, string>>
}

/** Starts a command under a keeper. */
export function keep({ command, args, folder, cwd = folder, environment = {} }: KeptCommand): Kept {
  const output = openSync(join(folder, 'output.log'), 'a+')
  const keeper = spawn(process.execPath, [KEEPER, folder, command, ...args], {
    cwd,
    env: { ...process.env, NODE_OPTIONS: '', ...environment },
    stdio: ['pipe', output, output],
    detached: true,
  })
  keeper.stdin?.on('error', () => {})
  let last: string | undefined
  const ended = new Promise<number>((resolve, reject) => {
    keeper.once('error', reject)
    keeper.once('exit', code => {
      last = lastOf(output)
      closeSync(output)
      resolve(code ?? 1)
    })
  })
  return {
    ended,
    said: () => last ?? lastOf(output),
    async stop() {
      keeper.stdin?.end()
      await ended
    },
  }
}

/** The end of a file that may be removed already. */
function lastOf(file: number): string {
  const { size } = fstatSync(file)
  const bytes = Buffer.alloc(Math.min(size, TOLD))
  readSync(file, bytes, 0, bytes.length, size - bytes.length)
  return bytes.toString('utf8')
}

/**
 * Runs a command to its end.
 * @throws Error – with the end of its output, when it fails.
 */
export async function runToEnd(command: KeptCommand): Promise<void> {
  const kept = keep(command)
  const code = await kept.ended
  if (code !== 0) throw new Error(`${command.command} ${command.args[0]} failed with ${code}:\n${kept.said()}`)
}

/** How long a server may take to get ready, ms. */
const READY_WITHIN_MS = 90_000

/**
 * Starts a server and waits until it is ready.
 * @throws Error – with what it said last, when it ends instead or takes longer than 90 s; it is stopped then.
 */
export async function keepServer(command: KeptCommand, isReady: () => Promise<boolean>): Promise<Kept> {
  const server = keep(command)
  let code: number | undefined
  void server.ended.then(ended => {
    code = ended
  })
  const endsAtMs = performance.now() + READY_WITHIN_MS
  while (!(await isReady())) {
    const isLate = performance.now() > endsAtMs
    if (code === undefined && !isLate) {
      await new Promise(resolve => setTimeout(resolve, 100))
      continue
    }
    await server.stop()
    const why = code === undefined ? `is not ready after ${READY_WITHIN_MS / 1_000} s` : `ended with ${code}`
    throw new Error(`${command.command} ${why}:\n${server.said()}`)
  }
  return server
}

/** A port of 127.0.0.1 that is free now; another process may still take it before it is used. */
export async function freePort(): Promise<number> {
  const probe = createServer()
  probe.listen({ port: 0, host: '127.0.0.1', exclusive: true })
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  await new Promise(resolve => probe.close(resolve))
  return port
}
