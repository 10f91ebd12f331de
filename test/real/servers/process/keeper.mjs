// Runs one command on behalf of a process that may end in any way. When that process is gone, its end of our stdin closes:
// then the command ends with all that it started, and the folder it worked in is removed. Arguments: folder, command, its own.

import { spawn } from 'node:child_process'
import { rmSync } from 'node:fs'

/** How long the command may take to end by itself, ms. */
const GRACE_MS = 5_000

const [folder, command, ...args] = process.argv.slice(2)
const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'], detached: true })

function signal(name) {
  try {
    process.kill(-child.pid, name)
  } catch {
    // Nobody of it is left.
  }
}

function stop() {
  signal('SIGTERM')
  setTimeout(() => signal('SIGKILL'), GRACE_MS).unref()
}

function end(code) {
  signal('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
  process.exit(code)
}

child.on('error', error => {
  process.stderr.write(`${command}: ${error.message}\n`)
  end(127)
})
child.on('exit', (code, by) => end(code ?? (by === null ? 1 : 143)))
process.stdin.on('end', stop).on('error', stop).resume()
process.on('SIGTERM', stop)
process.on('SIGINT', () => {})
process.on('SIGHUP', () => {})
