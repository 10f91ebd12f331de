// The rights of infra/kubernetes on a real kube-apiserver, for status-sync and config-check: with them the loop's function, and a run
// by hand, does its whole work and uses every one of them, and without any single one a step fails. Keycloak is the embedded
// one; the cluster that is checked is the API server itself.

import type { Context } from 'aws-lambda'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type EmbeddedKeycloak, startKeycloak } from '../../../infra/local/keycloak/server.ts'
import { sampleRealms } from '../../../infra/local/world/samples.ts'
import { makeCertificate } from '../../../infra/local/world/tls/certificate.ts'
import type { Loop } from '../../../lib/runtime/loop.ts'
import { configCheck } from '../../../lib/runtime/loops/config-check.ts'
import { statusSync } from '../../../lib/runtime/loops/status-sync.ts'
import { manual } from '../../../lib/runtime/manual.ts'
import { scheduled } from '../../../lib/runtime/scheduled.ts'
import { openWiring } from '../../../lib/runtime/wiring.ts'
import type { TickOutcome } from '../../../lib/tick/outcome.ts'
import { MINUTE_MS, toInstant } from '../../../lib/time.ts'
import { fences } from '../../support/fence.ts'
import { recordingLog } from '../../support/log.ts'
import { describeWith } from '../world/left-out.ts'
import {
  type RightsCluster,
  rightsOf,
  SECRETS_NAMESPACE,
  startRightsCluster,
  virtualUserOf,
  whyNoCluster,
  without,
} from './rights-cluster.ts'

// The library that writes metrics reads this; they would only fill the screen.
process.env.POWERTOOLS_METRICS_DISABLED = 'true'

const STARTED_WITHIN_MS = 600_000
const GROUP = 'breakglass.t-caas.telekom.com'
const FENCES = '/apis/fencepost.dev/v1/fences'
const LEASES = '/apis/coordination.k8s.io/v1/namespaces/fencepost-system/leases'
const OBJECTS = `/apis/${GROUP}/v1alpha1/namespaces/${SECRETS_NAMESPACE}`
const PERIOD_MS = 10 * MINUTE_MS

/** A tick that failed as a whole for want of a right, and one that failed for one object. */
const FAILED = { kind: 'failed', error: { code: 'Forbidden' } }
const FAILED_OBJECT = { kind: 'failed', counts: { failed: 1 } }

/** Without a right: what comes of the pass. */
type Row = readonly [verb: string, resource: string, step: string, outcome: object]

interface Case {
  readonly loop: Loop
  /** What it writes to. */
  readonly plural: string
  readonly rows: readonly Row[]
}

const common = (plural: string): Row[] => [
  ['get', 'leases', 'the lease can’t be read', FAILED],
  ['update', 'leases', 'the lease can’t be taken', FAILED],
  ['list', plural, 'nothing is seen', FAILED],
  ['get', plural, 'what changed can’t be looked at again', FAILED_OBJECT],
  ['list', 'identityproviders', 'nobody can be asked', FAILED],
  ['patch', `${plural}/status`, 'nothing is written', FAILED_OBJECT],
  ['patch', 'fences', 'the Fence can’t be raised', { kind: 'failed', error: { code: 'FenceForbidden' } }],
  ['create', 'events', 'the work is done, and no Event tells of it', { kind: 'completed' }],
]

const CASES: readonly Case[] = [
  {
    loop: statusSync,
    plural: 'breakglassescalations',
    rows: [
      ...common('breakglassescalations'),
      [
        'get',
        'secrets',
        'its provider can’t be asked, which the condition says',
        { kind: 'completed', changes: [{ to: 'GroupSyncFailed' }] },
      ],
    ],
  },
  {
    loop: configCheck,
    plural: 'clusterconfigs',
    rows: [
      ...common('clusterconfigs'),
      ['get', 'secrets', 'the cluster can’t be looked at, which says nothing about it', FAILED_OBJECT],
    ],
  },
]

describeWith((await whyNoCluster()) ?? {}, 'with the rights of infra/kubernetes, on a real kube-apiserver', () => {
  let cluster: RightsCluster
  let keycloak: EmbeddedKeycloak
  const certificate = makeCertificate(Date.now())

  beforeAll(async () => {
    const tls = { key: certificate.key, cert: certificate.certificate }
    keycloak = await startKeycloak({ realms: sampleRealms(), tls })
    cluster = await startRightsCluster()
    await cluster.administrator.create([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: SECRETS_NAMESPACE } }])
    await cluster.kubectl('apply', '-f', 'infra/kubernetes/fence/definition.yaml')
    await cluster.kubectl('wait', '--for=condition=Established', '--timeout=60s', 'crd/fences.fencepost.dev')
    await apply()
    await cluster.administrator.create(around())
  }, STARTED_WITHIN_MS)
  afterAll(async () => {
    await cluster?.close()
    await keycloak?.close()
  })

  const apply = async () => {
    for (const folder of ['infra/kubernetes', 'infra/kubernetes/secrets']) await cluster.kubectl('apply', '-k', folder)
  }

  /** The provider and the secrets that the loops read. */
  function around(): object[] {
    const secret = (name: string, stringData: object) => ({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name, namespace: SECRETS_NAMESPACE },
      stringData,
    })
    const oidc = { authority: `${keycloak.url}/realms/corp`, clientID: 'ui', expectedAudience: 'ui' }
    const clientSecretRef = { name: 'keycloak-corp', namespace: SECRETS_NAMESPACE, key: 'client-secret' }
    const spec = {
      oidc,
      groupSyncProvider: 'Keycloak',
      keycloak: {
        baseURL: keycloak.url,
        realm: 'corp',
        clientID: 'breakglass-groups',
        clientSecretRef,
        certificateAuthority: certificate.certificate,
      },
    }
    return [
      { apiVersion: `${GROUP}/v1alpha1`, kind: 'IdentityProvider', metadata: { name: 'corp' }, spec },
      secret('keycloak-corp', { 'client-secret': 'the-secret-of-corp' }),
      secret('kubeconfig-prod', { value: cluster.kubeconfig }),
    ]
  }

  /** What the loops write to, never looked at before. */
  function objects(): object[] {
    const object = (kind: string, name: string, spec: object) => ({
      apiVersion: `${GROUP}/v1alpha1`,
      kind,
      metadata: { name, namespace: SECRETS_NAMESPACE },
      spec,
    })
    const ref = { name: 'kubeconfig-prod', namespace: SECRETS_NAMESPACE }
    return [
      object('BreakglassEscalation', 'ops-to-admin', {
        escalatedGroup: 'cluster-admin',
        allowed: { groups: ['ops'] },
        approvers: { groups: ['duty-leads'] },
      }),
      object('ClusterConfig', 'prod', { kubeconfigSecretRef: ref }),
    ]
  }

  describe.each(CASES)('$loop.name', ({ loop, plural, rows }) => {
    const name = `fencepost-${loop.name}`
    const virtualUser = virtualUserOf(loop.name)
    const RUNNERS = [loop.name, 'reconcile']
    let log: ReturnType<typeof recordingLog>

    beforeEach(async () => {
      const { administrator, proxy } = cluster
      await apply()
      await cluster.only(loop.name)
      for (const role of await cluster.roles(loop.name)) await cluster.replace(role)
      for (const kind of ['breakglassescalations', 'clusterconfigs'])
        await administrator.send('DELETE', `${OBJECTS}/${kind}`)
      await administrator.send('DELETE', `${LEASES}/${name}`)
      // The one of the manifests has no leave to be deleted.
      const leave = { metadata: { annotations: { 'fencepost.dev/allow-deletion': 'true' } } }
      await administrator.send('PATCH', `${FENCES}/${name}`, leave)
      await administrator.send('DELETE', `${FENCES}/${name}`)
      const metadata = { name, namespace: 'fencepost-system', annotations: { 'fencepost.dev/drained': '0' } }
      const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata }
      await administrator.create([lease, ...fences([name]), ...objects()])
      proxy.clearRequests()
      proxy.intercept = changeBeforePatch()
    })

    /** Somebody else changes the object when its status is about to be written: the loop must look at it again. */
    function changeBeforePatch(): RightsCluster['proxy']['intercept'] {
      let isChanged = false
      return async ({ method, path, query }) => {
        if (isChanged || method !== 'PATCH' || !path.includes(`/${plural}/`) || query.has('dryRun')) return undefined
        isChanged = true
        await cluster.administrator.send('PATCH', path.replace(/\/status$/, ''), {
          metadata: { labels: { seen: 'yes' } },
        })
        return undefined
      }
    }

    /** The pass over all objects that a function does: a scheduled tick, or a run by hand. */
    async function pass(runner: string): Promise<TickOutcome> {
      const KUBECONFIG = await cluster.kubeconfigOf(runner)
      log = recordingLog()
      const open = () => ({ ...openWiring({ KUBECONFIG, LOG_LEVEL: 'ERROR' }), log })
      const handler = runner === loop.name ? scheduled(loop, open) : manual([loop], open)
      const time = toInstant(Math.floor(Date.now() / PERIOD_MS) * PERIOD_MS)
      const event = runner === loop.name ? { time } : { loop: loop.name }
      const context = { awsRequestId: 'request', getRemainingTimeInMillis: () => MINUTE_MS } as Context
      return (await handler(event, context)) as TickOutcome
    }

    /** Rights of requests that were refused. A canary is meant to be: it counts where the write itself was never let in. */
    const refused = () => {
      const { requests } = cluster.proxy
      // Whatever conflicts was let in.
      const isLetIn = ({ status, query }: Recorded) => (status < 300 || status === 409) && !query.includes('dryRun')
      const letIn = new Set(requests.filter(isLetIn).map(rightFor))
      const all = new Set(requests.filter(({ status }) => status === 403).map(rightFor))
      return [...all].filter(right => !letIn.has(right))
    }
    const used = () =>
      cluster.proxy.requests.flatMap(request => [rightFor(request), ...(request.user === virtualUser ? TO_ACT : [])])
    /** Rights that requests name, without the names of Lease, Fence and user. */
    const given = async () =>
      rightsOf(await cluster.roles(loop.name)).map(right => right.split(' ').slice(0, 2).join(' '))

    it.each(RUNNERS)('%s does its whole work, is refused nothing, and uses every right there is', async runner => {
      expect(await pass(runner)).toMatchObject({ kind: 'completed', counts: { changed: 1, failed: 0 } })
      expect(refused()).toEqual([])
      expect([...new Set([...used(), ...WHEN_HEALING])].sort()).toEqual((await given()).sort())
    })

    it('has a row here for each of its rights', async () => {
      const own = rows.map(([verb, resource]) => `${verb} ${resource}`)
      const bare = (right: string) => right.replace(/\.[^/]*$/, '')
      const all = [...own, ...TO_ACT.map(bare), ...WHEN_HEALING.map(bare)]
      expect(all.sort()).toEqual((await given()).map(bare).sort())
    })

    it.each(['users', 'userextras/fencepost.dev/token', 'userextras/fencepost.dev/holder'])(
      'without impersonate on %s writes nothing',
      async resource => {
        for (const role of without(await cluster.roles(loop.name), 'impersonate', resource)) await cluster.replace(role)
        await expect(pass(loop.name)).rejects.toMatchObject({ outcome: { kind: 'failed', counts: { changed: 0 } } })
        const written = cluster.proxy.requests.filter(({ user, status }) => user === virtualUser && status < 300)
        expect(written).toEqual([])
      },
    )

    describe.each(RUNNERS)('%s', runner => {
      it.each(rows)('without %s on %s: %s', async (verb, resource, _, outcome) => {
        for (const role of without(await cluster.roles(loop.name), verb, resource)) await cluster.replace(role)
        const came = await pass(runner).catch((error: { outcome: TickOutcome }) => error.outcome)
        expect(came).toMatchObject(outcome)
        expect(refused()).toEqual([expect.stringMatching(`^${verb} ${resource}\\.`)])
        expect(log.messages().includes('event not written')).toBe(resource === 'events')
      })
    })
  })
})

/** The Fence is read only where it can't be raised. */
const WHEN_HEALING = ['get fences.fencepost.dev']
/** What a function needs to act as the virtual user; no request of its own asks for it. */
const TO_ACT = [
  'users.',
  'userextras/fencepost.dev/token.authentication.k8s.io',
  'userextras/fencepost.dev/holder.authentication.k8s.io',
].map(resource => `impersonate ${resource}`)

type Recorded = RightsCluster['proxy']['requests'][number]

/** The right that a request needs, as `rightsOf` writes them, without an object's name. */
function rightFor({ method, path }: { method: string; path: string }): string {
  const [, group = '', resource, name, subresource] =
    /^\/(?:api|apis\/([^/]+))\/[^/]+(?:\/namespaces\/[^/]+)?\/([^/]+)(?:\/([^/]+))?(?:\/([^/]+))?$/.exec(path) ?? []
  const verbs: Record<string, string> = { POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' }
  const verb = method === 'GET' ? (name === undefined ? 'list' : 'get') : verbs[method]
  return `${verb} ${resource}${subresource ? `/${subresource}` : ''}.${group}`
}
