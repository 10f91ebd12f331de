// The verification checklist of the breakglass controller's scaling document («Scaling and Leader Election in Breakglass»), box
// by box, for the loop that is a function here: a replica is a sandbox of its own, the REST API is the function for runs by
// hand, and the admission webhooks are the fence's policies on every API server. Its boxes about the other two loops have no
// counterpart before those loops do.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { scenarioClock, T0 } from '../../support/clock.ts'
import { type Sandbox, startSandbox } from '../../support/invoke.ts'
import { describeWith } from '../world/left-out.ts'
import { type FenceCluster, type Hands, inForce, probe, startFenceCluster } from './stage/cluster.ts'
import { accepted } from './stage/sent.ts'
import { type FenceWorld, outcomeOf, startFenceWorld, tick, whyNoWorld } from './stage/world.ts'
import { isWrite, startActor, when } from './stage/zombie.ts'

const PERIOD = 300_000
const DUE = 4
const REPLICAS = ['one', 'two', 'three']

describeWith((await whyNoWorld()) ?? {}, 'the verification checklist', () => {
  let cluster: FenceCluster
  let second: Hands
  let world: FenceWorld
  let nowMs = T0

  beforeAll(async () => {
    cluster = await startFenceCluster()
    second = await cluster.hands((await cluster.server.addApiServer()).kubeconfig)
    await cluster.install()
  })
  afterAll(async () => {
    second?.close()
    await cluster?.stop()
  })
  beforeEach(async () => {
    nowMs = T0
    world = await startFenceWorld(cluster, { due: DUE, now: () => nowMs })
  })
  afterEach(() => world?.close())

  /** One sandbox for each replica, cold. */
  async function replicas(): Promise<Sandbox[]> {
    return await Promise.all(
      REPLICAS.map(async name => startSandbox(await world.environment(name), scenarioClock(nowMs))),
    )
  }

  const ended = async () => Object.values(await world.sessions()).filter(({ state }) => state === 'Expired').length

  it('[1] a single instance works with leader election', async () => {
    const outcome = await tick(await world.environment('one'), nowMs)
    expect(outcome).toMatchObject({ kind: 'completed', token: 1, counts: { changed: DUE, failed: 0 } })
    expect(await ended()).toBe(DUE)
  })

  it('[2] a single instance works without leader election, and takes no Lease', async () => {
    const environment = { ...(await world.environment('one')), ENABLE_LEADER_ELECTION: 'false' }
    const sandbox = startSandbox(environment, scenarioClock(nowMs))
    expect(await sandbox.tick(nowMs)).toMatchObject({ kind: 'completed', counts: { changed: DUE, failed: 0 } })
    nowMs += PERIOD
    expect(await outcomeOf(sandbox.tick(nowMs))).toMatchObject({ kind: 'completed', counts: { changed: 0 } })
    expect(await world.record()).toMatchObject({ token: 0, holder: '' })
  })

  describe('several instances at once', () => {
    it('[3] elect one leader, who says that it is', async () => {
      const outcomes = await Promise.all((await replicas()).map(sandbox => sandbox.tick(nowMs)))
      const leaders = outcomes.filter(({ kind }) => kind === 'completed')
      expect(leaders).toMatchObject([{ token: 1 }])
      for (const { kind, reason } of outcomes.filter(outcome => outcome !== leaders[0])) {
        expect(kind).toBe('skipped')
        expect(['held', 'already-completed']).toContain(reason)
      }
      expect((await world.fence())?.holder).toContain('fencepost-cleanup/request-0/')
    })

    it('[4] clean up on the leader only', async () => {
      await Promise.all((await replicas()).map(sandbox => sandbox.tick(nowMs)))
      const writes = accepted(world)
      expect(new Set(writes.map(({ by }) => by)).size).toBe(1)
      expect(writes.filter(({ method }) => method === 'PATCH')).toHaveLength(DUE)
      expect(await ended()).toBe(DUE)
    })

    it('[7] answer by hand on each of them, leader or not', async () => {
      const all = await replicas()
      await Promise.all(all.map(sandbox => sandbox.tick(nowMs)))
      for (const sandbox of all) {
        const status = await sandbox.reconcile<object>({ loop: 'cleanup', action: 'status' })
        expect(status).toMatchObject({ loop: 'cleanup', holder: null, token: 1, drained: true })
        const plan = await sandbox.reconcile<object>({ loop: 'cleanup', dryRun: true })
        expect(plan).toMatchObject({ kind: 'dry-run', isComplete: true })
      }
    })
  })

  it('[8] a leader that is gone is replaced by another at the next tick', async () => {
    const leader = await startActor(await world.environment('leader'))
    const gone = when(world, { by: 'leader', at: isWrite, nth: 3 }, () => leader.kill())
    leader.send({ tickAtMs: nowMs })
    await gone
    const { holder } = await world.record()
    nowMs += PERIOD
    const next = await tick(await world.environment('two'), nowMs)
    expect(next).toMatchObject({ kind: 'completed', token: 2, tookOverFrom: holder, counts: { changed: DUE - 1 } })
    expect(await ended()).toBe(DUE)
  })

  it('[9] what is not admitted on one API server is admitted on none', async () => {
    await tick(await world.environment('one'), nowMs)
    for (const server of [cluster, second]) {
      await inForce(server, /current=1 /)
      expect(await probe(server)).toMatchObject({
        status: 403,
        message: expect.stringContaining('fencepost fence-token: token=0 current=1 '),
      })
    }
  })
})
