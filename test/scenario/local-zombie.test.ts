// `npm start -- --zombie`: a function that is frozen before its first write and woken after its successor's last one. As people
// run it, a real process with its output in a pipe; and once with the guard taken away, which must show.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { openCleanups } from '../../infra/local/world/cleanups.ts'
import { startWorld } from '../../infra/local/world/world.ts'
import { objectsAtFirst } from '../../infra/local/world/zombie/objects.ts'
import type { Step } from '../../infra/local/world/zombie/steps.ts'
import { playZombie } from '../../infra/local/world/zombie/story.ts'

const PROJECT = fileURLToPath(new URL('../../', import.meta.url))
const START: string[] = JSON.parse(readFileSync(`${PROJECT}package.json`, 'utf8')).scripts.start.split(' ')
const BINDING = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings/fencepost-fence-token-cleanup'
const LIMIT_MS = 90_000

/** A run; what it wrote is complete when it has ended. */
interface Run {
  readonly process: ChildProcess
  stdout: string
  stderr: string
  /** Resolves when stdout has matched; rejects when it ends first. */
  shows(pattern: RegExp): Promise<RegExpMatchArray>
  readonly ended: Promise<number | string>
}

const processes: ChildProcess[] = []
const kill = () => {
  for (const child of processes.splice(0)) child.kill('SIGKILL')
}

function start(...args: string[]): Run {
  const { PATH, HOME, TMPDIR } = process.env
  const [, ...script] = START
  const child = spawn(process.execPath, [...script, '--zombie', ...args], {
    cwd: PROJECT,
    env: { PATH, HOME, ...(TMPDIR ? { TMPDIR } : {}) },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  processes.push(child)
  const run: Run = {
    process: child,
    stdout: '',
    stderr: '',
    shows: pattern =>
      new Promise((resolve, reject) => {
        const look = () => {
          const match = pattern.exec(run.stdout)
          if (match) resolve(match)
        }
        child.stdout.on('data', look)
        child.once('close', code => reject(new Error(`ended with ${code}:\n${run.stdout}${run.stderr}`)))
        look()
      }),
    ended: new Promise(resolve => child.once('close', (code, signal) => resolve(code ?? signal ?? 'nothing'))),
  }
  child.stdout.on('data', chunk => {
    run.stdout += chunk
  })
  child.stderr.on('data', chunk => {
    run.stderr += chunk
  })
  return run
}

/** The state of a process, `T` when it is stopped; '' when there is none. */
function stateOf(pid: string): string {
  try {
    return execFileSync('ps', ['-o', 'stat=', '-p', pid], { encoding: 'utf8' }).trim()
  } catch {
    return ''
  }
}

type Of<Name extends Step['step']> = Extract<Step, { step: Name }>

function only<Name extends Step['step']>(steps: readonly Step[], name: Name): Of<Name> {
  const found = steps.filter((step): step is Of<Name> => step.step === name)
  expect(found).toHaveLength(1)
  return found[0] as Of<Name>
}

const row = (object: string, now: string, by?: string, token?: number) => ({
  object,
  now,
  ...(by === undefined ? {} : { by, token }),
})

/** What every object is at the end where the fence holds. */
const SUCCESSORS = [
  row('debugsessions/prod-netshoot-v4d7', 'Expired'),
  row('debugsessions/prod-tcpdump-h2c8', 'Expired'),
  row('debugsessions/staging-netshoot-q6n1', 'deleted', 'second', 3),
  row('breakglasssessions/prod-admin-x7f2', 'Expired', 'second', 3),
  row('breakglasssessions/prod-dba-2k9q', 'Approved', 'second', 3),
  row('fences/fencepost-cleanup', 'raised', 'second', 3),
]

describe.concurrent('npm start -- --zombie', () => {
  afterAll(kill)

  it(
    'tells people that the API server refused the woken function, in its own words, and ends with 0',
    async () => {
      const run = start()

      expect(await run.ended, run.stdout).toBe(0)
      const told = run.stdout
      expect(told).toMatch(/^ {2}token 1 {2}PATCH +fences\/fencepost-cleanup +200$/m)
      expect(told).toMatch(/^ {2}token 1 {2}DELETE +debugsessions\/prod-netshoot-v4d7 +403\n.*the canary/m)
      expect(told).toMatch(/^ {2}token 1 {2}DELETE +debugsessions\/prod-netshoot-v4d7 +lost$/m)
      expect(told).toMatch(/^ {2}token 3 {2}PATCH +fences\/fencepost-cleanup +200$/m)
      expect(told).toMatch(/^cleanup {2}tick \S+ {2}token 3 {2}acted/m)
      expect(told).toContain('asked as fencepost:fencepost-cleanup with token 1; the API server says:')
      expect(told).toMatch(/«.*fencepost fence-token: token=1 current=3 holder=fencepost-cleanup\/\S+»/)
      expect(told).toMatch(/^cleanup {2}tick \S+ {2}token 1 {2}fenced/m)
      expect(told).toContain('0 of 1 write sent under token 1 took effect; its outcome is fenced.')
      expect(told).not.toContain('\u001b[')
      expect(run.stderr).toBe('')
    },
    LIMIT_MS,
  )

  it(
    'does the same with the lease in DynamoDB, and gives each step as JSON when that is asked for',
    async () => {
      const run = start('--lease', 'dynamodb', '--json')

      expect(await run.ended, run.stderr).toBe(0)
      const lines = run.stdout
        .trimEnd()
        .split('\n')
        .map(line => JSON.parse(line))
      const steps: Step[] = lines.filter(({ message }) => message === 'zombie')
      expect(only(steps, 'settled').afterMs).toBeGreaterThanOrEqual(15_000)
      const woken = steps.findIndex(({ step }) => step === 'woken')
      const asked = steps.slice(woken).flatMap(one => (one.step === 'request' ? [one.request] : []))
      expect(asked.filter(({ user, isDryRun }) => user && !isDryRun)).toEqual([
        expect.objectContaining({ by: 'first', method: 'DELETE', status: 403, token: 1 }),
      ])
      const { verdict } = only(steps, 'ended')
      expect(verdict).toEqual({
        holds: true,
        firstToken: 1,
        secondToken: 3,
        sent: 1,
        accepted: 0,
        outcome: 'fenced',
        rows: SUCCESSORS,
      })
      const ticks = lines.filter(({ message }) => message === 'tick')
      expect(ticks).toMatchObject([
        { kind: 'completed', token: 3, settled: true },
        { kind: 'fenced', token: 1, counts: { changed: 0 } },
      ])
    },
    LIMIT_MS,
  )

  it(
    'accepts the woken function’s write where nothing binds the policy, says so, and ends with 1',
    async () => {
      const cleanups = openCleanups()
      const steps: Step[] = []
      const world = await startWorld({
        lease: 'kubernetes',
        ports: { kubernetes: 0, dynamodb: 0, keycloak: 0, lambda: 0, http: 0 },
        environment: process.env,
        cleanups,
        objects: objectsAtFirst(Date.now()),
      })
      try {
        const code = await playZombie({
          world,
          tell: step => steps.push(step),
          onLine: () => {},
          cleanups,
          signal: new AbortController().signal,
          firstEnvironment: { FENCE: 'advisory' },
          beforeWaking: async () => {
            const { status } = await fetch(world.kubernetes.url + BINDING, { method: 'DELETE' })
            expect(status).toBe(200)
          },
        })

        expect(code).toBe(1)
        const { verdict } = only(steps, 'ended')
        expect(verdict).toMatchObject({ holds: false, firstToken: 1, secondToken: 3 })
        expect(verdict.accepted).toBeGreaterThan(0)
        expect(verdict.rows).toContainEqual(row('debugsessions/prod-tcpdump-h2c8', 'deleted', 'first', 1))
      } finally {
        expect(await cleanups.run()).toEqual([])
      }
    },
    LIMIT_MS,
  )
})

describe('npm start -- --zombie, that is ended while a function is frozen', () => {
  afterEach(kill)

  it.each<[NodeJS.Signals, number | string]>([
    ['SIGINT', 0],
    ['SIGKILL', 'SIGKILL'],
  ])(
    'by %s leaves no process',
    async (signal, code) => {
      const run = start()
      const [, pid = ''] = await run.shows(/frozen {2}process (\d+)/)
      expect(stateOf(pid)).toMatch(/^T/)

      run.process.kill(signal)

      expect(await run.ended, run.stdout + run.stderr).toBe(code)
      const [, kubeconfig = ''] = /KUBECONFIG=([^;]+);/.exec(run.stdout) ?? []
      rmSync(dirname(kubeconfig), { recursive: true, force: signal === 'SIGINT' })
      while (stateOf(pid) !== '' && !stateOf(pid).startsWith('Z')) await new Promise(resolve => setImmediate(resolve))
    },
    LIMIT_MS,
  )
})
