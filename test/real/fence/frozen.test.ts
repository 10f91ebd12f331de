// Two API servers on one etcd, of which the second has stopped hearing of Fences and goes on with its old copy. This is what the
// fence alone can't see: it lets an overtaken write through there. What stops such a write is that it is bound to what it
// judged; the new holder is refused there, and must not take that for an end of its own term.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { PARAMETER_LAG_MS } from '../../../lib/fence/refusal.ts'
import { scenarioClock, T0 } from '../../support/clock.ts'
import { startSandbox } from '../../support/invoke.ts'
import { dueSessions } from '../../support/sessions.ts'
import { type EtcdProxy, startEtcdProxy } from '../servers/etcd-proxy.ts'
import { describeWith } from '../world/left-out.ts'
import type { Acted } from './stage/actor.ts'
import {
  type Answer,
  CLEANUP,
  event,
  type FenceCluster,
  type Hands,
  inForce,
  startFenceCluster,
  virtual,
} from './stage/cluster.ts'
import { FENCE_PATH, LEASE_PATH, SESSIONS_PATH } from './stage/reset.ts'
import { accepted } from './stage/sent.ts'
import { type FenceWorld, outcomeOf, startFenceWorld, tick, whyNoWorld } from './stage/world.ts'
import { isWrite, startActor, stopAt, wake } from './stage/zombie.ts'

const PERIOD = 300_000
const DUE = 4
const EVENTS = '/apis/events.k8s.io/v1/namespaces/breakglass-system/events'

describeWith((await whyNoWorld()) ?? {}, 'beside an API server whose copy of the Fence is frozen', () => {
  let cluster: FenceCluster
  let etcd: EtcdProxy
  let second: Hands
  let world: FenceWorld
  let nowMs = T0
  let isSecond = false

  beforeAll(async () => {
    cluster = await startFenceCluster()
    etcd = await startEtcdProxy(cluster.server.etcd, '/registry/fencepost.dev/fences')
    // Before the installation: a server that starts with policies may need half a minute to know their parameter's kind.
    second = await cluster.hands((await cluster.server.addApiServer(etcd.url)).kubeconfig)
    await cluster.install()
    await inForce(second)
  })
  afterAll(async () => {
    second?.close()
    await cluster?.stop()
    await etcd?.close()
  })
  beforeEach(async () => {
    nowMs = T0
    isSecond = false
    world = await startFenceWorld(cluster, {
      due: DUE,
      now: () => nowMs,
      // As a load balancer may: the raise reaches the one server, all the rest the other.
      route: ({ path }) => (isSecond && !path.includes('/fences/') ? second.upstream : cluster.upstream),
    })
    await inForce(second, /current=none/)
  })
  afterEach(async () => {
    etcd.thaw()
    await world?.close()
  })

  async function raise(token: number): Promise<Record<string, string>> {
    const holder = `fencepost-cleanup/request-${token}/nonce`
    const spec = { token, holder, lease: 'record' }
    const { status, message } = await cluster.ask({ by: CLEANUP, method: 'PATCH', path: FENCE_PATH, body: { spec } })
    expect(status, message).toBe(200)
    return virtual(String(token), holder)
  }

  async function freeze(current: number): Promise<void> {
    await inForce(second, new RegExp(`current=${current} `))
    expect(etcd.marked()).toBeGreaterThan(0)
    etcd.freeze()
  }

  describe('what it lets through, by verb', () => {
    let live: Record<string, { uid: string; resourceVersion: string }>
    let zombie: Record<string, string>
    let holder: Record<string, string>

    const inShort = ({ status, message }: Answer) => `${status}${/token=\d+ current=\d+/.exec(message)?.[0] ?? ''}`
    const send = async (hands: Hands, headers: Record<string, string>, request: Parameters<Hands['ask']>[0]) =>
      inShort(await hands.ask({ by: CLEANUP, headers, ...request }))
    const create = (name: string) => ({ method: 'POST', path: EVENTS, body: event(name, 'breakglass-system') })
    const end = (name: string) => ({
      method: 'PATCH',
      path: `${SESSIONS_PATH}/${name}/status`,
      body: { metadata: { resourceVersion: live[name]?.resourceVersion }, status: { state: 'Expired' } },
    })
    const remove = (name: string) => ({
      method: 'DELETE',
      path: `${SESSIONS_PATH}/${name}`,
      body: { kind: 'DeleteOptions', apiVersion: 'v1', preconditions: live[name] },
    })

    beforeEach(async () => {
      const { body } = await cluster.ask({ method: 'GET', path: SESSIONS_PATH })
      type Item = { metadata: { name: string; uid: string; resourceVersion: string } }
      live = Object.fromEntries(
        (body.items as Item[]).map(({ metadata: { name, uid, resourceVersion } }) => [name, { uid, resourceVersion }]),
      )
      zombie = await raise(41)
      await freeze(41)
      holder = await raise(42)
      await inForce(cluster, /current=42 /)
    })

    it('the first server refuses the overtaken term everything, and lets the new one through', async () => {
      for (const request of [create('first'), end('due-00'), remove('due-01')]) {
        expect(await send(cluster, zombie, request)).toBe('403token=41 current=42')
        expect(await send(cluster, holder, request)).toMatch(/^20[01]$/)
      }
    })

    it('the frozen one lets the overtaken term’s writes through to what nobody touched, and no others', async () => {
      expect(await send(cluster, holder, end('due-00'))).toBe('200')
      expect(await send(cluster, holder, end('due-01'))).toBe('200')
      const writes = { create: create('second'), 'of what was touched': end('due-00'), 'of the other': end('due-02') }
      expect(await send(second, zombie, writes.create)).toBe('201')
      expect(await send(second, zombie, create('second'))).toBe('409')
      expect(await send(second, zombie, writes['of what was touched'])).toBe('409')
      expect(await send(second, zombie, remove('due-01'))).toBe('409')
      expect(await send(second, zombie, writes['of the other'])).toBe('200')
      expect(await send(second, zombie, remove('due-03'))).toBe('200')
    })

    it('the frozen one refuses the new term everything, by a lower token than its own, until it hears again', async () => {
      const refused = [create('third'), end('due-00'), remove('due-01')]
      for (const request of refused) expect(await send(second, holder, request)).toBe('403token=42 current=41')
      etcd.thaw()
      await inForce(second, /current=42 /)
      for (const request of refused) {
        expect(await send(second, zombie, request)).toBe('403token=41 current=42')
        expect(await send(second, holder, request)).toMatch(/^20[01]$/)
      }
    })
  })

  /** One clean tick through the first server, then new work, and the second server's copy frozen at its token. */
  async function firstTerm(): Promise<void> {
    expect(await tick(await world.environment('first'), nowMs)).toMatchObject({ kind: 'completed', token: 1 })
    await cluster.ask({ method: 'DELETE', path: SESSIONS_PATH })
    await world.load(dueSessions(DUE, T0))
    await freeze(1)
    nowMs += PERIOD
    isSecond = true
  }

  it('a new holder behind it refuses to act and says so, does not call itself fenced, and acts once it has caught up', async () => {
    await firstTerm()
    const before = await world.sessions()
    const sandbox = startSandbox(await world.environment('second'), scenarioClock(nowMs))
    const began = performance.now()
    const refused = await outcomeOf(sandbox.tick(nowMs))
    expect(refused).toMatchObject({
      kind: 'failed',
      token: 2,
      counts: { changed: 0 },
      error: { code: 'FenceLagging', message: expect.stringMatching(/token 1 of Fence fencepost-cleanup.*token 2/) },
    })
    expect(performance.now() - began).toBeGreaterThan(PARAMETER_LAG_MS)
    expect(accepted(world, 'second')).toEqual([])
    expect(await world.sessions()).toEqual(before)

    etcd.thaw()
    await inForce(second, /current=2 /)
    nowMs += PERIOD
    const next = await outcomeOf(startSandbox(await world.environment('second'), scenarioClock(nowMs)).tick(nowMs))
    expect(next).toMatchObject({ kind: 'completed', token: 3, counts: { changed: DUE, failed: 0 } })
  })

  it('a new holder that it catches up with inside the deadline acts as if nothing had been', async () => {
    await firstTerm()
    world.hooks.intercept = request => {
      if ('impersonate-user' in request.headers) setTimeout(() => etcd.thaw(), 500)
      return undefined
    }
    const outcome = await tick(await world.environment('second'), nowMs)
    expect(outcome).toMatchObject({ kind: 'completed', token: 2, counts: { changed: DUE, failed: 0 } })
    const refused = world.sent.filter(({ message }) => message.includes('token=2 current=1'))
    expect(refused.length).toBeGreaterThan(0)
    expect(refused.every(({ isDryRun }) => isDryRun)).toBe(true)
  })

  it('an overtaken process behind it is let through by the fence, and refused by what its writes are bound to', async () => {
    isSecond = true
    const child = await startActor(await world.environment('zombie'))
    try {
      await stopAt(world, child, { by: 'zombie', at: isWrite, nth: 3 }, T0)
      expect(accepted(world, 'zombie').map(({ method }) => method)).toEqual(['PATCH', 'POST'])
      await freeze(1)
      nowMs += PERIOD
      isSecond = false
      const successor = await tick(await world.environment('successor'), nowMs)
      expect(successor).toMatchObject({ kind: 'completed', token: 2, settled: true, counts: { changed: DUE - 1 } })
      const after = { sessions: await world.sessions(), record: await world.record(), fence: await world.fence() }

      world.sent.length = 0
      isSecond = true
      wake(child)
      const { outcome, metrics } = await child.next<Acted>()
      expect(outcome).toMatchObject({ kind: 'fenced', token: 1, counts: { changed: 1, unchanged: 0, failed: 0 } })
      expect(metrics).toMatchObject({ TicksFenced: 1 })
      const writes = world.sent.filter(({ isVirtual }) => isVirtual)
      expect(writes.map(({ status }) => status)).toEqual([409])
      expect({ sessions: await world.sessions(), record: await world.record(), fence: await world.fence() }).toEqual(
        after,
      )
    } finally {
      await child.kill()
    }
  })

  it('an overtaken process behind it that meets a conflict makes sure of its lease, and neither looks nor writes again', async () => {
    isSecond = true
    const child = await startActor(await world.environment('zombie'))
    try {
      await stopAt(world, child, { by: 'zombie', at: isWrite, nth: 1 }, T0)
      await freeze(1)
      const holder = 'fencepost-cleanup/successor/nonce'
      const lease = (await world.fence())?.lease
      const spec = { token: 2, holder, lease }
      const record = { spec: { holderIdentity: holder, leaseTransitions: 2 } }
      const touched = { metadata: { labels: { touched: 'yes' } } }
      for (const [path, body] of [
        [FENCE_PATH, { spec }],
        [LEASE_PATH, record],
        [`${SESSIONS_PATH}/due-00`, touched],
      ] as const)
        expect((await cluster.ask({ method: 'PATCH', path, body })).status).toBe(200)

      world.sent.length = 0
      wake(child)
      const { outcome } = await child.next<Acted>()
      expect(outcome).toMatchObject({ kind: 'fenced', token: 1, counts: { changed: 0 } })
      expect(world.sent.filter(({ isVirtual }) => isVirtual).map(({ status }) => status)).toEqual([409])
    } finally {
      await child.kill()
    }
  })
})
