import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type KubernetesApi as EmbeddedApi, startKubernetesApi } from '../../../../infra/local/kubernetes/server.ts'
import type { KubernetesApi, RawObject } from '../../../../lib/kubernetes/api.ts'
import { openTransport } from '../../../../lib/kubernetes/transport.ts'
import { refuseCoordinated } from '../../../../lib/lease/upstream/record.ts'
import { UPSTREAM_SETTLE_MS, type UpstreamMode } from '../../../../lib/lease/upstream/rules.ts'
import { openUpstream, type Upstream, waitOut } from '../../../../lib/lease/upstream/upstream.ts'
import { MINUTE_MS, momentIn, SECOND_MS, systemClock, toMicroTime } from '../../../../lib/time.ts'
import { manualClock, T0 } from '../../../support/clock.ts'
import { idleClock } from '../../../support/idle-clock.ts'

const AT = { namespace: 'breakglass-system', name: 'breakglass.telekom.io' }
const PATH = `/apis/coordination.k8s.io/v1/namespaces/${AT.namespace}/leases/${AT.name}`
const LEADER = 'breakglass-7d9c'
const { signal } = new AbortController()
const tick = { periodMs: 5 * MINUTE_MS, isByHand: false }
const byHand = { ...tick, isByHand: true }

let server: EmbeddedApi
let clock: ReturnType<typeof idleClock>
let own: KubernetesApi
let api: KubernetesApi

beforeEach(async () => {
  clock = idleClock(T0)
  server = await startKubernetesApi({ crds: [], clock: () => clock.wallMs() })
  server.load([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: AT.namespace } }])
  const connection = { server: new URL(server.url), tls: {}, headers: async () => ({ authorization: 'Bearer x' }) }
  api = openTransport(connection, { clock })
  own = openTransport(connection, { clock: systemClock })
})
afterEach(async () => {
  api.close()
  own.close()
  await server.close()
})

const open = (mode: UpstreamMode = 'hold', installation = 'edge'): Upstream =>
  openUpstream({ api, ...AT, mode, installation, clock })

/** A record as client-go writes it, renewed `agoMs` before now. */
function specOf(holderIdentity: string, agoMs = 0, spec: object = {}): object {
  const renewTime = toMicroTime(clock.wallMs() - agoMs)
  const acquireTime = toMicroTime(T0 - 60 * MINUTE_MS)
  return { holderIdentity, leaseTransitions: 4, leaseDurationSeconds: 15, acquireTime, renewTime, ...spec }
}

function load(spec?: object, metadata: object = {}): void {
  server.load([
    { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { ...AT, ...metadata }, ...(spec && { spec }) },
  ])
}

async function seen(): Promise<RawObject & { spec?: Record<string, unknown> }> {
  const { intercept } = server
  server.intercept = undefined
  const { body } = await own.request({ method: 'GET', path: PATH, repeat: 'read' })
  server.intercept = intercept
  return body as RawObject
}

/** Writes as another client does, between a read and its write. */
async function renewAs(holder: string, spec: object = {}): Promise<void> {
  const { intercept } = server
  server.intercept = undefined
  const contentType = 'application/merge-patch+json'
  const body = { spec: { ...specOf(holder), ...spec } }
  await own.request({ method: 'PATCH', path: PATH, contentType, body, repeat: 'bound' })
  server.intercept = intercept
}

/** What was asked for the product; the test itself writes by PATCH. */
const methods = () => server.requests.map(({ method }) => method).filter(method => method !== 'PATCH')

describe('in the mode refuse', () => {
  it.each<[string, (() => void) | undefined, object]>([
    ['a live leader is active, and named', () => load(specOf(LEADER)), { kind: 'active', holder: LEADER }],
    ['a leader whose time is over by 75 s is none', () => load(specOf(LEADER, 75 * SECOND_MS)), { kind: 'go' }],
    ['a Lease that nobody holds lets us go', () => load(specOf('')), { kind: 'go' }],
    ['a Lease that was never held lets us go', () => load(), { kind: 'go' }],
    ['our own record lets us go', () => load(specOf('fencepost/edge')), { kind: 'go' }],
    ['a missing Lease lets us go, and is told', undefined, { kind: 'go', isMissing: true }],
  ])('%s; nothing is written', async (_title, setUp, expected) => {
    setUp?.()
    expect(await open('refuse').ask(tick, signal)).toEqual(expected)
    expect(methods()).toEqual(['GET'])
  })
})

describe('in the mode hold', () => {
  it('a live leader is active, and its record is left as it is', async () => {
    load(specOf(LEADER))
    const before = await seen()
    expect(await open().ask(tick, signal)).toEqual({ kind: 'active', holder: LEADER })
    expect(await seen()).toEqual(before)
  })

  it('a dead leader’s record is taken in client-go’s own fields; labels and annotations of others survive', async () => {
    load(specOf(LEADER, 75 * SECOND_MS), { labels: { team: 'x' }, annotations: { 'example.test/a': 'b' } })
    const answer = await open().ask(tick, signal)
    expect(answer).toMatchObject({ kind: 'go', isTaken: true, takenFrom: LEADER, settleFrom: { wallMs: T0 } })
    expect(await seen()).toMatchObject({
      metadata: { labels: { team: 'x' }, annotations: { 'example.test/a': 'b' } },
      spec: {
        holderIdentity: 'fencepost/edge',
        leaseTransitions: 5,
        leaseDurationSeconds: 900,
        acquireTime: '2026-11-21T07:05:00.000000Z',
        renewTime: '2026-11-21T07:05:00.000000Z',
      },
    })
    expect(methods().slice(0, 2)).toEqual(['GET', 'PUT'])
  })

  it('a Lease that was never held is taken from nobody', async () => {
    load()
    const answer = await open().ask(tick, signal)
    expect(answer).toMatchObject({ kind: 'go', isTaken: true, settleFrom: { wallMs: T0 } })
    expect(answer).not.toHaveProperty('takenFrom')
    expect((await seen()).spec).toMatchObject({ holderIdentity: 'fencepost/edge', leaseTransitions: 1 })
  })

  it('ours is renewed without a new transition or a wait, and never to an earlier end', async () => {
    load(specOf('fencepost/edge', 5 * MINUTE_MS, { leaseDurationSeconds: 1_800 }))
    expect(await open().ask(tick, signal)).toEqual({ kind: 'go' })
    expect((await seen()).spec).toMatchObject({
      leaseTransitions: 4,
      leaseDurationSeconds: 1_500,
      acquireTime: toMicroTime(T0 - 60 * MINUTE_MS),
      renewTime: toMicroTime(T0),
    })
  })

  it('ours that another invocation took a minute ago is waited out whole before anybody acts', async () => {
    load(specOf('fencepost/edge', 0, { acquireTime: toMicroTime(T0 - MINUTE_MS) }))
    expect(await open().ask(tick, signal)).toEqual({ kind: 'go', settleFrom: expect.objectContaining({ wallMs: T0 }) })
  })

  it('three loops that ask at once all go on, and the record keeps the longest of their times', async () => {
    load(specOf('fencepost/edge', 10 * MINUTE_MS, { leaseDurationSeconds: 900 }))
    const minutes = [5, 10, 10]
    const asked = minutes.map(minute => open().ask({ ...tick, periodMs: minute * MINUTE_MS }, signal))
    expect((await Promise.all(asked)).map(({ kind }) => kind)).toEqual(['go', 'go', 'go'])
    expect((await seen()).spec).toMatchObject({ leaseTransitions: 4, leaseDurationSeconds: 1_800 })
  })

  it('by hand it is taken from a live leader, who is named', async () => {
    load(specOf(LEADER))
    expect(await open().ask(byHand, signal)).toMatchObject({ kind: 'go', isTaken: true, takenFrom: LEADER })
    expect((await seen()).spec).toMatchObject({ holderIdentity: 'fencepost/edge', leaseTransitions: 5 })
  })

  it('a record that changed between read and write is judged again: dead before, alive now', async () => {
    load(specOf(LEADER, 75 * SECOND_MS))
    server.intercept = async ({ method }) => {
      if (method === 'PUT') await renewAs(LEADER)
      return undefined
    }
    expect(await open().ask(tick, signal)).toEqual({ kind: 'active', holder: LEADER })
    expect(methods().slice(0, 3)).toEqual(['GET', 'PUT', 'GET'])
  })

  it('by hand it is taken at the next try, when the leader renewed in between', async () => {
    load(specOf(LEADER))
    let renewals = 0
    server.intercept = async ({ method }) => {
      if (method === 'PUT' && renewals < 2) await renewAs(LEADER, { leaseDurationSeconds: 15 + ++renewals })
      return undefined
    }
    expect(await open().ask(byHand, signal)).toMatchObject({ kind: 'go', takenFrom: LEADER })
    expect(methods().filter(method => method === 'PUT')).toHaveLength(3)
  })

  it('gives up after 10 changes in a row', async () => {
    load(specOf(LEADER))
    let renewals = 0
    server.intercept = async ({ method }) => {
      if (method === 'PUT') await renewAs(LEADER, { leaseDurationSeconds: 15 + ++renewals })
      return undefined
    }
    await expect(open().ask(byHand, signal)).rejects.toMatchObject({
      code: 'Conflict',
      message: expect.stringContaining('Lease breakglass-system/breakglass.telekom.io changed 10 times'),
    })
  })

  it('a take whose answer was lost is found in the record, with whom it was taken from, and waited out', async () => {
    load(specOf(LEADER))
    let isLost = false
    server.intercept = ({ method }) => {
      if (method !== 'PUT' || isLost) return undefined
      isLost = true
      return 'reset-after-commit'
    }
    expect(await open().ask(byHand, signal)).toMatchObject({
      kind: 'go',
      isTaken: true,
      takenFrom: LEADER,
      settleFrom: { wallMs: expect.any(Number) },
    })
    expect((await seen()).spec).toMatchObject({ holderIdentity: 'fencepost/edge', leaseTransitions: 5 })
  })

  it('a Lease that was deleted and made again in between is not overwritten unseen', async () => {
    load(specOf(LEADER, 75 * SECOND_MS))
    let isDone = false
    server.intercept = async ({ method }) => {
      if (method === 'PUT' && !isDone) {
        isDone = true
        await own.request({ method: 'DELETE', path: PATH, repeat: 'bound' })
        load(specOf('breakglass-2'))
      }
      return undefined
    }
    expect(await open().ask(tick, signal)).toEqual({ kind: 'active', holder: 'breakglass-2' })
  })

  it('a missing Lease is an error that says who makes it and how to look for it', async () => {
    await expect(open().ask(tick, signal)).rejects.toMatchObject({
      code: 'LeaseMissing',
      message: expect.stringMatching(
        /^Lease breakglass-system\/breakglass\.telekom\.io does not exist.*UPSTREAM_LEASE.*kubectl get leases --all-namespaces/,
      ),
    })
    expect(methods()).toEqual(['GET'])
  })
})

describe('a Lease of a coordinated election', () => {
  it.each(['strategy', 'preferredHolder'])('is not held: spec.%s', field => {
    const metadata = { ...AT, uid: 'u', resourceVersion: '1' }
    const refuse = (spec: object) => refuseCoordinated({ metadata, spec }, 'Lease a/b')
    expect(() => refuse({ [field]: 'x' })).toThrow(`Lease a/b has spec.${field} set: a coordinated election owns it`)
    expect(() => refuse({ holderIdentity: 'x' })).not.toThrow()
  })
})

describe('a right that is missing', () => {
  it.each(['GET', 'PUT'])('to %s is an error that names the command which gives it', async refused => {
    load()
    server.intercept = ({ method }) =>
      method === refused ? { status: 403, body: { kind: 'Status', reason: 'Forbidden', message: 'no' } } : undefined
    await expect(open().ask(tick, signal)).rejects.toMatchObject({
      code: 'Forbidden',
      message: expect.stringMatching(
        new RegExp(`^${refused} .*HTTP 403 Forbidden: no.*\`kubectl apply -k infra/kubernetes/upstream-lease\``),
      ),
    })
  })
})

describe('reading it', () => {
  it('gives the record, and undefined where there is none', async () => {
    expect(await open().read(signal)).toBeUndefined()
    load(specOf(LEADER))
    expect(await open().read(signal)).toEqual({
      holder: LEADER,
      transitions: 4,
      acquiredAtMs: T0 - 60 * MINUTE_MS,
      renewedAtMs: T0,
      durationMs: 15 * SECOND_MS,
    })
  })
})

describe('waitOut', () => {
  it('ends 15 s after the take, on whichever clock went less far', async () => {
    const manual = manualClock()
    const over = waitOut(momentIn(0, manual), manual)
    manual.stepWall(MINUTE_MS)
    await manual.run(over)
    expect(manual.monotonicMs()).toBe(UPSTREAM_SETTLE_MS)
    expect(await over).toBe(true)
  })

  it('ends at once where the take was long ago', async () => {
    const manual = manualClock()
    const since = momentIn(0, manual)
    await manual.advance(UPSTREAM_SETTLE_MS)
    expect(await waitOut(since, manual)).toBe(true)
  })

  it('says that it is not over when it was ended', async () => {
    const manual = manualClock()
    const ending = new AbortController()
    const over = waitOut(momentIn(0, manual), manual, ending.signal)
    await manual.advance(UPSTREAM_SETTLE_MS - 1)
    ending.abort()
    expect(await over).toBe(false)
    expect(manual.pending()).toBe(0)
  })
})
