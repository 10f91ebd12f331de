import { describe, expect, it } from 'vitest'
import type { RawObject } from '../../../lib/kubernetes/api.ts'
import type { LoopStatus } from '../../../lib/runtime/status.ts'
import { MINUTE_MS, SECOND_MS, toInstant, toMicroTime } from '../../../lib/time.ts'
import { T } from '../reconcilers/cleanup/fixtures.ts'
import { type Functions, overdue, PERIOD_MS, startFunctions } from './harness.ts'

const AT = { namespace: 'breakglass-system', name: 'breakglass.telekom.io' }
const PATH = `/apis/coordination.k8s.io/v1/namespaces/${AT.namespace}/leases/${AT.name}`
const ADDRESS = `Lease ${AT.namespace}/${AT.name}`
const LEADER = 'breakglass-7d9c'
const OURS = 'fencepost/fencepost'
const hold = { loop: 'cleanup', action: 'hold' }

/** What a leader writes, `agoMs` before the first tick. */
const specOf = (holderIdentity: string, agoMs = 0, more: object = {}) => ({
  holderIdentity,
  leaseTransitions: 4,
  leaseDurationSeconds: 15,
  acquireTime: toMicroTime(T - 60 * MINUTE_MS),
  renewTime: toMicroTime(T - agoMs),
  ...more,
})

interface Beside extends Functions {
  seen(): Promise<Record<string, unknown>>
  renew(spec: object): Promise<void>
  /** Methods that were sent to upstream's Lease. */
  sent(): string[]
}

/** One overdue session, and upstream's Lease with a spec; undefined: there is none. */
async function startBeside(mode: 'hold' | 'refuse', spec?: object): Promise<Beside> {
  const functions = await startFunctions({ sessions: [overdue('a')] })
  Object.assign(functions.environment, { UPSTREAM_LEASE: `${AT.namespace}/${AT.name}`, UPSTREAM_MODE: mode })
  functions.server.load([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: AT.namespace } }])
  if (spec) functions.server.load([{ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: AT, spec }])
  return {
    ...functions,
    async seen() {
      const { body } = await functions.api.request({ method: 'GET', path: PATH, repeat: 'read' })
      return (body as RawObject & { spec: Record<string, unknown> }).spec
    },
    async renew(change) {
      const contentType = 'application/merge-patch+json'
      await functions.api.request({ method: 'PATCH', path: PATH, contentType, body: { spec: change }, repeat: 'bound' })
    },
    sent: () => functions.server.requests.filter(({ path }) => path === PATH).map(({ method }) => method),
  }
}

describe('a tick with UPSTREAM_MODE=refuse', () => {
  it('is skipped while upstream’s leader lives: it names the leader, and nothing but its Lease was asked for', async () => {
    const beside = await startBeside('refuse', specOf(LEADER))
    const outcome = await beside.tick()
    expect(outcome).toMatchObject({ kind: 'skipped', reason: 'upstream-active', holder: LEADER, loop: 'cleanup' })
    expect(outcome).not.toHaveProperty('token')
    expect(beside.server.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([`GET ${PATH}`])
    expect(beside.log.lines).toMatchObject([
      { level: 'info', message: 'upstream active', fields: { loop: 'cleanup', lease: ADDRESS, holder: LEADER } },
      { level: 'info', message: 'tick', fields: { kind: 'skipped', reason: 'upstream-active' } },
    ])
  })

  it('goes on 75 s after the leader’s last renewal, and leaves the record as it is', async () => {
    const spec = specOf(LEADER, 75 * SECOND_MS)
    const beside = await startBeside('refuse', spec)
    expect(await beside.tick()).toMatchObject({ kind: 'completed', counts: { changed: 1 } })
    expect(await beside.seen()).toEqual(spec)
    expect(beside.sent()).toEqual(['GET'])
  })

  it('goes on where there is no such Lease, and warns of it', async () => {
    const beside = await startBeside('refuse')
    expect(await beside.tick()).toMatchObject({ kind: 'completed', counts: { changed: 1 } })
    expect(beside.log.lines[0]).toMatchObject({
      level: 'warn',
      message: 'upstream lease missing',
      fields: { loop: 'cleanup', lease: ADDRESS },
    })
  })

  it('is skipped by hand as well; a dry run asks nothing of upstream', async () => {
    const beside = await startBeside('refuse', specOf(LEADER))
    expect(await beside.reconcile({ loop: 'cleanup' })).toMatchObject({ kind: 'skipped', reason: 'upstream-active' })
    beside.server.clearRequests()
    expect(await beside.reconcile({ loop: 'cleanup', dryRun: true })).toMatchObject({ kind: 'dry-run' })
    expect(beside.sent()).toEqual([])
  })

  it('works beside a lease in memory', async () => {
    const beside = await startBeside('refuse', specOf(LEADER))
    beside.environment.ENABLE_LEADER_ELECTION = 'false'
    expect(await beside.tick()).toMatchObject({ kind: 'skipped', reason: 'upstream-active' })
  })
})

describe('a tick with UPSTREAM_MODE=hold', () => {
  it('takes a dead leader’s Lease, waits 15 s before it does anything else, and then acts', async () => {
    const beside = await startBeside('hold', specOf(LEADER, 75 * SECOND_MS))
    const at: [string, number][] = []
    beside.server.intercept = ({ method, path }) => {
      at.push([path === PATH ? `${method} upstream` : 'other', beside.clock.wallMs() - T])
      return undefined
    }
    expect(await beside.tick()).toMatchObject({ kind: 'completed', counts: { changed: 1 } })
    expect(at.slice(0, 2)).toEqual([
      ['GET upstream', 0],
      ['PUT upstream', 0],
    ])
    expect(at.length).toBeGreaterThan(5)
    for (const [what, afterMs] of at.slice(2)) {
      expect(what).toBe('other')
      expect(afterMs).toBeGreaterThanOrEqual(15 * SECOND_MS)
    }
    expect(await beside.seen()).toMatchObject({
      holderIdentity: OURS,
      leaseTransitions: 5,
      leaseDurationSeconds: (3 * PERIOD_MS) / SECOND_MS,
      renewTime: toMicroTime(T),
    })
    expect(beside.log.lines).toContainEqual({
      level: 'warn',
      message: 'upstream lease taken',
      fields: { loop: 'cleanup', lease: ADDRESS, takenFrom: LEADER },
    })
  })

  it('renews it at every tick and waits no more', async () => {
    const beside = await startBeside('hold', specOf(OURS))
    for (let tick = 0; tick < 3; tick++) {
      const beganMs = beside.clock.wallMs()
      expect(await beside.tick()).toMatchObject({ kind: 'completed' })
      expect(beside.clock.wallMs()).toBe(beganMs)
      expect(await beside.seen()).toMatchObject({ leaseTransitions: 4, renewTime: toMicroTime(beganMs) })
      beside.clock.advance(PERIOD_MS)
    }
  })

  it('also where its own lease is suspended, so that nobody does upstream’s work meanwhile', async () => {
    const beside = await startBeside('hold', specOf(OURS, 2 * MINUTE_MS))
    await beside.reconcile({ loop: 'cleanup', action: 'suspend' })
    expect(await beside.tick()).toMatchObject({ kind: 'skipped', reason: 'suspended' })
    expect(await beside.seen()).toMatchObject({ renewTime: toMicroTime(T) })
  })

  it('takes nothing from a live leader: skipped, with a warning that names the way to take it', async () => {
    const beside = await startBeside('hold', specOf(LEADER))
    expect(await beside.tick()).toMatchObject({ kind: 'skipped', reason: 'upstream-active', holder: LEADER })
    expect(beside.sent()).toEqual(['GET'])
    expect(beside.writes()).toEqual([])
    expect(beside.log.lines[0]).toMatchObject({
      level: 'warn',
      message: 'upstream lease not ours',
      fields: { lease: ADDRESS, holder: LEADER, mending: '{"loop":"cleanup","action":"hold"}' },
    })
  })

  it('lost between two ticks, it is skipped and says who has it', async () => {
    const beside = await startBeside('hold', specOf(OURS))
    await beside.tick()
    beside.clock.advance(PERIOD_MS)
    await beside.renew(specOf('breakglass-2', -PERIOD_MS, { leaseTransitions: 5 }))
    beside.server.clearRequests()
    expect(await beside.tick()).toMatchObject({ reason: 'upstream-active', holder: 'breakglass-2' })
    expect(beside.writes()).toEqual([])
    expect(beside.log.messages()).toContain('upstream lease not ours')
  })

  it('yields when the budget ends before the wait does, and the next tick waits again if it comes soon', async () => {
    const beside = await startBeside('hold', specOf('', 0))
    const yielded = await beside.tick({ remainingMs: 20 * SECOND_MS })
    expect(yielded).toMatchObject({ kind: 'yielded', counts: { changed: 0 } })
    expect(yielded).not.toHaveProperty('token')
    expect(await beside.states()).toEqual({ a: 'Approved' })

    const beganMs = beside.clock.wallMs()
    expect(await beside.tick()).toMatchObject({ kind: 'completed', counts: { changed: 1 } })
    expect(beside.clock.wallMs() - beganMs).toBe(15 * SECOND_MS)
  })

  it.each<[string, object | undefined, 403 | undefined, RegExp]>([
    ['no such Lease', undefined, undefined, /UPSTREAM_LEASE.*kubectl get leases/],
    ['no right to it', specOf(OURS), 403, /kubectl apply -k infra\/kubernetes\/upstream-lease/],
  ])('fails with the mending where there is %s, and writes nothing', async (_title, spec, status, mending) => {
    const beside = await startBeside('hold', spec)
    beside.server.intercept = ({ path }) => (status && path === PATH ? { status } : undefined)
    await expect(beside.tick()).rejects.toMatchObject({
      code: 'TickFailed',
      message: expect.stringMatching(mending),
      outcome: { kind: 'failed', error: { message: expect.stringMatching(mending) } },
    })
    expect(await beside.lease()).toMatchObject({ spec: {} })
    expect(beside.writes()).toEqual([])
  })

  it('ends with its budget against an API server that never answers for that Lease', async () => {
    const beside = await startBeside('hold', specOf(OURS))
    beside.server.intercept = ({ path }) => (path === PATH ? 'hang' : undefined)
    const outcome = await beside.tick({ remainingMs: 20 * SECOND_MS })
    expect(outcome).toMatchObject({ kind: 'yielded', counts: { changed: 0 } })
    expect(beside.clock.wallMs() - T).toBeLessThan(20 * SECOND_MS)
  })
})

describe('the action hold', () => {
  it('takes upstream’s Lease from a live leader, answers 15 s later, and names whom it was taken from', async () => {
    const beside = await startBeside('hold', specOf(LEADER))
    const status = await beside.reconcile<LoopStatus>(hold)
    expect(beside.clock.wallMs() - T).toBe(15 * SECOND_MS)
    expect(status).toMatchObject({
      loop: 'cleanup',
      holder: null,
      upstream: {
        lease: ADDRESS,
        mode: 'hold',
        state: 'ours',
        holder: OURS,
        endsAt: toInstant(T + 3 * PERIOD_MS),
        takenFrom: LEADER,
      },
    })
    expect(await beside.seen()).toMatchObject({ holderIdentity: OURS, leaseTransitions: 5 })
    expect(beside.log.lines).toMatchObject([
      { level: 'warn', message: 'upstream lease held by hand', fields: { lease: ADDRESS, takenFrom: LEADER } },
    ])
    expect(await beside.states()).toEqual({ a: 'Approved' })
  })

  it('answers at once, and names nobody, where it is ours already', async () => {
    const beside = await startBeside('hold', specOf(OURS))
    expect(await beside.reconcile<LoopStatus>(hold)).toMatchObject({ upstream: { state: 'ours', takenFrom: null } })
    expect(beside.clock.wallMs()).toBe(T)
    expect(await beside.seen()).toMatchObject({ leaseTransitions: 4 })
  })

  it.each<[string, Record<string, string>]>([
    ['UPSTREAM_MODE=refuse', { UPSTREAM_MODE: 'refuse' }],
    ['no UPSTREAM_LEASE', { UPSTREAM_MODE: '', UPSTREAM_LEASE: '' }],
  ])('is refused with %s, and asks nothing of the server', async (_title, environment) => {
    const beside = await startBeside('hold', specOf(LEADER))
    Object.assign(beside.environment, environment)
    await expect(beside.reconcile(hold)).rejects.toMatchObject({
      code: 'InvalidConfiguration',
      message: expect.stringContaining('UPSTREAM_MODE=hold'),
    })
    expect(beside.server.requests).toEqual([])
  })

  it('is refused where too little of the invocation is left to wait, before anything is changed', async () => {
    const beside = await startBeside('hold', specOf(LEADER))
    await expect(beside.reconcile(hold, { remainingMs: 29_000 })).rejects.toMatchObject({
      message: expect.stringMatching(/needs 30\.0 s and this invocation has 29\.0 s left.*nothing was changed/),
    })
    expect(beside.server.requests).toEqual([])
    expect(await beside.reconcile<LoopStatus>(hold, { remainingMs: 30_000 })).toMatchObject({
      upstream: { takenFrom: LEADER },
    })
  })

  it('gives up after 10 s against a server that never answers', async () => {
    const beside = await startBeside('hold', specOf(LEADER))
    beside.server.intercept = () => 'hang'
    await expect(beside.reconcile(hold)).rejects.toMatchObject({ code: 'Aborted' })
    expect(beside.clock.wallMs() - T).toBe(10 * SECOND_MS)
  })
})

describe('status', () => {
  it.each<[string, object | undefined, object]>([
    ['ours', specOf(OURS), { holder: OURS, endsAt: toInstant(T + 15 * SECOND_MS) }],
    ['active', specOf(LEADER, 74 * SECOND_MS), { holder: LEADER, endsAt: toInstant(T - 59 * SECOND_MS) }],
    ['over', specOf(LEADER, 75 * SECOND_MS), { holder: LEADER }],
    ['free', specOf(''), { holder: null }],
    ['missing', undefined, { holder: null, endsAt: null }],
  ])('tells upstream’s Lease: %s', async (state, spec, expected) => {
    const beside = await startBeside('refuse', spec)
    const { upstream } = await beside.status()
    expect(upstream).toMatchObject({ lease: ADDRESS, mode: 'refuse', state, ...expected })
    expect(upstream).not.toHaveProperty('takenFrom')
  })

  it('tells the rest where it can’t be read', async () => {
    const beside = await startBeside('refuse', specOf(LEADER))
    beside.server.intercept = ({ path }) => (path === PATH ? { status: 403 } : undefined)
    expect(await beside.status()).toMatchObject({ token: 0, upstream: { state: 'unreadable', holder: null } })
    expect(beside.log.lines).toMatchObject([
      { level: 'warn', message: 'upstream lease not read', fields: { code: 'Forbidden' } },
    ])
  })

  it('says nothing of it where none is configured', async () => {
    const functions = await startFunctions()
    expect(await functions.status()).not.toHaveProperty('upstream')
  })
})
