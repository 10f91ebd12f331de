// Runs a program as a fresh process, and takes the time from its start to its end.

import { spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import { json, text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

/** How a process went. */
export interface Ran<Told> {
  /** From its start to its end. */
  readonly wallMs: number
  /** What it wrote to stdout. */
  readonly output: string
  /** The JSON that it wrote to file descriptor 3; null when it wrote none. */
  readonly told: Told
}

/** The AWS SDK says on stderr which Node it will soon need. */
const QUIET = { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' }

/**
 * Runs Node with a script of this folder, or `-e 0`, to its end; nothing of this process's environment is given but the path.
 *
 * @param words the arguments; the first may be a script of this folder.
 * @throws Error – it failed.
 */
export async function runProcess<Told>(
  node: string,
  words: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Ran<Told>> {
  const args = words.map((word, i) => (i === 0 && word.endsWith('.cjs') ? inThisFolder(word) : word))
  const startedMs = performance.now()
  const child = spawn(node, args, {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...QUIET, ...environment },
    stdio: ['ignore', 'pipe', 'inherit', 'pipe'],
  })
  const exited = new Promise<{ code: number | null; wallMs: number }>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', code => resolve({ code, wallMs: performance.now() - startedMs }))
  })
  const told = child.stdio[3] as Readable
  const [{ code, wallMs }, output, report] = await Promise.all([
    exited,
    text(child.stdout as Readable),
    words[0] === '-e' ? text(told).then(() => null) : json(told),
  ])
  if (code !== 0) throw new Error(`${words.join(' ')} ended with ${code}: ${output}`)
  return { wallMs, output, told: report as Told }
}

function inThisFolder(script: string): string {
  return fileURLToPath(new URL(script, import.meta.url))
}
