import { describe, expect, it } from 'vitest'
import type { FenceMode } from '../../../lib/fence/fence.ts'
import { openWriter } from '../../../lib/fence/writer.ts'
import { EVENTS } from '../../../lib/kubernetes/resources/event.ts'
import { momentIn } from '../../../lib/time.ts'
import { type Cluster, NAME, startCluster } from './cluster.ts'

const { signal } = new AbortController()
const HOLDER = `${NAME}/request/nonce`
const LEASE = 'record-1'
const EXPIRED = { state: 'Expired' }
const POLICIES = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies'
const BINDINGS = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings'
const event = (name: string) => ({
  apiVersion: 'events.k8s.io/v1',
  kind: 'Event',
  metadata: { name, namespace: 'team' },
  eventTime: '2026-11-21T07:05:00.000000Z',
  reportingController: 'fencepost.dev/cleanup',
  reportingInstance: 'fencepost',
  action: 'Expire',
  reason: 'Expired',
  type: 'Normal',
  regarding: { apiVersion: 'v1', kind: 'Namespace', name: 'team', namespace: 'team' },
})

/** A cluster whose Fence says `fence`, and the writer of the term with token 41. */
async function start(
  options: { fence?: { token: number; holder?: string } | null; mode?: FenceMode; termMs?: number } = {},
) {
  const { fence = { token: 41 }, mode = 'enforced', termMs = 600_000 } = options
  const cluster = await startCluster('a', 'b', 'c')
  if (fence) await cluster.fence({ token: fence.token, holder: fence.holder ?? HOLDER, lease: LEASE })
  const { api, clock } = cluster
  const grant = { token: 41, holder: HOLDER, endsAt: momentIn(termMs, clock) }
  const writer = openWriter({ api, fence: NAME, grant, mode, clock })
  const patch = async (name: string) => await writer.patchStatus(await cluster.target(name), EXPIRED, signal)
  const stateOf = async (name: string) => (await cluster.session(name))?.status?.state
  return { cluster, writer, patch, stateOf }
}

/** Removes the binding that makes the API server judge by the Fence. */
const unbind = (cluster: Cluster) => cluster.admin('DELETE', `${BINDINGS}/fencepost-fence-token-cleanup`)

/** Takes an operation out of what fence-token is about. */
async function withoutOperation(cluster: Cluster, operation: string): Promise<void> {
  const policy = await cluster.admin('GET', `${POLICIES}/fencepost-fence-token`)
  const { matchConstraints } = policy.spec as { matchConstraints: { resourceRules: { operations: string[] }[] } }
  const resourceRules = matchConstraints.resourceRules.map(rule => ({
    ...rule,
    operations: rule.operations.filter(one => one !== operation),
  }))
  await cluster.admin('PATCH', `${POLICIES}/fencepost-fence-token`, { spec: { matchConstraints: { resourceRules } } })
}

describe('a write under the term that the Fence stands at', () => {
  it('is proven once for each kind of write, and takes effect', async () => {
    const { cluster, writer, patch, stateOf } = await start()
    expect((await patch('a')).kind).toBe('written')
    expect((await patch('b')).kind).toBe('written')
    expect(await writer.create(EVENTS, event('a'), signal)).toEqual({ kind: 'created' })
    expect(await writer.create(EVENTS, event('b'), signal)).toEqual({ kind: 'created' })
    expect(await writer.delete(await cluster.target('c'), signal)).toEqual({ kind: 'deleted' })
    expect(cluster.asked()).toEqual([
      ...['PATCH 403 dry run', 'PATCH 200', 'PATCH 200'],
      ...['POST 403 dry run', 'POST 201', 'POST 201'],
      ...['DELETE 403 dry run', 'DELETE 200'],
    ])
    expect([await stateOf('a'), await stateOf('b'), await cluster.session('c')]).toEqual([
      'Expired',
      'Expired',
      undefined,
    ])
    expect(writer.close()).toEqual({ outcomesKnown: true })
  })

  it('is proven by one canary when five workers begin at once', async () => {
    const { cluster, writer } = await start()
    const names = ['a', 'b', 'c']
    const targets = await Promise.all(names.map(cluster.target))
    await Promise.all(targets.map(target => writer.patchStatus(target, EXPIRED, signal)))
    expect(cluster.asked()).toEqual(['PATCH 403 dry run', 'PATCH 200', 'PATCH 200', 'PATCH 200'])
  })

  it('to an object that has changed is a conflict, is not sent, and proves nothing', async () => {
    const { cluster, writer, patch } = await start()
    const stale = await cluster.target('a')
    const fresh = await cluster.session('a')
    const path = `/apis/breakglass.t-caas.telekom.com/v1alpha1/namespaces/team/breakglasssessions/a`
    await cluster.admin('PATCH', path, { metadata: { labels: { touched: 'yes' } } })
    expect(fresh).toBeDefined()
    expect(await writer.patchStatus(stale, EXPIRED, signal)).toEqual({ kind: 'conflict' })
    expect(cluster.asked()).toEqual(['PATCH 409 dry run'])
    await patch('b')
    expect(cluster.asked().slice(1)).toEqual(['PATCH 403 dry run', 'PATCH 200'])
  })
})

describe('a write of a term that was overtaken', () => {
  it.each([
    ['a higher token', { token: 42, holder: 'successor' }],
    ['the same token under another holder', { token: 41, holder: 'successor' }],
  ])('by %s is refused by the API server and ends the term: nothing more is sent', async (_title, fence) => {
    const { cluster, writer, patch, stateOf } = await start({ fence })
    const told = { name: 'LeaseLostError', message: expect.stringContaining(`token ${fence.token} of successor`) }
    await expect(patch('a')).rejects.toMatchObject(told)
    expect(cluster.asked()).toEqual(['PATCH 403 dry run'])
    await expect(patch('b')).rejects.toMatchObject(told)
    await expect(writer.create(EVENTS, event('a'), signal)).rejects.toMatchObject(told)
    expect(cluster.asked()).toHaveLength(1)
    expect([await stateOf('a'), await stateOf('b')]).toEqual(['Approved', 'Approved'])
  })

  it('is refused in the middle of the term, after its canary', async () => {
    const { cluster, writer, patch, stateOf } = await start()
    await patch('a')
    await cluster.fence({ token: 42, holder: 'successor', lease: LEASE })
    await expect(patch('b')).rejects.toMatchObject({ name: 'LeaseLostError' })
    await expect(patch('c')).rejects.toMatchObject({ name: 'LeaseLostError' })
    expect(cluster.asked()).toEqual(['PATCH 403 dry run', 'PATCH 200', 'PATCH 403'])
    expect(await stateOf('b')).toBe('Approved')
    expect(writer.close()).toEqual({ outcomesKnown: true })
  })
})

describe('an API server that lags', () => {
  it.each([
    ['an older token', { token: 40, holder: 'predecessor' }],
    ['a Fence that it never saw raised', null],
  ])('and judges by %s is asked again until it has caught up', async (_title, fence) => {
    const { cluster, patch, stateOf } = await start({ fence })
    let asked = 0
    cluster.server.intercept = async ({ user }) => {
      if (user.username !== `fencepost:${NAME}` || ++asked !== 4) return undefined
      await cluster.fence({ token: 41, holder: HOLDER, lease: LEASE })
      return undefined
    }
    expect((await patch('a')).kind).toBe('written')
    expect(cluster.asked()).toEqual([...Array(4).fill('PATCH 403 dry run'), 'PATCH 200'])
    expect(await stateOf('a')).toBe('Expired')
  })

  it('for more than 3 s ends the term as lagging and not as fenced', async () => {
    const { cluster, writer, patch, stateOf } = await start({ fence: { token: 40, holder: 'predecessor' } })
    const beganMs = cluster.clock.monotonicMs()
    await expect(patch('a')).rejects.toMatchObject({ name: 'FenceError', code: 'FenceLagging' })
    expect(cluster.clock.monotonicMs() - beganMs).toBeGreaterThanOrEqual(3_000)
    const asked = cluster.asked().length
    await expect(patch('b')).rejects.toMatchObject({ code: 'FenceLagging' })
    expect(cluster.asked()).toHaveLength(asked)
    expect(await stateOf('a')).toBe('Approved')
    expect(writer.close()).toEqual({ outcomesKnown: true })
  })

  it('after an unanswered try leaves that one’s outcome unknown', async () => {
    const { cluster, writer, patch } = await start()
    await patch('a')
    let sent = 0
    cluster.server.intercept = async ({ user }) => {
      if (user.username !== `fencepost:${NAME}` || ++sent > 1) return undefined
      setImmediate(() => void cluster.fence({ token: 40, holder: 'predecessor', lease: LEASE }))
      return 'reset'
    }
    await expect(patch('b')).rejects.toMatchObject({ name: 'OutcomeUnknownError' })
    expect(writer.close()).toEqual({ outcomesKnown: false })
  })
})

describe('a fence that is not in force', () => {
  it.each<[string, (cluster: Cluster) => Promise<unknown>]>([
    ['has lost its binding', unbind],
    ['has lost its policy', cluster => cluster.admin('DELETE', `${POLICIES}/fencepost-fence-token`)],
    ['does not cover updates', cluster => withoutOperation(cluster, 'UPDATE')],
  ])('since it %s lets nothing be written, and says how to mend it', async (_title, breaking) => {
    const { cluster, patch, stateOf } = await start()
    await breaking(cluster)
    await expect(patch('a')).rejects.toMatchObject({
      code: 'FenceNotInForce',
      message: expect.stringMatching(/PATCH breakglasssessions.*kubectl apply -k infra\/kubernetes/),
    })
    await expect(patch('b')).rejects.toMatchObject({ code: 'FenceNotInForce' })
    expect(cluster.asked()).toEqual(['PATCH 200 dry run'])
    expect([await stateOf('a'), await stateOf('b')]).toEqual(['Approved', 'Approved'])
  })

  it('is looked for by a dry run, whose lost answer is nobody’s deletion', async () => {
    const { cluster, writer } = await start()
    const target = await cluster.target('a')
    let isLost = false
    cluster.server.intercept = async ({ user }) => {
      if (user.username !== `fencepost:${NAME}` || isLost) return undefined
      isLost = true
      const path = '/apis/breakglass.t-caas.telekom.com/v1alpha1/namespaces/team/breakglasssessions/a'
      await cluster.admin('DELETE', path)
      return 'reset-after-commit'
    }
    expect(await writer.delete(target, signal)).toEqual({ kind: 'gone' })
  })

  it('for one verb is found before the first write of it, though another one was proven', async () => {
    const { cluster, writer, patch } = await start()
    await patch('a')
    await withoutOperation(cluster, 'DELETE')
    await expect(writer.delete(await cluster.target('b'), signal)).rejects.toMatchObject({ code: 'FenceNotInForce' })
    expect(await cluster.session('b')).toBeDefined()
  })

  it('is not looked for in advisory mode, which still is fenced where a fence is', async () => {
    const { cluster, patch } = await start({ mode: 'advisory' })
    await unbind(cluster)
    expect((await patch('a')).kind).toBe('written')
    expect(cluster.asked()).toEqual(['PATCH 200'])
    const fenced = await start({ mode: 'advisory', fence: { token: 42, holder: 'successor' } })
    await expect(fenced.patch('a')).rejects.toMatchObject({ name: 'LeaseLostError' })
    expect(fenced.cluster.asked()).toEqual(['PATCH 403'])
  })
})

describe('another 403', () => {
  const refuse = (cluster: Cluster, message: string) => {
    cluster.server.intercept = ({ user, path }) =>
      user.username === `fencepost:${NAME}` && path.includes('/a/')
        ? { status: 403, body: { kind: 'Status', reason: 'Forbidden', code: 403, message } }
        : undefined
  }

  it('about one object is that object’s failure, and the others go on', async () => {
    const { cluster, patch, stateOf } = await start()
    refuse(cluster, 'admission webhook "others" denied the request: not this one')
    await expect(patch('a')).rejects.toMatchObject({ code: 'Forbidden' })
    expect((await patch('b')).kind).toBe('written')
    expect(await stateOf('b')).toBe('Expired')
  })

  it('about impersonation ends the term and names the right', async () => {
    const { cluster, patch } = await start()
    refuse(cluster, 'users "fencepost:fencepost-cleanup" is forbidden: User "f" cannot impersonate resource "users"')
    await expect(patch('a')).rejects.toMatchObject({
      code: 'FenceForbidden',
      message: expect.stringContaining('cannot impersonate resource "users"'),
    })
    await expect(patch('b')).rejects.toMatchObject({ code: 'FenceForbidden' })
  })
})

describe('the end of a term', () => {
  it('lets nothing more be sent', async () => {
    const { cluster, patch } = await start({ termMs: 10_000 })
    await patch('a')
    cluster.clock.advance(10_000)
    const asked = cluster.asked().length
    await expect(patch('b')).rejects.toMatchObject({
      code: 'Aborted',
      message: expect.stringContaining('term is over'),
    })
    expect(cluster.asked()).toHaveLength(asked)
  })
})
