import { describe, expect, it } from 'vitest'
import { AbortedError } from '../../../../lib/errors.ts'
import type { Cursor } from '../../../../lib/reconcilers/config-check/memory.ts'
import { CLUSTERS_PER_PAGE, PAGE_MS, PARALLEL_LOOKS } from '../../../../lib/reconcilers/config-check/observe.ts'
import type { Looked } from '../../../../lib/reconcilers/config-check/plan.ts'
import type { Page } from '../../../../lib/tick/reconciler.ts'
import { manualClock, T0 } from '../../../support/clock.ts'
import { idleClock } from '../../../support/idle-clock.ts'
import { byKubeconfig, clusterConfig, kubeconfigOf, startSilence, startSpoke } from '../../../support/spoke.ts'
import { ending, type Hub, startHub, WAS_READY } from './harness.ts'
import { startOidcWorld } from './worlds.ts'

const names = (count: number, stem = 'c') =>
  Array.from({ length: count }, (_, at) => `${stem}-${String(at).padStart(3, '0')}`)
const namesOn = (page: Page<Looked, Cursor>) => page.items.map(({ config }) => config.metadata.name)

/** The pages of one pass, read one by one. */
function observing(hub: Hub, from?: Cursor) {
  const observation = { from, memory: hub.memory(), scope: {}, nowMs: T0, signal: hub.stop.signal }
  return hub.loop.observe(observation)[Symbol.asyncIterator]()
}

describe('looking at clusters', () => {
  it(`asks ${PARALLEL_LOOKS} at a time, and no more`, async () => {
    const spoke = ending(await startSpoke())
    let active = 0
    let most = 0
    let letGo = () => {}
    const together = new Promise<void>(resolve => {
      letGo = resolve
    })
    spoke.api.intercept = async () => {
      most = Math.max(most, ++active)
      if (active === PARALLEL_LOOKS) setImmediate(letGo)
      await together
      active--
      return undefined
    }
    const hub = await startHub(names(30).flatMap(name => byKubeconfig(name, kubeconfigOf(spoke.url))))
    const { pages } = await hub.pass()
    expect([most, pages.map(page => page.items.length)]).toEqual([8, [30]])
    expect(hub.counts).toEqual({ ClustersChecked: 30 })
  })

  it('gives each 5 s in all, and a silent one costs nobody else', async () => {
    const clock = manualClock()
    const spoke = ending(await startSpoke())
    const silence = ending(await startSilence())
    const hub = await startHub(
      [
        ...byKubeconfig('a', kubeconfigOf(spoke.url)),
        ...byKubeconfig('b', kubeconfigOf(silence.url)),
        ...byKubeconfig('c', kubeconfigOf(spoke.url)),
      ],
      clock,
    )
    const passing = hub.pass()
    await silence.connected
    // A look closes its connection when it is over.
    while (spoke.api.requests.length < 2 || spoke.connections() > 0) await new Promise(setImmediate)
    await clock.advance(4_999)
    expect(await hub.ready('b')).toBe('unset')
    await clock.advance(1)
    const { pages } = await passing
    expect(pages.map(namesOn)).toEqual([['a', 'b', 'c']])
    expect([await hub.ready('a'), await hub.ready('b'), await hub.ready('c')]).toEqual([
      'True KubeconfigValidated',
      'False ClusterUnreachable',
      'True KubeconfigValidated',
    ])
    expect((await hub.condition('b'))?.message).toBe("The cluster can't be reached: no answer within 5.0 s.")
  })

  it.each(['discovery', 'token', 'cluster'] as const)(
    'counts the 5 s over everything: a silent %s ends it',
    async where => {
      const clock = manualClock()
      const world = await startOidcWorld()
      const spec = { authType: 'OIDC', oidcAuth: world.direct() }
      const hub = await startHub([...world.secrets, clusterConfig('a', spec)], clock)
      if (where === 'cluster') world.spoke.hang()
      else world.issuer[where] = () => 'hang'
      const passing = hub.pass()
      await (where === 'cluster' ? world.spoke.hanging(1) : world.issuer.hanging)
      await clock.advance(5_000)
      await passing
      const reason = { discovery: 'OIDCDiscoveryFailed', token: 'OIDCTokenFetchFailed', cluster: 'ClusterUnreachable' }
      expect(await hub.ready('a')).toBe(`False ${reason[where]}`)
      expect((await hub.condition('a'))?.message).toContain('no answer within 5.0 s')
      expect(clock.pending()).toBe(0)
    },
  )

  it('ends a page early where everybody is silent, and goes on from there', async () => {
    const clock = manualClock()
    const spoke = ending(await startSpoke())
    spoke.hang()
    const hub = await startHub(
      names(12).flatMap(name => byKubeconfig(name, kubeconfigOf(spoke.url))),
      clock,
    )
    const passing = hub.pass()
    await spoke.hanging(8)
    await clock.advance(PAGE_MS)
    await spoke.hanging(12)
    await clock.advance(PAGE_MS)
    const { pages } = await passing
    expect(pages.map(({ items, cursor }) => [items.length, cursor.after])).toEqual([
      [8, undefined],
      [4, 'team/c-007'],
    ])
  })

  it(`reads ${CLUSTERS_PER_PAGE} for a page, and resumes where a cursor says with what was noted before it`, async () => {
    const spoke = ending(await startSpoke({}))
    const hub = await startHub(names(60).flatMap(name => byKubeconfig(name, kubeconfigOf(spoke.url), WAS_READY)))
    const first = observing(hub)
    await first.next()
    const second = (await first.next()).value as Page<Looked, Cursor>
    expect([second.items.length, second.cursor.after]).toEqual([10, 'team/c-049'])
    const resumed = observing(hub, second.cursor)
    expect(namesOn((await resumed.next()).value as Page<Looked, Cursor>)).toEqual(namesOn(second))
    const { value } = await resumed.next()
    expect((value as { failing: string[] }).failing).toHaveLength(60)
  })

  it('gives no page whose looks were cut off', async () => {
    const spoke = ending(await startSpoke())
    spoke.hang()
    const hub = await startHub(byKubeconfig('a', kubeconfigOf(spoke.url)))
    const passing = hub.pass()
    const failed = expect(passing).rejects.toBeInstanceOf(AbortedError)
    await spoke.hanging(1)
    hub.stop.abort()
    await failed
    expect([await hub.ready('a'), hub.counts]).toEqual(['unset', {}])
  })

  it('looks only at what it is narrowed to, and remembers nothing of it', async () => {
    const spoke = ending(await startSpoke({}))
    const hub = await startHub(names(3).flatMap(name => byKubeconfig(name, kubeconfigOf(spoke.url), WAS_READY)))
    await hub.pass()
    const { pages, actions } = await hub.pass({ names: ['c-001'] })
    expect([pages.map(namesOn), actions]).toEqual([[['c-001']], []])
    expect((await hub.pass({ namespace: 'elsewhere' })).pages).toEqual([])
    expect(hub.memory()?.failing).toHaveLength(3)
  })

  it('leaves clusters alone that are being deleted', async () => {
    const hub = await startHub([])
    const finalizers = ['breakglass.t-caas.telekom.com/cluster-cleanup']
    hub.server.load([{ ...clusterConfig('a', {}), metadata: { namespace: 'team', name: 'a', finalizers } }])
    await hub.send('DELETE', '/apis/breakglass.t-caas.telekom.com/v1alpha1/namespaces/team/clusterconfigs/a')
    expect((await hub.pass()).pages).toEqual([])
  })
})

describe('what can not be read fails its own object and no other:', () => {
  const SECRET = '/api/v1/namespaces/team/secrets/b'

  async function threeClusters() {
    const spoke = ending(await startSpoke())
    return await startHub(['a', 'b', 'c'].flatMap(name => byKubeconfig(name, kubeconfigOf(spoke.url), WAS_READY)))
  }

  it('a Secret that may not be read', async () => {
    const hub = await threeClusters()
    hub.server.intercept = ({ path }) => (path === SECRET ? { status: 403 } : undefined)
    const { pages } = await hub.pass()
    expect(pages.flatMap(page => page.broken)).toEqual([
      {
        object: 'team/b',
        code: 'Forbidden',
        message: 'Secret team/b may not be read (HTTP 403); let fencepost get Secrets in namespace team',
      },
    ])
    expect(pages.flatMap(namesOn)).toEqual(['a', 'c'])
    expect(await hub.condition('b')).toMatchObject({ status: 'True', message: 'as before' })
  })

  it('a Secret that the API server does not give in time', async () => {
    const [secretOfB] = byKubeconfig('b', 'nothing')
    const named = (name: string, of: string) =>
      clusterConfig(name, { kubeconfigSecretRef: { namespace: 'team', name: of } }, WAS_READY)
    const objects = [secretOfB as object, named('a', 'gone'), named('b', 'b'), named('c', 'gone')]
    const hub = await startHub(objects, idleClock(T0))
    hub.server.intercept = ({ path }) => (path === SECRET ? { status: 503 } : undefined)
    const { pages, broken } = await hub.pass()
    expect(broken).toEqual(['team/b Timeout'])
    expect(pages.flatMap(namesOn)).toEqual(['a', 'c'])
    expect([hub.memory(), await hub.ready('b')]).toEqual([{ failing: [], told: [] }, 'True KubeconfigValidated'])
  })

  it('a configuration of a wrong shape, and a provider of one', async () => {
    const world = await startOidcWorld()
    const spec = { authType: 'OIDC', oidcFromIdentityProvider: world.byProvider() }
    const hub = await startHub([
      ...world.secrets,
      world.provider(),
      clusterConfig('a', spec),
      clusterConfig('b', { authType: 'OIDC', oidcAuth: world.direct() }),
      clusterConfig('c', { kubeconfigSecretRef: { namespace: 'team', name: 'gone' } }),
    ])
    hub.server.intercept = async ({ method, path }) => {
      if (method !== 'GET' || !/\/(identityproviders|clusterconfigs)$/.test(path)) return undefined
      const isConfig = path.endsWith('clusterconfigs')
      const listed = [await hub.get('a'), await hub.get('b'), await hub.get('c')]
      const wrong = { ...listed[2], spec: { ...(listed[2] as unknown as { spec: object }).spec, oidcAuth: 'a text' } }
      const provider = { metadata: { name: 'ops', uid: 'u', resourceVersion: '1' }, spec: { oidc: 7 } }
      const items = isConfig ? [listed[0], listed[1], wrong] : [provider]
      return { status: 200, body: { kind: 'List', metadata: { resourceVersion: '1' }, items } }
    }
    const { broken, pages } = await hub.pass()
    expect([...broken].sort()).toEqual(['team/a InvalidResource', 'team/c InvalidResource'])
    expect(pages.flatMap(namesOn)).toEqual(['b'])
  })
})
