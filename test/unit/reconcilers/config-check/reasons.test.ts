import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { CLUSTERS_UNTRIED, EVENTS_BY_LOOK } from '../../../../lib/reconcilers/config-check/announce.ts'
import { CLUSTERS_CHECKED, CLUSTERS_FAILED } from '../../../../lib/reconcilers/config-check/observe.ts'
import { REASONS, type Reason, UNTRIED } from '../../../../lib/reconcilers/config-check/rules/reasons.ts'
import { byKubeconfig, clusterConfig, kubeconfigOf, secret, startSpoke } from '../../../support/spoke.ts'
import { ending, startHub, WAS_READY } from './harness.ts'
import { ref, startOidcWorld } from './worlds.ts'

/** The objects of a cluster `a`, which was ready before. */
type World = () => Promise<readonly object[]>

const oidc =
  (changes: object, ...objects: object[]): World =>
  async () => {
    const world = await startOidcWorld()
    return [
      ...world.secrets,
      ...objects,
      clusterConfig('a', { authType: 'OIDC', oidcAuth: world.direct(changes) }, WAS_READY),
    ]
  }
const kubeconfig =
  (text: string): World =>
  async () =>
    byKubeconfig('a', text, WAS_READY)
const spec =
  (given: object): World =>
  async () => [clusterConfig('a', given, WAS_READY)]
const refreshed = { clientSecretRef: undefined, refreshTokenSecretRef: ref('refresh') }
const withRefreshToken = (changes: object = {}) =>
  oidc({ ...refreshed, ...changes }, secret('refresh', { token: 'once' }))

/** A world in which each reason is the right one; of those that are never given, one in which upstream may give it. */
const WORLDS: Readonly<Record<Reason, World>> = {
  KubeconfigValidated: async () => kubeconfig(kubeconfigOf(ending(await startSpoke()).url))(),
  OIDCValidated: oidc({}),
  ValidationFailed: oidc({ server: 'http://127.0.0.1' }),
  OIDCConfigMissing: spec({ authType: 'OIDC' }),
  SecretMissing: spec({ kubeconfigSecretRef: ref('gone') }),
  SecretKeyMissing: oidc({ clientSecretRef: ref('client', 'other') }),
  OIDCCASecretMissing: oidc({ caSecretRef: ref('gone') }),
  KubeconfigParseFailed: kubeconfig('nothing'),
  OIDCDiscoveryFailed: oidc({ issuerURL: 'https://127.0.0.1:1' }),
  OIDCTokenFetchFailed: oidc({ clientID: 'stranger' }),
  ClusterUnreachable: oidc({ server: 'https://127.0.0.1:1' }),
  OIDCRefreshFailed: withRefreshToken(),
  TOFUFailed: oidc({ allowTOFU: true, caSecretRef: undefined }),
  RefreshTokenExpired: withRefreshToken({ fallbackPolicy: 'None' }),
  DegradedAuth: withRefreshToken({ fallbackPolicy: 'Warn', clientSecretRef: ref('client') }),
  AuthRecovered: withRefreshToken({ fallbackPolicy: 'Auto' }),
  RefreshTokenSecretMissing: oidc(refreshed),
  FallbackSucceeded: withRefreshToken({ fallbackPolicy: 'Auto', clientSecretRef: ref('client') }),
}
const STAYS = 'True KubeconfigValidated as before'

describe('the reason', () => {
  it.each(Object.keys(WORLDS) as Reason[])('%s', async reason => {
    const hub = await startHub(await WORLDS[reason]())
    const told = async () => {
      const condition = await hub.condition('a')
      const isSame = condition?.status === 'True' && condition.message === 'as before'
      return isSame ? STAYS : `${condition?.status} ${condition?.reason}`
    }
    await hub.pass()
    const first = await told()
    await hub.pass()
    const second = await told()
    const expected = {
      ready: [`True ${reason}`, `True ${reason}`],
      certain: [`False ${reason}`, `False ${reason}`],
      network: [STAYS, `False ${reason}`],
      never: [STAYS, STAYS],
    }[REASONS[reason]]
    // Upstream declares it and never writes it; what is missing is told as such.
    if (reason === 'RefreshTokenSecretMissing') expect([first, second]).toEqual(Array(2).fill('False SecretMissing'))
    else expect([first, second]).toEqual(expected)
    const { status } = (await hub.get('a')) as unknown as { status: { conditions: object[] } }
    expect(status.conditions).toHaveLength(1)
  })
})

describe('docs/config-check.md', () => {
  const text = readFileSync(new URL('../../../../docs/config-check.md', import.meta.url), 'utf8')
  const rowsOf = (heading: string) => {
    const part = text.split(/^## /m).find(section => section.startsWith(heading)) ?? ''
    return [...part.matchAll(/^\| (.+) \|$/gm)].map(([, row = '']) => row.split(' | ')).slice(1)
  }

  it('has every reason in its order, with its meaning', () => {
    expect(rowsOf('Reasons').map(([reason, meaning]) => [reason, meaning])).toEqual(Object.entries(REASONS))
    expect(rowsOf('Reasons').filter(([, , when]) => (when?.length ?? 0) < 10)).toEqual([])
  })

  it('says of every meaning what becomes of Ready', () => {
    const meanings = rowsOf('What becomes of Ready').map(([meaning]) => meaning)
    expect(meanings).toEqual([...new Set(Object.values(REASONS))])
  })

  it('has every word for what is not tried, in the words of the condition', () => {
    const rows = rowsOf('What is not tried').map(([word, why]) => [word?.replaceAll('`', ''), why])
    expect(rows).toEqual(Object.entries(UNTRIED))
  })

  it('has every Event and every counter', () => {
    const rows = rowsOf('Events, log, metrics').map(([name, second]) => [name, second])
    const events = Object.values(EVENTS_BY_LOOK).map(({ reason, type }) => [reason, type])
    expect(rows.slice(0, events.length)).toEqual(events)
    expect(rows.slice(events.length + 1).map(([name]) => name)).toEqual([
      CLUSTERS_CHECKED,
      CLUSTERS_FAILED,
      CLUSTERS_UNTRIED,
    ])
  })
})
