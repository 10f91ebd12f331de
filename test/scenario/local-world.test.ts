// `npm start` as people run it: a real process with the real serverless CLI, its output in a pipe.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'

const PROJECT = fileURLToPath(new URL('../../', import.meta.url))
const START: string[] = JSON.parse(readFileSync(`${PROJECT}package.json`, 'utf8')).scripts.start.split(' ')

/** A local run while it goes on, and after. */
interface Run {
  readonly process: ChildProcess
  stdout: string
  stderr: string
  /** Resolves when stdout has matched. */
  shows(pattern: RegExp): Promise<RegExpMatchArray>
  /** Resolves with the exit code, or the signal's name, when it has ended and its pipes are closed. */
  readonly ended: Promise<number | string>
}

const runs: Run[] = []

afterEach(async () => {
  for (const run of runs.splice(0)) {
    run.process.kill('SIGKILL')
    await run.ended
  }
})

function start(args: string[], environment: Record<string, string> = {}): Run {
  const { PATH, HOME, TMPDIR } = process.env
  const [, ...script] = START
  const child = spawn(process.execPath, [...script, ...args], {
    cwd: PROJECT,
    env: { PATH, HOME, ...(TMPDIR ? { TMPDIR } : {}), ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
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
  runs.push(run)
  return run
}

/** The text of all sample objects. */
function readSamples(): string {
  const folder = `${PROJECT}infra/local/samples/`
  const files = readdirSync(folder).filter(name => name.endsWith('.yaml'))
  return files.map(name => readFileSync(folder + name, 'utf8')).join('')
}

/** Where a run told that its parts are. */
function placesIn(stdout: string) {
  const toldBy = (pattern: RegExp) => pattern.exec(stdout)?.[1]
  const kubernetesPort = toldBy(/Kubernetes at http:\/\/127\.0\.0\.1:(\d+)/)
  const keycloakPort = toldBy(/Keycloak at https:\/\/127\.0\.0\.1:(\d+)/)
  const lambdaPort = toldBy(/http:\/\/127\.0\.0\.1:(\d+)\/2015-03-31/)
  const kubeconfig = toldBy(/KUBECONFIG=([^;]+);/)
  if (!kubernetesPort || !keycloakPort || !kubeconfig || !lambdaPort) throw new Error(`no first screen in:\n${stdout}`)
  return { kubernetesPort, keycloakPort, kubeconfig, lambdaPort }
}

const processesOf = (lambdaPort: string) =>
  execFileSync('ps', ['-A', '-ww', '-o', 'args='], { encoding: 'utf8' })
    .split('\n')
    .filter(args => args.includes(`--lambdaPort ${lambdaPort}`))

function listens(port: string): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(Number(port), '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

/** Expects that nothing of a run is there any more: no process, no server, no file. */
async function expectNothingLeft(stdout: string): Promise<void> {
  const { kubernetesPort, keycloakPort, kubeconfig, lambdaPort } = placesIn(stdout)
  expect(processesOf(lambdaPort)).toEqual([])
  for (const port of [lambdaPort, kubernetesPort, keycloakPort]) expect(await listens(port)).toBe(false)
  expect(existsSync(dirname(kubeconfig))).toBe(false)
}

/** The Fences as `kubectl get fences` prints them: columns, and cells of each row. */
async function fencesAt({ kubernetesPort }: ReturnType<typeof placesIn>) {
  const answer = await fetch(`http://127.0.0.1:${kubernetesPort}/apis/fencepost.dev/v1/fences`, {
    headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' },
  })
  const { columnDefinitions, rows } = (await answer.json()) as {
    columnDefinitions: { name: string }[]
    rows: { cells: unknown[] }[]
  }
  return { columns: columnDefinitions.map(({ name }) => name), rows: rows.map(({ cells }) => cells) }
}

const LOOPS = ['cleanup', 'status-sync', 'config-check']

/** The Fences after the first tick of each loop, in the order in which they are listed. */
const RAISED = {
  columns: ['Name', 'Token', 'Holder', 'Lease', 'Age'],
  rows: LOOPS.toSorted().map(loop => [
    `fencepost-${loop}`,
    1,
    expect.stringMatching(`^fencepost-${loop}/`),
    expect.any(String),
    expect.any(String),
  ]),
}

/** Rows of the table of a loop's tick that acted, by object. */
function changesIn(stdout: string, loop: string): Record<string, string> {
  const [, table = ''] = new RegExp(`^${loop}  tick .*acted.*\\n((?:  .*\\n)*)`, 'm').exec(stdout) ?? []
  const rows = table.matchAll(/^ {2}(\S+) {2,}(\S+ → \S+) {2,}(\S+)/gm)
  return Object.fromEntries([...rows].map(([, object, transition, reason]) => [object, `${transition} ${reason}`]))
}

describe('npm start --once', () => {
  it('shows one tick of each loop that acted, their second deliveries as skipped, and ends with 0', async () => {
    const run = start(['--once'])

    expect(await run.ended).toBe(0)
    for (const loop of LOOPS) {
      const [header, tick, token] = new RegExp(`^${loop}  tick (\\S+)  token (\\d+)  acted`, 'm').exec(run.stdout) ?? []
      expect(header, run.stdout).toBeDefined()
      expect(run.stdout.match(new RegExp(`^${loop}  tick ${tick} .*acted`, 'gm'))).toHaveLength(1)
      expect(run.stdout).toMatch(
        new RegExp(`^${loop}  tick ${tick}  skipped  already completed by token ${token}`, 'm'),
      )
    }
    expect(changesIn(run.stdout, 'cleanup')).toMatchObject({
      'prod-admin-x7f2': 'Approved → Expired timeExpired',
      'prod-dba-2k9q': 'WaitingForScheduledTime → Approved activated',
      'prod-ops-d8v5': 'Pending → ApprovalTimeout approvalTimeout',
      'prod-audit-z9k4': 'Pending → Withdrawn withdrawn',
      'prod-sre-q1j8': 'Approved → IdleExpired idleTimeout',
      'edge-admin-c7s9': 'Expired → deleted retentionElapsed',
    })
    expect(changesIn(run.stdout, 'status-sync')).toEqual({
      'ops-to-admin': 'none → GroupMembersResolved GroupMembersSynced',
      'dev-to-dba': 'none → GroupMembersResolved GroupMembersSynced',
      'net-to-network': 'none → GroupMembersResolved GroupMembersSynced',
      'qa-to-deploy': 'none → GroupMembersEmpty GroupMembersEmpty',
      'audit-to-auditors': 'none → GroupNotFound GroupNotFound',
      'sre-to-debug': 'none → NoApproverGroupsConfigured ConditionUpdated',
    })
    expect(changesIn(run.stdout, 'config-check')).toEqual({
      prod: 'Ready=unset → Ready=True KubeconfigValidated',
      hub: 'Ready=unset → Ready=True OIDCValidated',
      staging: 'Ready=True → Ready=False SecretMissing',
      lab: 'Ready=unset → Ready=unset command',
    })
    expect(run.stdout.match(/^ {2}completed in .* · 0 failed · .* of budget left$/gm)).toHaveLength(LOOPS.length)
    expect(run.stdout).not.toContain('waited first')
    expect(run.stdout).not.toMatch(/^(warning|error)/m)
    expect(run.stdout).not.toContain('\u001b[')
    expect(run.stderr).toBe('')
    await expectNothingLeft(run.stdout)
  })

  it('does the same with the leases in DynamoDB, and gives nothing but the functions’ JSON when that is asked for', async () => {
    const run = start(['--once', '--json'], { LEASE: 'dynamodb', LOG_LEVEL: 'ERROR', AWS_PROFILE: 'nobody' })

    expect(await run.ended).toBe(0)
    const lines = run.stdout
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line))
    for (const loop of LOOPS) {
      const [first, second] = lines.filter(line => line.message === 'tick' && line.loop === loop)
      expect(first).toMatchObject({ kind: 'completed', token: 1, settled: false, counts: { failed: 0 } })
      expect(first.counts.changed).toBeGreaterThan(0)
      expect(second).toMatchObject({ kind: 'skipped', reason: 'already-completed', tick: first.tick, token: 1 })
    }
    expect(lines.filter(({ level }) => level === 'WARN' || level === 'ERROR')).toEqual([])
    expect(run.stderr).not.toContain('Warning')
    expect(run.stderr).toMatch(/leases in DynamoDB at http:\/\/127\.0\.0\.1:\d+/)
    await expectNothingLeft(run.stderr)
  })

  it('prints no secret of the samples, neither to people nor to programs', async () => {
    const run = start(['--once', '--verbose'], { LOG_LEVEL: 'DEBUG' })

    expect(await run.ended).toBe(0)
    const secrets = ['the-secret-of-corp', 'the-secret-of-partners', 'the-token-of-prod', 'the-token-of-edge']
    for (const secret of secrets) {
      expect(readSamples()).toContain(secret)
      expect(run.stdout + run.stderr).not.toContain(secret)
      expect(run.stdout + run.stderr).not.toContain(Buffer.from(secret).toString('base64'))
    }
  })
})

describe('npm start', () => {
  it('shows who may write to whoever gets the fences, and ends in order with 0 on Ctrl-C, nothing running and no file left', async () => {
    const run = start([])
    await run.shows(/^config-check .*skipped/m)
    expect(run.stdout).toContain('kubectl get fences')
    expect(await fencesAt(placesIn(run.stdout))).toEqual(RAISED)

    run.process.kill('SIGINT')

    expect(await run.ended).toBe(0)
    expect(run.stderr).toBe('')
    await expectNothingLeft(run.stdout)
  })

  it('shows the same with the lease in DynamoDB, and takes the functions with it even when it is killed', async () => {
    const run = start(['--lease', 'dynamodb'])
    await run.shows(/^config-check .*skipped/m)
    expect(await fencesAt(placesIn(run.stdout))).toEqual(RAISED)
    const { lambdaPort, kubeconfig } = placesIn(run.stdout)
    expect(processesOf(lambdaPort)).not.toEqual([])

    run.process.kill('SIGKILL')

    expect(await run.ended).toBe('SIGKILL')
    while (processesOf(lambdaPort).length > 0) await new Promise(resolve => setImmediate(resolve))
    rmSync(dirname(kubeconfig), { recursive: true })
  })

  it('names a taken port and the way to change it, before anything starts, and ends with 1', async () => {
    const occupier = createServer()
    await new Promise<void>(resolve => occupier.listen(0, '127.0.0.1', resolve))
    const { port } = occupier.address() as AddressInfo

    const run = start([], { LAMBDA_PORT: String(port) })

    expect(await run.ended).toBe(1)
    expect(run.stdout).toBe(
      `error  port ${port} for invocations of functions is taken; choose another with --lambda-port or LAMBDA_PORT, or 0 for a free one\n`,
    )
    await new Promise(resolve => occupier.close(resolve))
  })

  it('names an option that does not exist and ends with 2', async () => {
    const run = start(['--onec'])

    expect(await run.ended).toBe(2)
    expect(run.stderr).toBe("Unknown option '--onec'; --help lists the options\n")
    expect(run.stdout).toBe('')
  })
})
