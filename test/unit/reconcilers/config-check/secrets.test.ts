import { describe, expect, it } from 'vitest'
import { T0 } from '../../../support/clock.ts'
import { idleClock } from '../../../support/idle-clock.ts'
import { CLIENT } from '../../../support/oidc-server.ts'
import { byKubeconfig, clusterConfig, kubeconfigOf, secret, startSpoke } from '../../../support/spoke.ts'
import { ending, startHub, WAS_READY } from './harness.ts'
import { ref, startOidcWorld } from './worlds.ts'

/** In every secret of this test, and in every text that another server sends. */
const CANARY = 'canary-7f3a'
const base64 = Buffer.from(CANARY).toString('base64').replace(/=+$/, '')

/** Whatever was said or stored by the loop, as one text. */
async function everythingSaid(hub: Awaited<ReturnType<typeof startHub>>, passes: unknown[]): Promise<string> {
  const names = ['clusterconfigs', 'identityproviders'].map(
    plural => `/apis/breakglass.t-caas.telekom.com/v1alpha1/${plural}`,
  )
  const stored = []
  for (const path of [...names, '/apis/events.k8s.io/v1/events']) stored.push((await hub.read(path)) as object)
  const flat = (value: unknown): string =>
    JSON.stringify(value, (_, part) =>
      part instanceof Error ? { ...part, message: part.message, stack: part.stack, cause: part.cause } : part,
    )
  return flat([hub.log.lines, hub.counts, hub.memory(), passes, stored])
}

describe('nothing that is secret, and no word of another server, gets into a log, a condition, an Event, a metric or an error', () => {
  it('of clusters with a kubeconfig', async () => {
    const token = `${CANARY}-token`
    const spoke = ending(await startSpoke({ [token]: 'ann' }))
    const user = { token }
    const of = (changes: object = {}) => kubeconfigOf(spoke.url, { user, ...changes })
    const telling = ending(await startSpoke({}))
    telling.api.intercept = ({ path }) => ({
      status: Number(path.split('/')[1]),
      headers: { location: `https://${CANARY}/`, 'x-told': CANARY },
      body: { kind: 'Status', status: 'Failure', reason: CANARY, message: CANARY, userInfo: { username: CANARY } },
    })
    const answers = [201, 302, 401, 403, 404, 422, 429, 500].map(status =>
      byKubeconfig(`answers-${status}`, kubeconfigOf(`${telling.url}/${status}`, { user }), WAS_READY),
    )
    const hub = await startHub([
      ...byKubeconfig('good', of()),
      ...byKubeconfig('stranger', of({ user: { token: `${token}-old` } })),
      ...byKubeconfig('basic', of({ user: { username: CANARY, password: CANARY } })),
      ...byKubeconfig('far', kubeconfigOf(`https://127.0.0.1:1/${CANARY}`, { user })),
      ...byKubeconfig('text', `token: ${CANARY}: [`),
      ...byKubeconfig('list', JSON.stringify([CANARY])),
      ...byKubeconfig('context', of({ 'current-context': CANARY })),
      ...byKubeconfig('server', kubeconfigOf(`ftp://${CANARY}`, { user })),
      ...byKubeconfig('key', of({ user: { 'client-certificate-data': base64, 'client-key-data': base64 } })),
      ...byKubeconfig('control', of({ user: { token: `${CANARY}\u0000\n${CANARY}` } })),
      ...byKubeconfig('authority', of({ cluster: { 'certificate-authority-data': base64 } })),
      ...byKubeconfig('command', of({ user: { exec: { command: CANARY, env: [{ name: 'a', value: CANARY }] } } })),
      ...byKubeconfig('file', of({ user: { tokenFile: `/${CANARY}` } })),
      ...byKubeconfig('proxy', of({ cluster: { 'proxy-url': `http://ann:${CANARY}@127.0.0.1:1` } })),
      ...byKubeconfig('field', of({ user: { [CANARY]: CANARY } })),
      ...answers.flat(),
    ])
    const passes = [await hub.pass(), await hub.pass()]
    expect(passes.flatMap(({ thrown, broken }) => [thrown, broken].flat())).toEqual([])
    expect(passes[0]?.pages.flatMap(({ items }) => items)).toHaveLength(23)
    const said = await everythingSaid(hub, passes)
    expect(said).toContain('KubeconfigParseFailed')
    expect(said).not.toContain(CANARY)
    expect(said).not.toContain(base64)
  })

  it('of clusters with OIDC', async () => {
    const world = await startOidcWorld()
    const told = { error: CANARY, error_description: CANARY, access_token: [CANARY], issuer: CANARY }
    const part = (changes: object) => ({ authType: 'OIDC', oidcAuth: world.direct(changes) })
    const exchange = { enabled: true, subjectTokenSecretRef: ref('subject'), actorTokenSecretRef: ref('subject') }
    const hub = await startHub([
      ...world.secrets,
      secret('wrong', { value: `${CANARY}-client` }),
      secret('subject', { token: `${CANARY}-subject` }),
      secret('refresh', { token: `${CANARY}-refresh` }),
      secret('authority', { 'ca.crt': `-----BEGIN CERTIFICATE-----\n${CANARY}\n-----END CERTIFICATE-----` }),
      clusterConfig('client', part({ clientSecretRef: ref('wrong') })),
      clusterConfig('exchange', part({ tokenExchange: exchange })),
      clusterConfig('refresh', part({ refreshTokenSecretRef: ref('refresh') })),
      clusterConfig('authority', part({ caSecretRef: ref('authority') })),
      clusterConfig('answer', part({ clientID: 'told' })),
      clusterConfig('stranger', part({ clientID: 'stranger' })),
    ])
    world.issuer.token = form => {
      if (form.client_id === 'told') return { status: 400, body: told }
      if (form.client_id === 'stranger')
        return { status: 200, body: { access_token: `${CANARY}-access`, id_token: CANARY } }
      return { status: 401, body: { ...told, sent: form } }
    }
    const passes = [await hub.pass()]
    world.issuer.discovery = () => ({ status: 500, body: { ...told, secret: CLIENT.secret } })
    passes.push(await hub.pass())
    world.issuer.discovery = () => ({ status: 200, body: `{"${CANARY}` })
    passes.push(await hub.pass())
    expect(passes.flatMap(({ thrown, broken }) => [thrown, broken].flat())).toEqual([])
    const said = await everythingSaid(hub, passes)
    expect(said).toContain('OIDCTokenFetchFailed')
    for (const secretText of [CANARY, CLIENT.secret, base64]) expect(said).not.toContain(secretText)
  })

  it('of an API server that quotes them', async () => {
    const hub = await startHub(byKubeconfig('a', kubeconfigOf('https://127.0.0.1:1'), WAS_READY), idleClock(T0))
    for (const answer of [
      { status: 403, body: { kind: 'Other', message: CANARY } },
      { status: 500, body: CANARY },
      { status: 200, body: `{"data": ${CANARY}` },
      { status: 200, body: { data: { value: 7, other: CANARY } } },
    ]) {
      hub.server.intercept = ({ path }) => (path.includes('/secrets/') ? answer : undefined)
      const said = await everythingSaid(hub, [await hub.pass()])
      expect(said).not.toContain(CANARY)
    }
  })

  it('and this test would find one', async () => {
    const hub = await startHub([])
    hub.log.info('x', { error: `is ${CANARY}` })
    expect(await everythingSaid(hub, [])).toContain(CANARY)
    expect(await everythingSaid(hub, [{ thrown: [new Error(CANARY)] }])).toContain(CANARY)
  })
})
