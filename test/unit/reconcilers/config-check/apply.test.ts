import { describe, expect, it } from 'vitest'
import { LeaseLostError } from '../../../../lib/errors.ts'
import { byKubeconfig, clusterConfig, kubeconfigOf, secret, startSpoke, TOKEN } from '../../../support/spoke.ts'
import { ending, type Hub, startHub, WAS_READY } from './harness.ts'
import { ref } from './worlds.ts'

const STATUS = 'PATCH a/status'
const EVENT = 'POST team/events'
/** A configuration whose Secret is missing. */
const LOST = clusterConfig('a', { kubeconfigSecretRef: ref('gone') }, WAS_READY)

/** Lets somebody else act ahead of the first write of a status. */
function interfere(hub: Hub, act: () => Promise<unknown>): void {
  let isDone = false
  hub.server.intercept = async ({ method, path }) => {
    if (method !== 'PATCH' || !path.endsWith('/status') || isDone) return undefined
    isDone = true
    hub.server.intercept = undefined
    await act()
    return undefined
  }
}

describe('writing what was found', () => {
  it('writes and tells once, and nothing at the next pass over an unchanged world', async () => {
    const spoke = ending(await startSpoke())
    const hub = await startHub([
      ...byKubeconfig('good', kubeconfigOf(spoke.url)),
      ...byKubeconfig('far', kubeconfigOf('https://127.0.0.1:1')),
      ...byKubeconfig('none', 'nothing'),
      ...byKubeconfig('held', kubeconfigOf(spoke.url, { user: { tokenFile: '/etc/hosts' } })),
      clusterConfig('lost', { kubeconfigSecretRef: ref('gone') }),
    ])
    await hub.pass()
    expect(hub.writes().sort()).toEqual(
      [...['good', 'far', 'none', 'lost'].map(name => `PATCH ${name}/status`), ...Array(5).fill(EVENT)].sort(),
    )
    expect(await hub.events()).toEqual([
      'ClusterConfigValidationFailed far',
      'ClusterConfigValidationSucceeded good',
      'ClusterConfigNotTried held',
      'ClusterConfigValidationFailed lost',
      'ClusterConfigValidationFailed none',
    ])
    const counts = { ...hub.counts }
    expect(counts).toEqual({ ClustersChecked: 4, ClustersFailed: 3, ClustersUntried: 1 })
    for (const _ of [2, 3]) {
      const { actions, broken } = await hub.pass()
      expect([actions, broken, hub.writes()]).toEqual([[], [], []])
    }
    expect(hub.counts).toEqual({ ClustersChecked: 12, ClustersFailed: 9, ClustersUntried: 1 })
  })

  it('tells one Event with its reason and note, and one audit record', async () => {
    const hub = await startHub([LOST])
    await hub.pass()
    expect(await hub.eventObjects()).toMatchObject([
      {
        type: 'Warning',
        reason: 'ClusterConfigValidationFailed',
        action: 'Check',
        note: 'SecretMissing: Secret team/gone does not exist.',
        reportingController: 'fencepost-config-check',
        regarding: { kind: 'ClusterConfig', namespace: 'team', name: 'a' },
        metadata: { namespace: 'team' },
      },
    ])
    expect(hub.log.lines.filter(({ message }) => message === 'cluster turn')).toMatchObject([
      { fields: { object: 'team/a', from: 'Ready=True', to: 'Ready=False', reason: 'SecretMissing' } },
    ])
  })

  it('sends the list of conditions and nothing else, bound to what was judged', async () => {
    const foreign = {
      type: 'DegradedAuth',
      status: 'True',
      reason: 'DegradedAuth',
      message: '',
      lastTransitionTime: '2026-11-20T00:00:00Z',
    }
    const status = { observedGeneration: 1, conditions: [foreign, ...WAS_READY.conditions] }
    const finalizers = ['breakglass.t-caas.telekom.com/cluster-cleanup']
    const hub = await startHub([
      { ...LOST, metadata: { namespace: 'team', name: 'a', finalizers, labels: { of: 'others' } }, status },
    ])
    let body: unknown
    hub.server.intercept = request => {
      if (request.path.endsWith('/status')) body = JSON.parse(request.body)
      return undefined
    }
    const before = await hub.get('a')
    await hub.pass()
    const { resourceVersion } = before.metadata
    expect(body).toEqual({ metadata: { resourceVersion }, status: { conditions: [foreign, await hub.condition('a')] } })
    const after = (await hub.get('a')) as { metadata: object; status: object }
    expect(after.metadata).toMatchObject({ finalizers, labels: { of: 'others' }, generation: 1 })
    expect(after.status).toMatchObject({ observedGeneration: 1 })
  })

  it('writes the new generation in silence', async () => {
    const spoke = ending(await startSpoke())
    const hub = await startHub(byKubeconfig('a', kubeconfigOf(spoke.url)))
    await hub.pass()
    await hub.change('a', { spec: { tenant: 'another' } })
    hub.writes()
    await hub.pass()
    expect([hub.writes(), (await hub.condition('a'))?.observedGeneration]).toEqual([[STATUS], 2])
  })
})

describe('somebody else changes a configuration between the look and the write:', () => {
  it('its status, and the write follows the live list', async () => {
    const foreign = {
      type: 'DegradedAuth',
      status: 'True',
      reason: 'DegradedAuth',
      message: '',
      lastTransitionTime: '2026-11-20T00:00:00Z',
    }
    const hub = await startHub([LOST])
    interfere(hub, () => hub.change('a', { status: { conditions: [...WAS_READY.conditions, foreign] } }, '/status'))
    await hub.pass()
    const { status } = (await hub.get('a')) as unknown as { status: { conditions: object[] } }
    expect(status.conditions).toMatchObject([{ type: 'Ready', status: 'False' }, foreign])
    expect(hub.writes().filter(what => what === STATUS)).toHaveLength(3)
  })

  it('its status to just that, and nothing is written or told', async () => {
    const hub = await startHub([LOST])
    const message = 'Secret team/gone does not exist.'
    const [condition] = WAS_READY.conditions
    const told = { ...condition, status: 'False', reason: 'SecretMissing', message }
    interfere(hub, () => hub.change('a', { status: { conditions: [told] } }, '/status'))
    const { thrown } = await hub.pass()
    expect([thrown, await hub.events()]).toEqual([[], []])
  })

  it('its spec, and the look no longer counts', async () => {
    const hub = await startHub([LOST])
    interfere(hub, () => hub.change('a', { spec: { kubeconfigSecretRef: { name: 'other' } } }))
    const { thrown } = await hub.pass()
    expect([thrown, await hub.ready('a'), await hub.events()]).toEqual([[], 'True KubeconfigValidated', []])
  })

  it('by deleting it, or by making another of its name', async () => {
    const path = '/apis/breakglass.t-caas.telekom.com/v1alpha1/namespaces/team/clusterconfigs'
    const hub = await startHub([LOST])
    interfere(hub, async () => {
      await hub.send('DELETE', `${path}/a`)
      await hub.send('POST', path, clusterConfig('a', { kubeconfigSecretRef: ref('gone') }))
    })
    expect([(await hub.pass()).thrown, await hub.ready('a')]).toEqual([[], 'unset'])
    interfere(hub, () => hub.send('DELETE', `${path}/a`))
    expect([(await hub.pass()).thrown, await hub.events()]).toEqual([[], []])
  })

  it('and the term is over: nothing more is written', async () => {
    const hub = await startHub([LOST])
    hub.application.confirm = async () => {
      throw new LeaseLostError('overtaken')
    }
    interfere(hub, () => hub.change('a', { status: { conditions: [] } }, '/status'))
    expect((await hub.pass()).thrown).toEqual([expect.any(LeaseLostError)])
    expect(await hub.ready('a')).toBe('unset')
  })
})

describe('from pass to pass', () => {
  it('a silent network costs Ready at the second look running, and one good look gives it back', async () => {
    const spoke = ending(await startSpoke())
    const hub = await startHub(byKubeconfig('a', kubeconfigOf(spoke.url), WAS_READY))
    const passAnd = async (answer?: { status: number }) => {
      spoke.api.intercept = () => answer
      await hub.pass()
      return await hub.ready('a')
    }
    const [good, bad] = ['True KubeconfigValidated', 'False ClusterUnreachable']
    expect(await passAnd({ status: 503 })).toBe(good)
    expect(await passAnd()).toBe(good)
    expect(await passAnd({ status: 503 })).toBe(good)
    expect(await passAnd({ status: 401 })).toBe(bad)
    expect(await passAnd({ status: 401 })).toBe(bad)
    expect(await passAnd()).toBe(good)
    expect(await passAnd({ status: 503 })).toBe(good)
  })

  it('a missing Secret costs Ready at once, and its return gives it back at once', async () => {
    const spoke = ending(await startSpoke())
    const hub = await startHub(byKubeconfig('a', kubeconfigOf(spoke.url), WAS_READY))
    await hub.send('DELETE', '/api/v1/namespaces/team/secrets/a')
    await hub.pass()
    expect(await hub.ready('a')).toBe('False SecretMissing')
    hub.server.load([secret('a', { value: kubeconfigOf(spoke.url) })])
    await hub.pass()
    expect(await hub.ready('a')).toBe('True KubeconfigValidated')
  })

  it('what can not be tried is told again when it can not be tried for another reason', async () => {
    const spoke = ending(await startSpoke())
    const held = (user: object) => secret('a', { value: kubeconfigOf(spoke.url, { user: user as never }) })
    const hub = await startHub([
      held({ tokenFile: '/x' }),
      clusterConfig('a', { kubeconfigSecretRef: ref('a') }, WAS_READY),
    ])
    await hub.pass()
    await hub.send('PUT', '/api/v1/namespaces/team/secrets/a', held({ 'auth-provider': { name: 'x' } }))
    await hub.pass()
    expect(hub.counts.ClustersUntried).toBe(2)
    await hub.send('PUT', '/api/v1/namespaces/team/secrets/a', held({ token: TOKEN }))
    await hub.pass()
    expect([await hub.ready('a'), hub.counts.ClustersUntried]).toEqual(['True KubeconfigValidated', 2])
  })
})
