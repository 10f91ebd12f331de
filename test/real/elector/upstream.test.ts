// Beside a live upstream: client-go's electors at 15, 10 and 2 s, which elect again when they have lost, and our functions on
// the same Lease. Whoever leads, the other stands still: no work of ours falls between an elector's beginning to lead and its
// end. They stop because their renewal is refused, and come back because ours stopped.
//
// These tests wait for real seconds. They run beside each other, each on a Lease of its own.

import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest'
import { renderManifests } from '../../../infra/build/manifests.ts'
import type { RawObject } from '../../../lib/kubernetes/api.ts'
import { readObject } from '../../../lib/kubernetes/pages.ts'
import { LEASE } from '../../../lib/lease/kubernetes.ts'
import { UPSTREAM_SETTLE_MS } from '../../../lib/lease/upstream/rules.ts'
import { openUpstream, waitOut } from '../../../lib/lease/upstream/upstream.ts'
import type { LoopStatus } from '../../../lib/runtime/status.ts'
import { MINUTE_MS, parseInstant, SECOND_MS, systemClock } from '../../../lib/time.ts'
import { startSandbox } from '../../support/invoke.ts'
import { isWork } from '../../support/requests.ts'
import { dueSessions } from '../../support/sessions.ts'
import { startWorld, type World } from '../../support/world.ts'
import { FUNCTION_USER } from '../world/cluster.ts'
import { describeWith } from '../world/left-out.ts'
import { ADMINISTRATOR_TOKEN } from '../world/servers.ts'
import { type Elector, electorBinary, startElector, whyNoElector } from './elector.ts'

const BUILT_WITHIN_MS = 600_000
const DONE_WITHIN_MS = 150_000
/** The longest that a leader goes on after a take: its rest, then its renew deadline, and a moment to say so. */
const STOPPED_WITHIN_MS = 12_000 + 500
const { signal } = new AbortController()

const { kubernetes, dynamodb } = inject('realServers')
const missing = [kubernetes, dynamodb].find(server => typeof server === 'string')
const sessions = typeof kubernetes === 'string' || kubernetes.sessions === true ? kubernetes : kubernetes.sessions
const server = missing ?? (await whyNoElector()) ?? sessions

/** When somebody led, epoch ms. */
interface Reign {
  readonly fromMs: number
  readonly toMs: number
}

/** Each time that an elector led, by its own lines. */
function reignsOf({ lines }: Elector): Reign[] {
  return lines
    .filter(({ event }) => event === 'leading')
    .map(({ atMs: fromMs }) => {
      const end = lines.find(({ event, atMs }) => event === 'stopped' && atMs >= fromMs)
      return { fromMs, toMs: end?.atMs ?? Number.POSITIVE_INFINITY }
    })
}

describeWith(server, 'beside electors of client-go that lead', real => {
  if (typeof real === 'string') throw new Error(real)
  const { namespace } = real
  let world: World
  let binary: string
  const electors: Elector[] = []
  /** When each write of ours to work objects was sent. */
  const workAtMs: number[] = []

  beforeAll(async () => {
    binary = await electorBinary()
    world = await startWorld(['cleanup'])
    const rights = renderManifests({ installation: namespace, namespace, upstreamLease: `${namespace}/upstream-a` })
      .filter(({ metadata }) => metadata.name.endsWith('-upstream-lease'))
      .map(object =>
        JSON.parse(JSON.stringify(object).replaceAll(`fencepost:function:${namespace}-cleanup`, FUNCTION_USER)),
      )
    expect(rights).toHaveLength(2)
    await world.kubernetes.load(rights)
    world.kubernetes.intercept = request => {
      if (request.user.username === `fencepost:${namespace}-cleanup` && isWork(request)) workAtMs.push(Date.now())
      return undefined
    }
  }, BUILT_WITHIN_MS)

  afterAll(async () => {
    for (const elector of electors) elector.signal('SIGKILL')
    await Promise.all(electors.map(({ ended }) => ended))
    await world?.close()
  })

  function start(identity: string, lease: string): Elector {
    const at = { url: world.kubernetes.url, token: ADMINISTRATOR_TOKEN, namespace, lease }
    const elector = startElector({ binary, ...at, identity, electsAgain: true })
    electors.push(elector)
    return elector
  }

  async function seen(name: string): Promise<Record<string, unknown>> {
    const lease = (await readObject(world.api, LEASE, { namespace, name }, signal)) as RawObject
    return lease.spec as Record<string, unknown>
  }

  const functions = (mode: 'hold' | 'refuse') =>
    startSandbox(
      {
        ...world.environment('kubernetes'),
        CLEANUP_INTERVAL: '1m',
        UPSTREAM_LEASE: `${namespace}/upstream-a`,
        UPSTREAM_MODE: mode,
      },
      systemClock,
    )

  /** Waits until every elector has looked at the record so often from now on. */
  const looksOf = (some: readonly Elector[], count: number) => {
    const sinceMs = Date.now()
    return Promise.all(
      some.map(elector => {
        let looks = 0
        return elector.until('looked', ({ atMs }) => atMs > sinceMs && ++looks >= count)
      }),
    )
  }

  describe.concurrent('and', { timeout: DONE_WITHIN_MS }, () => {
    it('refuse writes nothing, hold takes over on command alone, keeps them waiting, and gives way again: never two at once', async () => {
      const first = start('breakglass-0', 'upstream-a')
      await first.until('leading')
      const second = start('breakglass-1', 'upstream-a')
      await second.until('looked')
      const [refuse, hold] = [functions('refuse'), functions('hold')]
      const status = () => refuse.reconcile<LoopStatus>({ loop: 'cleanup', action: 'status' })
      await vi.waitFor(async () => expect((await status()).upstream?.state).toBe('active'), { timeout: 10_000 })
      await world.kubernetes.load(dueSessions(3, Date.now()))

      // Upstream leads: neither mode acts by itself, nor writes its Lease.
      const active = { kind: 'skipped', reason: 'upstream-active', holder: 'breakglass-0' }
      expect(await refuse.tick(Date.now())).toMatchObject(active)
      expect(await hold.tick(Date.now())).toMatchObject(active)
      expect(workAtMs).toEqual([])
      expect(await seen('upstream-a')).toMatchObject({ holderIdentity: 'breakglass-0', leaseTransitions: 0 })

      // On command it is taken from the live leader, which has stopped when the command answers.
      const taken = await hold.reconcile<LoopStatus>({ loop: 'cleanup', action: 'hold' })
      const answeredAtMs = Date.now()
      expect(taken.upstream).toMatchObject({ state: 'ours', takenFrom: 'breakglass-0' })
      const held = await seen('upstream-a')
      expect(held).toMatchObject({ holderIdentity: `fencepost/${namespace}`, leaseTransitions: 1 })
      const takenAtMs = parseInstant(held.acquireTime) ?? 0
      const [reign] = reignsOf(first)
      expect(reign?.toMs).toBeLessThan(answeredAtMs)
      // The renew deadline alone would be too short a wait.
      expect((reign?.toMs ?? 0) - takenAtMs).toBeGreaterThan(9_900)
      expect((reign?.toMs ?? 0) - takenAtMs).toBeLessThanOrEqual(STOPPED_WITHIN_MS)
      expect(answeredAtMs - takenAtMs).toBeGreaterThanOrEqual(UPSTREAM_SETTLE_MS - 100)

      // We act and renew at ticks; both electors look and wait.
      const tickAtMs = Date.now()
      expect(await hold.tick(tickAtMs)).toMatchObject({ kind: 'completed', counts: { changed: 3 } })
      const renewed = await seen('upstream-a')
      expect(renewed).toMatchObject({ leaseTransitions: 1, leaseDurationSeconds: 180, acquireTime: held.acquireTime })
      await looksOf([first, second], 3)
      expect(await hold.tick(tickAtMs + MINUTE_MS)).toMatchObject({ kind: 'completed' })
      expect(parseInstant((await seen('upstream-a')).renewTime)).toBeGreaterThan(parseInstant(renewed.renewTime) ?? 0)
      expect([first, second].flatMap(reignsOf)).toHaveLength(1)

      // Given back by hand, upstream leads within its next looks, and our next tick stands still.
      const path = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/upstream-a`
      const contentType = 'application/merge-patch+json'
      const body = { spec: { holderIdentity: '' } }
      const givenBackAtMs = Date.now()
      await world.api.request({ method: 'PATCH', path, contentType, body, repeat: 'bound' })
      const isLater = ({ atMs }: { atMs: number }) => atMs >= givenBackAtMs
      const next = await Promise.race([first.until('leading', isLater), second.until('leading', isLater)])
      expect(next.atMs - givenBackAtMs).toBeLessThan(6_000)
      const worked = workAtMs.length
      expect(worked).toBeGreaterThan(0)
      expect(await hold.tick(tickAtMs + 2 * MINUTE_MS - 30_000)).toMatchObject({
        kind: 'skipped',
        reason: 'upstream-active',
        holder: next.holder,
      })
      expect(workAtMs).toHaveLength(worked)

      const reigns = [first, second].flatMap(reignsOf)
      expect(reigns).toHaveLength(2)
      for (const atMs of workAtMs)
        expect(reigns.filter(({ fromMs, toMs }) => atMs >= fromMs && atMs <= toMs)).toEqual([])
    })

    it('what we stop renewing they take by themselves, when the time that our record names is over', async () => {
      const first = start('breakglass-0', 'upstream-b')
      await first.until('leading')
      const second = start('breakglass-1', 'upstream-b')
      await second.until('looked')
      const upstream = openUpstream({
        api: world.api,
        namespace,
        name: 'upstream-b',
        mode: 'hold',
        installation: namespace,
        clock: systemClock,
      })
      const claim = { periodMs: 10 * SECOND_MS, isByHand: true }
      const taken = await upstream.ask(claim, signal)
      if (taken.kind !== 'go' || !taken.settleFrom) throw new Error(`not taken: ${JSON.stringify(taken)}`)
      expect(taken.takenFrom).toBe('breakglass-0')
      await waitOut(taken.settleFrom, systemClock)
      expect(reignsOf(first)).toMatchObject([{ toMs: expect.toSatisfy((toMs: number) => toMs < Date.now()) }])

      expect(await upstream.ask({ ...claim, isByHand: false }, signal)).toMatchObject({ kind: 'go' })
      const renewedAtMs = Date.now()
      expect(await seen('upstream-b')).toMatchObject({ leaseDurationSeconds: 30, leaseTransitions: 1 })
      const isLater = ({ atMs }: { atMs: number }) => atMs > renewedAtMs
      const next = await Promise.race([first.until('leading', isLater), second.until('leading', isLater)])
      expect(next.atMs - renewedAtMs).toBeGreaterThanOrEqual(30_000)
      expect(next.atMs - renewedAtMs).toBeLessThan(42_000)
      expect(await seen('upstream-b')).toMatchObject({ holderIdentity: next.holder, leaseTransitions: 2 })
      expect(await upstream.ask({ ...claim, isByHand: false }, signal)).toEqual({ kind: 'active', holder: next.holder })
    })
  })
})
