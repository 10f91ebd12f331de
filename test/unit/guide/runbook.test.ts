import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { withParts } from '../../../infra/build/docs.ts'
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../../../lib/time.ts'
import { FENCE_OBJECTS } from '../../support/fence.ts'
import { at, minute, rawSession, T } from '../reconcilers/cleanup/fixtures.ts'
import { type Functions, isWork, overdue, startFunctions } from '../runtime/harness.ts'

const RUNBOOK = 'docs/runbook.md'
const runbook = readFileSync(RUNBOOK, 'utf8')
const WIDTH = 120

/** The event of the command that stands last before a mark. */
function eventBefore(mark: string): object {
  const before = runbook.slice(0, runbook.indexOf(`<!-- ${mark}:begin -->`))
  const events = [...before.matchAll(/^reconcile '(\{.*\})'$/gm)].map(([, event = '']) => event)
  return JSON.parse(events.at(-1) ?? 'null')
}

const json = (value: unknown) => ['```json', JSON.stringify(value, null, 2), '```'].join('\n')

function pick(value: object, ...keys: string[]): object {
  return Object.fromEntries(keys.map(key => [key, (value as Record<string, unknown>)[key]]))
}

/** What was thrown, as class and message, in lines that fit. */
async function thrown(work: Promise<unknown>): Promise<string> {
  const { name, message } = await work.then(
    () => Promise.reject(new Error('nothing was thrown')),
    error => error,
  )
  return wrapped(`${name}: ${message}`)
}

/** A line of the log, in lines that fit. */
function logged({ log }: Functions, message: string): string {
  const line = log.lines.find(found => found.message === message)
  return wrapped(JSON.stringify({ level: line?.level.toUpperCase(), message, ...line?.fields }))
}

function wrapped(text: string): string {
  const lines = ['']
  for (const word of text.split(' ')) {
    const line = lines.at(-1) as string
    if (line !== '' && line.length + word.length >= WIDTH) lines.push(`  ${word}`)
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`
  }
  return ['```', ...lines, '```'].join('\n')
}

/** A Lease that somebody holds for `seconds` from now. */
const held = (holder: string, seconds: number) => ({
  spec: {
    holderIdentity: holder,
    leaseTransitions: 41,
    leaseDurationSeconds: seconds,
    acquireTime: `${at(0).slice(0, -1)}.000000Z`,
    renewTime: `${at(0).slice(0, -1)}.000000Z`,
  },
})
const HOLDER = 'fencepost-cleanup/8d0f6b6e-6a51-4b0e-9f3a-6f1f6b1b8c11/5f0c1e9a7b3d2468'

/** Lets the API server's clock be off by `skewMs` in its answers to lists of sessions. */
function skewed({ server }: Functions, skewMs: number): void {
  server.intercept = ({ path }) =>
    path.endsWith('/breakglasssessions')
      ? {
          status: 200,
          headers: { date: new Date(T + skewMs).toUTCString() },
          body: { metadata: {}, items: [JSON.parse(JSON.stringify(rawSession('alive')))] },
        }
      : undefined
}

const FENCE_PATH = '/apis/fencepost.dev/v1/fences/fencepost-cleanup'
const BINDING_PATH =
  '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings/fencepost-fence-token-cleanup'
/** What a server says whose copy of the Fence is that of the term before. */
const LAGGING = {
  kind: 'Status',
  reason: 'Forbidden',
  code: 403,
  message: 'denied request: fencepost fence-token: token=1 current=0 holder=fencepost-cleanup/before/0',
}

/** Lets an object be deleted that is guarded. */
async function annotate({ api }: Functions, path: string): Promise<void> {
  const body = { metadata: { annotations: { 'fencepost.dev/allow-deletion': 'true' } } }
  await api.request({ method: 'PATCH', path, contentType: 'application/merge-patch+json', body, repeat: 'bound' })
}

/** What stands between each pair of marks. */
const scenes: Record<string, (event: object) => Promise<string>> = {
  async status(event) {
    const functions = await startFunctions({ sessions: [overdue('a'), rawSession('b')] })
    await functions.tick()
    const nonce = /[0-9a-f]{16}(?="\n)/
    return json(await functions.reconcile(event)).replace(nonce, HOLDER.slice(-16))
  },

  async stuck(event) {
    const functions = await startFunctions()
    await functions.changeLease(held(HOLDER, (30 * HOUR_MS) / SECOND_MS))
    return json(pick(await functions.reconcile(event), 'holder', 'token', 'termEndsAt', 'isOverdue'))
  },

  async release(event) {
    const functions = await startFunctions({ sessions: [overdue('a')] })
    await functions.changeLease(held(HOLDER, (30 * HOUR_MS) / SECOND_MS))
    const answer = await functions.reconcile<object>(event)
    expect(await functions.tick()).toMatchObject({ kind: 'completed', token: 43, settled: true })
    return json(pick(answer, 'holder', 'token', 'isOverdue', 'drained'))
  },

  async missing() {
    const functions = await startFunctions({ lease: false })
    await expect(functions.tick()).rejects.toMatchObject({
      message: expect.stringMatching(/^cleanup tick .* failed; Lease \S+ does not exist; create it with /),
    })
    return await thrown(functions.status())
  },

  async foreign() {
    const functions = await startFunctions()
    await functions.changeLease(held('breakglass-controller-7d9c_0b6f', 15))
    await expect(functions.reconcile({ loop: 'cleanup', action: 'release' })).rejects.toMatchObject({
      code: 'ForeignHolder',
    })
    return await thrown(functions.tick())
  },

  async fenceMissing() {
    const functions = await startFunctions({ sessions: [overdue('a')] })
    await annotate(functions, FENCE_PATH)
    await functions.api.request({ method: 'DELETE', path: FENCE_PATH, repeat: 'bound' })
    const told = await thrown(functions.tick())
    expect(await functions.states()).toEqual({ a: 'Approved' })
    functions.server.load(
      FENCE_OBJECTS.filter(({ kind, metadata }) => kind === 'Fence' && FENCE_PATH.endsWith(metadata.name)),
    )
    functions.clock.advance(5 * MINUTE_MS)
    expect(await functions.tick()).toMatchObject({ kind: 'completed', counts: { changed: 1 } })
    return told
  },

  async fenceNotInForce() {
    const functions = await startFunctions({ sessions: [overdue('a')] })
    await functions.api.request({ method: 'DELETE', path: BINDING_PATH, repeat: 'bound' })
    const told = await thrown(functions.tick())
    expect(await functions.states()).toEqual({ a: 'Approved' })
    functions.server.load(FENCE_OBJECTS.filter(({ metadata }) => BINDING_PATH.endsWith(metadata.name)))
    functions.clock.advance(5 * MINUTE_MS)
    expect(await functions.tick()).toMatchObject({ kind: 'completed', counts: { changed: 1 } })
    return told
  },

  async fenceLagging() {
    const functions = await startFunctions({ sessions: [overdue('a')] })
    functions.server.intercept = ({ user }) =>
      user.username === 'fencepost:fencepost-cleanup' ? { status: 403, body: LAGGING } : undefined
    const told = await thrown(functions.tick())
    expect(await functions.states()).toEqual({ a: 'Approved' })
    return told
  },

  async object() {
    const functions = await startFunctions({ sessions: [overdue('prod-admin-x7f2'), overdue('prod-dba-2k9q')] })
    functions.server.intercept = ({ method, path }) =>
      method === 'PATCH' && path.includes('prod-admin-x7f2')
        ? {
            status: 422,
            body: {
              kind: 'Status',
              reason: 'Invalid',
              message: 'admission webhook "sessions.example.test" denied the request: ticket is closed',
            },
          }
        : undefined
    const told = await thrown(functions.tick())
    functions.server.intercept = undefined
    expect(await functions.states()).toEqual({ 'prod-admin-x7f2': 'Approved', 'prod-dba-2k9q': 'Expired' })
    expect(await functions.status()).toMatchObject({
      completedTick: null,
      checkpoint: null,
      lastOutcome: { kind: 'failed', counts: { changed: 1, failed: 1 } },
    })
    return told
  },

  async 'skew-warning'() {
    const functions = await startFunctions()
    skewed(functions, -12 * SECOND_MS)
    expect(await functions.tick()).toMatchObject({ kind: 'completed' })
    return logged(functions, 'clocks differ')
  },

  async skew() {
    const functions = await startFunctions()
    skewed(functions, -3 * MINUTE_MS)
    return await thrown(functions.tick())
  },

  async budget() {
    const names = Array.from({ length: 60 }, (_, i) => `due-${String(i).padStart(2, '0')}`)
    const functions = await startFunctions({ sessions: names.map(overdue) })
    functions.server.intercept = async ({ method }) => {
      if (method === 'PATCH') await functions.clock.sleep(4 * SECOND_MS)
      return undefined
    }
    const outcome = await functions.tick()
    functions.server.intercept = undefined
    expect(outcome.counts.changed).toBeLessThan(60)
    const status = await functions.status()
    functions.clock.advance(5 * MINUTE_MS)
    expect(await functions.tick()).toMatchObject({
      kind: 'completed',
      settled: false,
      counts: { changed: 60 - outcome.counts.changed },
    })
    return json({ ...pick(outcome, 'kind', 'budgetLeftMs'), checkpoint: status.checkpoint })
  },

  async checkpoint() {
    const functions = await startFunctions({ sessions: [overdue('a')] })
    const checkpoint = JSON.stringify({ v: 2, cursor: { phase: 'retention' } })
    await functions.changeLease({ metadata: { annotations: { 'fencepost.dev/checkpoint': checkpoint } } })
    expect(await functions.tick()).toMatchObject({ kind: 'completed', counts: { changed: 1 } })
    return logged(functions, 'checkpoint not used')
  },

  async suspend(event) {
    const functions = await startFunctions()
    await functions.tick()
    return json(pick(await functions.reconcile(event), 'holder', 'token', 'suspended'))
  },

  async suspended(event) {
    const functions = await startFunctions({ sessions: [overdue('a')] })
    await functions.reconcile(event)
    expect(await functions.reconcile({ loop: 'cleanup', dryRun: true })).toMatchObject({ plan: [{ object: 'team/a' }] })
    return json(pick(await functions.tick(), 'kind', 'loop', 'tick', 'reason'))
  },

  async resume(event) {
    const functions = await startFunctions({ sessions: [overdue('a')] })
    await functions.reconcile({ loop: 'cleanup', action: 'suspend' })
    const answer = await functions.reconcile<object>(event)
    expect(await functions.tick()).toMatchObject({ kind: 'completed', counts: { changed: 1 } })
    return json(pick(answer, 'holder', 'token', 'suspended'))
  },
}

describe('the runbook', () => {
  it('shows what its commands answer', async () => {
    const parts: Record<string, string> = {}
    for (const [mark, scene] of Object.entries(scenes)) parts[mark] = await scene(eventBefore(mark))
    // `npx vitest run test/unit/guide -u` writes them anew.
    await expect(withParts(runbook, parts)).toMatchFileSnapshot(`../../../${RUNBOOK}`)
  })

  it('has a scene for every answer it shows', () => {
    const marks = [...runbook.matchAll(/<!-- (\S+):begin -->/g)].map(([, mark]) => mark)
    expect(marks.sort()).toEqual(Object.keys(scenes).sort())
  })

  it('says rightly that a crash needs nothing: the next tick takes over', async () => {
    const functions = await startFunctions({ sessions: [overdue('a')] })
    await functions.changeLease(held(HOLDER, 60))
    functions.clock.advance(5 * minute)
    expect(await functions.status()).toMatchObject({ isOverdue: true, drained: false })
    expect(await functions.tick()).toMatchObject({ kind: 'completed', token: 42, tookOverFrom: HOLDER, settled: true })
  })

  it('says rightly that a holder whose lease is freed writes on until its end, and then answers fenced', async () => {
    const names = Array.from({ length: 20 }, (_, i) => `due-${i}`)
    const functions = await startFunctions({ sessions: names.map(overdue) })
    let patches = 0
    functions.server.intercept = async ({ method }) => {
      if (method === 'PATCH' && ++patches === 1) await functions.reconcile({ loop: 'cleanup', action: 'release' })
      return undefined
    }
    expect(await functions.tick()).toMatchObject({ kind: 'fenced', token: 1, counts: { changed: 20 } })
    functions.server.intercept = undefined
    expect(await functions.status()).toMatchObject({ holder: null, token: 2, drained: false, completedTick: null })
  })

  it('says rightly that a tick whose rights are taken away changes nothing more and gives its lease back', async () => {
    const names = Array.from({ length: 20 }, (_, i) => `due-${i}`)
    const functions = await startFunctions({ sessions: names.map(overdue) })
    let patches = 0
    functions.server.intercept = request =>
      isWork(request) && (request.method === 'PATCH' ? ++patches > 5 : patches > 5)
        ? { status: 403, body: { kind: 'Status', reason: 'Forbidden', message: 'no' } }
        : undefined
    await expect(functions.tick()).rejects.toMatchObject({ code: 'TickFailed', outcome: { counts: { changed: 5 } } })
    functions.server.intercept = undefined
    expect(await functions.status()).toMatchObject({ holder: null, drained: true, lastOutcome: { kind: 'failed' } })
  })
})
