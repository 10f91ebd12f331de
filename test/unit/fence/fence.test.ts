import { describe, expect, it } from 'vitest'
import { type FenceMode, type FenceSpec, openFence } from '../../../lib/fence/fence.ts'
import { openLease } from '../../../lib/lease/fenced-lease.ts'
import type { Grant, LeaseRecord } from '../../../lib/lease/lease.ts'
import { memoryStore } from '../../../lib/lease/memory.ts'
import { manualTick } from '../../../lib/tick/schedule.ts'
import { recordingLog } from '../../support/log.ts'
import { NAME, startCluster } from './cluster.ts'

const { signal } = new AbortController()
const PATH = `/apis/fencepost.dev/v1/fences/${NAME}`
const DEFINITION = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/fences.fencepost.dev'

/** A cluster, and a lease whose record is `record`, drained and with token 5 unless changed. */
async function start(record: Partial<LeaseRecord> = {}, mode: FenceMode = 'enforced') {
  const cluster = await startCluster()
  const { api, clock } = cluster
  const log = recordingLog()
  const store = memoryStore(NAME, { recordId: 'record-1', token: 5, drained: 5, ...record })
  const lease = openLease({ store, name: NAME, clock, log })
  const fence = openFence({ api, name: NAME, lease, mode, clock, log })
  async function granted(): Promise<Grant> {
    const asked = await lease.acquire({ tick: manualTick('r'), requestId: 'r', termMs: 60_000, signal })
    if (asked.kind === 'refused') throw new Error(asked.reason)
    return asked.grant
  }
  const spec = async () => (await cluster.admin('GET', PATH)).spec as FenceSpec | undefined
  return {
    cluster,
    clock,
    log,
    lease,
    fence,
    granted,
    spec,
    raise: (grant: Grant, advanced = (_grant: Grant) => {}) => fence.raise(grant, signal, advanced),
  }
}

describe('raising', () => {
  it('publishes token, holder and record in one request, and the settle counts from its answer', async () => {
    const { cluster, clock, granted, raise, spec } = await start()
    const grant = await granted()
    clock.advance(700)
    cluster.server.clearRequests()
    const raised = await raise(grant)
    expect(cluster.server.requests.map(({ method, status }) => `${method} ${status}`)).toEqual(['PATCH 200'])
    expect(await spec()).toEqual({ token: 6, holder: grant.holder, lease: 'record-1' })
    expect(raised).toEqual({ ...grant, acknowledged: { wallMs: clock.wallMs(), monotonicMs: clock.monotonicMs() } })
    expect(raised.acknowledged.monotonicMs - grant.acknowledged.monotonicMs).toBe(700)
  })

  it('may be repeated, and a lost answer costs nothing', async () => {
    const { cluster, granted, raise, spec } = await start()
    const grant = await granted()
    let lost = false
    cluster.server.intercept = ({ method }) => {
      if (method !== 'PATCH' || lost) return undefined
      lost = true
      return 'reset-after-commit'
    }
    expect(await raise(grant)).toMatchObject({ token: 6, isClean: true })
    expect(await raise(grant)).toMatchObject({ token: 6, isClean: true })
    expect(await spec()).toMatchObject({ token: 6, holder: grant.holder })
  })

  it('is refused to a term that was overtaken, which changes nothing', async () => {
    const { lease, granted, raise, spec } = await start()
    const zombie = await granted()
    await lease.free(signal)
    const successor = await granted()
    await raise(successor)
    await expect(raise(zombie)).rejects.toMatchObject({
      name: 'LeaseLostError',
      message: expect.stringContaining('token 6 was overtaken by token 8'),
    })
    expect(await spec()).toEqual({ token: 8, holder: successor.holder, lease: 'record-1' })
  })

  it('may come late: a term that raises after a later one acquired and before it raised, is overtaken by that raise', async () => {
    const { lease, granted, raise, spec } = await start()
    const zombie = await granted()
    await lease.free(signal)
    const successor = await granted()
    await raise(zombie)
    await raise(successor)
    await expect(raise(zombie)).rejects.toMatchObject({ name: 'LeaseLostError' })
    expect(await spec()).toMatchObject({ token: 8, holder: successor.holder })
  })
})

describe('a Fence that is ahead of its lease is healed', () => {
  it.each<[string, FenceSpec, string | undefined]>([
    ['the record was created anew', { token: 900, holder: 'h', lease: 'record-0' }, 'record-0'],
    ['the record was created anew, with a token it has seen', { token: 6, holder: 'h', lease: 'record-0' }, 'record-0'],
    ['the record is new and its token is higher', { token: 2, holder: 'h', lease: 'record-0' }, 'record-0'],
    ['the record was restored to an older state', { token: 40, holder: 'h', lease: 'record-1' }, undefined],
    ['the record was restored, and the token is another’s', { token: 6, holder: 'h', lease: 'record-1' }, undefined],
  ])('when %s: higher token, not clean', async (_title, before, after) => {
    const { cluster, lease, granted, raise, spec } = await start()
    await cluster.fence(before)
    const grant = await granted()
    expect(grant).toMatchObject({ token: 6, isClean: true })
    const healed = await raise(grant)
    const token = Math.max(6, before.token) + 1
    expect(healed).toMatchObject({ token, holder: grant.holder, isClean: false })
    expect(await lease.read(signal)).toMatchObject({ token, holder: grant.holder })
    expect(await spec()).toEqual({ token, holder: grant.holder, lease: 'record-1', ...(after && { after }) })
    await lease.complete(healed, { outcome: '{}', checkpoint: null, isDrained: true }, signal)
    expect(await lease.read(signal)).toMatchObject({ holder: '', drained: token })
  })

  it('and then refuses whatever comes of the record before it', async () => {
    const { cluster, granted, raise } = await start({ token: 1, drained: 1 })
    await cluster.fence({ token: 50, holder: 'old', lease: 'record-0' })
    await raise(await granted())
    const body = { spec: { token: 60, holder: 'old', lease: 'record-0' } }
    await expect(cluster.admin('PATCH', PATH, body)).rejects.toMatchObject({ code: 'InvalidResource' })
    const again = { spec: { ...body.spec, after: 'record-0' } }
    await expect(cluster.admin('PATCH', PATH, again)).rejects.toMatchObject({ code: 'InvalidResource' })
  })

  it('and the grant under the higher token is told before the raise that follows, which may fail', async () => {
    const { cluster, lease, granted, raise } = await start()
    await cluster.fence({ token: 40, holder: 'h', lease: 'record-1' })
    const grant = await granted()
    let raises = 0
    cluster.server.intercept = ({ method }) => (method === 'PATCH' && ++raises > 1 ? { status: 403 } : undefined)
    let last = grant
    const raising = raise(grant, advanced => {
      last = advanced
    })
    await expect(raising).rejects.toMatchObject({ code: 'FenceForbidden' })
    expect(last).toMatchObject({ token: 41, isClean: false })
    await lease.release(last, { outcome: '{}', checkpoint: null, isDrained: false }, signal)
    expect(await lease.read(signal)).toMatchObject({ token: 41, holder: '' })
  })

  it('at most three times, when somebody else goes on raising it', async () => {
    const { cluster, granted, raise } = await start()
    await cluster.fence({ token: 10, holder: 'h', lease: 'record-1' })
    const grant = await granted()
    let raises = 0
    cluster.server.intercept = async ({ method }) => {
      if (method !== 'PATCH') return undefined
      raises++
      await cluster.fence({ token: 10 * (raises + 1), holder: 'h', lease: 'record-1' })
      return undefined
    }
    await expect(raise(grant)).rejects.toMatchObject({ code: 'InvalidResource' })
    expect(raises).toBe(4)
  })
})

describe('a Fence that can’t be raised', () => {
  it('since there is none is named with the command that mends it', async () => {
    const { cluster, granted, raise } = await start()
    await cluster.admin('PATCH', PATH, { metadata: { annotations: { 'fencepost.dev/allow-deletion': 'true' } } })
    await cluster.admin('DELETE', PATH)
    await expect(raise(await granted())).rejects.toMatchObject({
      code: 'FenceMissing',
      message: expect.stringMatching(/^Fence fencepost-cleanup does not exist.*kubectl apply -k infra\/kubernetes/),
    })
  })

  it('since not even its kind is installed says so', async () => {
    const { cluster, granted, raise } = await start()
    await cluster.admin('PATCH', DEFINITION, { metadata: { annotations: { 'fencepost.dev/allow-deletion': 'true' } } })
    await cluster.admin('DELETE', DEFINITION)
    await expect(raise(await granted())).rejects.toMatchObject({
      code: 'FenceMissing',
      message: expect.stringContaining('the kind Fence is not installed'),
    })
  })

  it('is tolerated in advisory mode, with a warning', async () => {
    const { cluster, granted, raise, log } = await start({}, 'advisory')
    await cluster.admin('PATCH', PATH, { metadata: { annotations: { 'fencepost.dev/allow-deletion': 'true' } } })
    await cluster.admin('DELETE', PATH)
    const grant = await granted()
    expect(await raise(grant)).toEqual(grant)
    expect(log.lines.map(({ message }) => message)).toContain('fence missing')
  })

  it('for want of the right names it', async () => {
    const { cluster, granted, raise } = await start()
    cluster.server.intercept = () => ({ status: 403, body: { kind: 'Status', code: 403, reason: 'Forbidden' } })
    await expect(raise(await granted())).rejects.toMatchObject({
      code: 'FenceForbidden',
      message: expect.stringContaining('may not patch Fence fencepost-cleanup'),
    })
  })

  it('since the server refuses its very form is no matter of tokens', async () => {
    const { granted, raise } = await start({ recordId: 'r'.repeat(65) })
    await expect(raise(await granted())).rejects.toMatchObject({
      code: 'InvalidResource',
      message: expect.stringContaining('and not by its tokens'),
    })
  })
})
