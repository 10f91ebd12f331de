import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'

const END_WITH_PARENT = fileURLToPath(new URL('../../../../infra/local/world/end-with-parent.mjs', import.meta.url))

const children: ChildProcess[] = []

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

/** Starts a script with the module loaded before it; resolves when the script says that it runs. */
async function startScript(script: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['--import', END_WITH_PARENT, '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  })
  children.push(child)
  if (child.stdout) await once(child.stdout, 'data')
  return child
}

describe('a process that ends with its parent', () => {
  it('ends with 1 when their channel breaks, however idle it is', async () => {
    const child = await startScript('setInterval(() => {}, 60_000); console.log("runs")')

    child.disconnect()

    expect(await once(child, 'exit')).toEqual([1, null])
  })

  it('ends by itself when it has nothing to do any more', async () => {
    const child = await startScript('console.log("runs")')

    expect(await once(child, 'exit')).toEqual([0, null])
  })
})
