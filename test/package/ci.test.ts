import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

const SCRIPT = path.resolve(import.meta.dirname, '../../.ci/run')
const GREEN = 'echo "      Tests  40 passed (40)"'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'fencepost-ci-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

/** Runs CI with a stand-in for npm: what it does for `npm <words>`; everything else succeeds silently. */
async function ci(npm: Record<string, string>): Promise<{ exitCode: number | null; lines: string[] }> {
  const cases = Object.entries({ test: GREEN, 'run test:node24': GREEN, 'run test:real': GREEN, ...npm }).map(
    ([words, does]) => `"${words}") ${does};;`,
  )
  await writeFile(path.join(folder, 'npm'), `#!/usr/bin/env bash\ncase "$*" in\n${cases.join('\n')}\nesac\n`, {
    mode: 0o755,
  })
  return await new Promise(resolve => {
    const env = { ...process.env, PATH: `${folder}:${process.env.PATH}` }
    const child = execFile('bash', [SCRIPT], { env }, (_, stdout) => {
      resolve({ exitCode: child.exitCode, lines: stdout.trimEnd().split('\n') })
    })
  })
}

describe('.ci/run', () => {
  it('ends with the tests of both Node versions, those on real servers and its five other stages, all passed', async () => {
    const { exitCode, lines } = await ci({})
    expect(exitCode).toBe(0)
    expect(lines.at(-1)).toBe('125 passed, 0 failed')
  })

  it.each<[string, Record<string, string>, string]>([
    ['a stage that fails', { 'run lint': 'exit 1' }, '124 passed, 1 failed'],
    ['tests that fail', { test: 'echo "      Tests  3 failed | 37 passed (40)"; exit 1' }, '122 passed, 3 failed'],
    ['a run that fails with all its tests passed', { test: `${GREEN}; exit 1` }, '125 passed, 1 failed'],
    ['a run without tests', { 'run test:node24': 'true' }, '85 passed, 1 failed'],
    ['an installation that fails, after which nothing is tried', { ci: 'exit 1' }, '0 passed, 1 failed'],
  ])('counts %s', async (_, npm, last) => {
    const { exitCode, lines } = await ci(npm)
    expect(exitCode).toBe(1)
    expect(lines.at(-1)).toBe(last)
  })

  it('tells how many tests were skipped', async () => {
    const { exitCode, lines } = await ci({ test: 'echo "      Tests  36 passed | 4 skipped (40)"' })
    expect(exitCode).toBe(0)
    expect(lines.slice(-2)).toEqual(['4 tests were skipped', '121 passed, 0 failed'])
  })

  it('ends what a stage left running', async () => {
    const { lines } = await ci({ 'run package': 'sleep 600 & echo "left $!"' })
    const pid = Number(lines.find(line => line.startsWith('left '))?.slice('left '.length))
    expect(pid).toBeGreaterThan(0)
    // A process that was killed exists until it is reaped.
    await vi.waitFor(() => expect(() => process.kill(pid, 0)).toThrow('ESRCH'), 10_000)
  })
})
