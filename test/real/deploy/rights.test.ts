// The rights of infra/kubernetes on a real kube-apiserver: with them each function that runs the cleanup does its whole work, it
// uses every one of them, and without any single one of them a step fails. Each takes a name and a token of its own, as on EKS.

import type { Context } from 'aws-lambda'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { renderManifests, toYaml } from '../../../infra/build/manifests.ts'
import { cleanup } from '../../../lib/runtime/loops/cleanup.ts'
import { manual } from '../../../lib/runtime/manual.ts'
import { scheduled } from '../../../lib/runtime/scheduled.ts'
import { openWiring } from '../../../lib/runtime/wiring.ts'
import type { TickOutcome } from '../../../lib/tick/outcome.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, toInstant } from '../../../lib/time.ts'
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
const BASE = 'infra/kubernetes'
const DEBUG_COMPONENT = 'expire-debug-sessions'
const GROUP = 'breakglass.t-caas.telekom.com'
const DEFINITION = 'infra/kubernetes/fence/definition.yaml'
const FENCES = '/apis/fencepost.dev/v1/fences'
const LEASES = '/apis/coordination.k8s.io/v1/namespaces/fencepost-system/leases'
const SESSIONS = `/apis/${GROUP}/v1alpha1/namespaces/team`
const PERIOD_MS = 5 * MINUTE_MS
const VIRTUAL_USER = virtualUserOf('cleanup')
const FUNCTIONS = ['cleanup', 'reconcile'] as const

type FunctionName = (typeof FUNCTIONS)[number]

/** What the work is done on: one object for each thing that the loop does. */
function objects(): object[] {
  const ago = (ms: number) => toInstant(Date.now() - ms)
  const object = (kind: string, name: string, spec: object, status: object) => ({
    apiVersion: `${GROUP}/v1alpha1`,
    kind,
    metadata: { name, namespace: 'team' },
    spec,
    status,
  })
  const session = (name: string, user: string, status: object) =>
    object(
      'BreakglassSession',
      name,
      { cluster: 'prod', user, grantedGroup: 'admins' },
      { state: 'Approved', ...status },
    )
  const debug = (name: string, status: object) =>
    object('DebugSession', name, { cluster: 'prod', templateRef: 'netshoot', requestedBy: 'dan' }, status)
  return [
    session('overdue', 'ann', { expiresAt: ago(MINUTE_MS) }),
    session('twin-a', 'bob', { expiresAt: ago(-HOUR_MS) }),
    session('twin-b', 'bob', { expiresAt: ago(-HOUR_MS) }),
    session('retained', 'cid', { state: 'Expired', retainedUntil: ago(MINUTE_MS) }),
    debug('debug-ended', { state: 'Expired', expiresAt: ago(8 * DAY_MS) }),
    debug('debug-overdue', { state: 'Active', expiresAt: ago(MINUTE_MS) }),
  ]
}

describeWith((await whyNoCluster()) ?? {}, 'with the rights of infra/kubernetes, on a real kube-apiserver', () => {
  let cluster: RightsCluster

  beforeAll(async () => {
    cluster = await startRightsCluster()
    await cluster.administrator.create(
      ['team', SECRETS_NAMESPACE].map(name => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })),
    )
  }, STARTED_WITHIN_MS)
  afterAll(() => cluster?.close())

  describe('applying them', () => {
    const lines = (text: string) => text.trim().split('\n')

    it('makes everything, the definition first, and a second time changes nothing', async () => {
      expect(await cluster.kubectl('apply', '-f', DEFINITION)).toMatch(/ created\n$/)
      await cluster.kubectl('wait', '--for=condition=Established', '--timeout=60s', 'crd/fences.fencepost.dev')
      const all = lines(await cluster.kubectl('apply', '-k', BASE))
      expect(all).toHaveLength(40)
      const first = all.filter(line => !line.startsWith('customresourcedefinition'))
      expect(first.filter(line => !line.endsWith(' created'))).toEqual([])
      const second = lines(await cluster.kubectl('apply', '-k', BASE))
      expect(second).toEqual(all.map(line => line.replace(/ created$/, ' unchanged')))
    })

    it('lets secrets be read in the namespaces where that folder is applied, and nowhere else', async () => {
      const first = lines(await cluster.kubectl('apply', '-k', `${BASE}/secrets`))
      expect(first).toHaveLength(4)
      expect(first.filter(line => !line.endsWith(' created'))).toEqual([])
      const other = await cluster.secretsIn('team')
      expect(lines(await cluster.kubectl('apply', '-k', other)).filter(line => !line.endsWith(' created'))).toEqual([])
      expect(await cluster.kubectl('apply', '-k', other)).not.toMatch(/created|configured/)
      const may = async (loop: string, namespace: string) => {
        const words = ['auth', 'can-i', 'get', 'secrets', '-n', namespace]
        const user = `fencepost:function:fencepost-${loop}`
        return (await cluster.kubectl(...words, '--as', user).catch(() => 'no')).trim()
      }
      for (const loop of ['status-sync', 'config-check', 'reconcile'])
        expect([await may(loop, SECRETS_NAMESPACE), await may(loop, 'team'), await may(loop, 'default')]).toEqual([
          'yes',
          'yes',
          'no',
        ])
      expect(await may('cleanup', SECRETS_NAMESPACE)).toBe('no')
      await cluster.kubectl('delete', '-k', other)
    })

    it('leaves term, token and ledger of a Lease as they are', async () => {
      const path = `${LEASES}/fencepost-cleanup`
      const annotations = { 'fencepost.dev/completed-tick': '2026-11-21T07:05:00Z', 'fencepost.dev/drained': '7' }
      const spec = { holderIdentity: 'somebody', leaseTransitions: 7 }
      await cluster.administrator.send('PATCH', path, { metadata: { annotations }, spec })
      const before = await cluster.read(path)
      expect(await cluster.kubectl('apply', '-k', BASE)).toContain(
        'lease.coordination.k8s.io/fencepost-cleanup unchanged',
      )
      expect(await cluster.read(path)).toEqual(before)
    })

    it('leaves a Fence as it was raised', async () => {
      const path = `${FENCES}/fencepost-cleanup`
      await cluster.administrator.send('PATCH', path, { spec: { token: 7, holder: 'somebody', lease: 'one' } })
      const before = await cluster.read(path)
      expect(await cluster.kubectl('apply', '-k', BASE)).toContain('fence.fencepost.dev/fencepost-cleanup unchanged')
      expect(await cluster.read(path)).toEqual(before)
    })

    it('makes a second installation beside it, which shares the definition alone', async () => {
      const objects = toYaml(renderManifests({ installation: 'second' }))
      const second = lines(await cluster.kubectlWith(objects, 'apply', '-f', '-'))
      expect(second.filter(line => !line.endsWith(' created'))).toEqual([
        'customresourcedefinition.apiextensions.k8s.io/fences.fencepost.dev unchanged',
      ])
      expect(await cluster.kubectlWith(objects, 'apply', '-f', '-')).not.toMatch(/created|configured/)
      expect(await cluster.kubectl('apply', '-k', BASE)).not.toMatch(/created|configured/)
    })

    it('adds one right with the component, and a second time changes nothing', async () => {
      const before = rightsOf(await cluster.roles('cleanup'))
      const overlay = await cluster.overlay(DEBUG_COMPONENT)
      await cluster.kubectl('apply', '-k', overlay)
      expect(rightsOf(await cluster.roles('cleanup'))).toEqual([...before, `patch debugsessions/status.${GROUP}`])
      expect(await cluster.kubectl('apply', '-k', overlay)).not.toMatch(/created|configured/)
    })
  })

  describe('each function', () => {
    beforeEach(async () => {
      await cluster.kubectl('apply', '-k', await cluster.overlay(DEBUG_COMPONENT))
      await cluster.only('cleanup')
      for (const role of await cluster.roles('cleanup')) await cluster.replace(role)
      await reset()
    })

    /** All objects anew, and a Lease that nobody has held, with nothing to settle. */
    async function reset(): Promise<void> {
      const { administrator, proxy } = cluster
      for (const plural of ['breakglasssessions', 'debugsessions'])
        await administrator.send('DELETE', `${SESSIONS}/${plural}`)
      await administrator.send('DELETE', `${LEASES}/fencepost-cleanup`)
      // The one of the manifests has no leave to be deleted.
      const leave = { metadata: { annotations: { 'fencepost.dev/allow-deletion': 'true' } } }
      await administrator.send('PATCH', `${FENCES}/fencepost-cleanup`, leave)
      await administrator.send('DELETE', `${FENCES}/fencepost-cleanup`)
      const metadata = {
        name: 'fencepost-cleanup',
        namespace: 'fencepost-system',
        annotations: { 'fencepost.dev/drained': '0' },
      }
      const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata }
      await administrator.create([lease, ...fences(['fencepost-cleanup']), ...objects()])
      proxy.clearRequests()
      proxy.intercept = changeBeforeDelete()
    }

    /** Somebody else changes the ended debug session when it is about to be deleted: the loop must look at it again. */
    function changeBeforeDelete(): RightsCluster['proxy']['intercept'] {
      let isChanged = false
      return async ({ method, path }) => {
        if (isChanged || method !== 'DELETE' || !path.includes('/debugsessions/')) return undefined
        isChanged = true
        await cluster.administrator.send('PATCH', path, { metadata: { labels: { seen: 'yes' } } })
        return undefined
      }
    }

    let log: ReturnType<typeof recordingLog>

    /** A function in a sandbox of its own; the context is the platform's. */
    async function start(name: FunctionName): Promise<(event: object) => Promise<unknown>> {
      const KUBECONFIG = await cluster.kubeconfigOf(name)
      log = recordingLog()
      const open = () => ({ ...openWiring({ KUBECONFIG, EXPIRE_DEBUG_SESSIONS: 'true', LOG_LEVEL: 'ERROR' }), log })
      const handler = name === 'cleanup' ? scheduled(cleanup, open) : manual([cleanup], open)
      const context = { awsRequestId: 'request', getRemainingTimeInMillis: () => MINUTE_MS } as Context
      return event => handler(event, context)
    }

    /** The pass over all objects that each function does: a scheduled tick, or a run by hand. */
    async function pass(name: FunctionName): Promise<TickOutcome> {
      const call = await start(name)
      const time = toInstant(Math.floor(Date.now() / PERIOD_MS) * PERIOD_MS)
      return (await call(name === 'cleanup' ? { time } : { loop: 'cleanup' })) as TickOutcome
    }

    /** Rights of requests that were refused. A canary is meant to be: it counts where the write itself was never let through. */
    const refused = () => {
      const { requests } = cluster.proxy
      const isDone = ({ status, query }: Recorded) => status < 300 && !query.includes('dryRun')
      const done = new Set(requests.filter(isDone).map(rightFor))
      return [...new Set(requests.filter(({ status }) => status === 403).map(rightFor))].filter(
        right => !done.has(right),
      )
    }
    const used = () => [
      ...new Set(cluster.proxy.requests.flatMap(request => [rightFor(request), ...actingFor(request)])),
    ]
    /** Rights that requests name, without the names of Lease, Fence and user. */
    const given = async () =>
      rightsOf(await cluster.roles('cleanup')).map(right => right.split(' ').slice(0, 2).join(' '))

    it.each(FUNCTIONS)('%s does its whole work, is refused nothing, and uses every right there is', async name => {
      expect(await pass(name)).toMatchObject({ kind: 'completed', counts: { failed: 0 } })
      expect(refused()).toEqual([])
      expect([...used(), ...WHEN_HEALING].sort()).toEqual((await given()).sort())
      expect(await left()).toEqual({
        overdue: 'Expired',
        'twin-a': 'Approved',
        'twin-b': 'Expired',
        'debug-overdue': 'Expired',
      })
    })

    async function left(): Promise<Record<string, string>> {
      type List = { items: { metadata: { name: string }; status: { state: string } }[] }
      const lists = ['breakglasssessions', 'debugsessions'].map(plural => cluster.read<List>(`${SESSIONS}/${plural}`))
      const items = (await Promise.all(lists)).flatMap(list => list.items)
      return Object.fromEntries(items.map(({ metadata, status }) => [metadata.name, status.state]))
    }

    it('reconcile plans, tells, suspends, resumes and frees, and is refused nothing', async () => {
      const call = await start('reconcile')
      const ask = (event: object) => call({ loop: 'cleanup', ...event })
      expect(await ask({ dryRun: true })).toMatchObject({ kind: 'dry-run', isComplete: true, broken: [] })
      expect(await ask({ action: 'status' })).toMatchObject({ holder: null, token: 0 })
      expect(await ask({ action: 'suspend' })).toMatchObject({ suspended: true })
      expect(await ask({})).toMatchObject({ kind: 'skipped', reason: 'suspended' })
      expect(await ask({ action: 'resume' })).toMatchObject({ suspended: false })
      expect(await ask({ action: 'release' })).toMatchObject({ token: 1 })
      expect(refused()).toEqual([])
    })

    it.each<[verb: string, resource: string, step: string, event: object]>([
      ['get', 'leases', 'tells no status', { action: 'status' }],
      ['update', 'leases', 'suspends nothing', { action: 'suspend' }],
      ['update', 'leases', 'frees nothing', { action: 'release' }],
      ['list', 'breakglasssessions', 'plans nothing', { dryRun: true }],
    ])('reconcile without %s on %s %s', async (verb, resource, _, event) => {
      for (const role of without(await cluster.roles('cleanup'), verb, resource)) await cluster.replace(role)
      const call = await start('reconcile')
      await expect(call({ loop: 'cleanup', ...event })).rejects.toMatchObject({ code: 'Forbidden' })
      expect(refused()).toEqual([expect.stringMatching(`^${verb} ${resource}\\.`)])
    })

    /** Without a right: what is refused, and what comes of the pass. */
    const ROWS: [verb: string, resource: string, step: string, outcome: object][] = [
      ['get', 'leases', 'the lease can’t be read', FAILED],
      ['update', 'leases', 'the lease can’t be taken', FAILED],
      ['list', 'breakglasssessions', 'no session is seen', FAILED],
      ['get', 'breakglasssessions', 'duplicates can’t be looked at again', FAILED],
      ['patch', 'breakglasssessions/status', 'no session ends', failedObjects(2)],
      ['delete', 'breakglasssessions', 'no ended session goes', failedObjects(1)],
      ['list', 'debugsessions', 'no debug session is seen', FAILED],
      ['get', 'debugsessions', 'a debug session that changed can’t be looked at again', failedObjects(1)],
      ['patch', 'debugsessions/status', 'no debug session ends', failedObjects(1)],
      ['delete', 'debugsessions', 'no ended debug session goes', failedObjects(1)],
      ['patch', 'fences', 'the Fence can’t be raised', { kind: 'failed', error: { code: 'FenceForbidden' } }],
      ['create', 'events', 'the work is done, and no Event tells of it', { kind: 'completed' }],
    ]

    it('has a row here for each of its rights', async () => {
      const rows = ROWS.map(([verb, resource]) => `${verb} ${resource}`)
      const all = [...rows, ...TO_ACT.map(right => right.replace(/\.[^/]*$/, '')), 'get fences']
      expect(all.sort()).toEqual((await given()).map(right => right.replace(/\.[^/]*$/, '')).sort())
    })

    it.each(['users', 'userextras/fencepost.dev/token', 'userextras/fencepost.dev/holder'])(
      'cleanup without impersonate on %s writes nothing',
      async resource => {
        const before = await left()
        for (const role of without(await cluster.roles('cleanup'), 'impersonate', resource)) await cluster.replace(role)
        await expect(pass('cleanup')).rejects.toMatchObject({ outcome: { kind: 'failed', counts: { changed: 0 } } })
        const written = cluster.proxy.requests.filter(({ user, status }) => user === VIRTUAL_USER && status < 300)
        expect([written, await left()]).toEqual([[], before])
      },
    )

    describe.each(FUNCTIONS)('%s', name => {
      it.each(ROWS)('without %s on %s: %s', async (verb, resource, _, outcome) => {
        for (const role of without(await cluster.roles('cleanup'), verb, resource)) await cluster.replace(role)
        const came = await pass(name).catch((error: { outcome: TickOutcome }) => error.outcome)
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
const actingFor = ({ user }: Recorded) => (user === VIRTUAL_USER ? TO_ACT : [])

type Recorded = RightsCluster['proxy']['requests'][number]

/** A tick that failed as a whole for want of a right. */
const FAILED = { kind: 'failed', error: { code: 'Forbidden' } }

/** A tick that failed for some objects and went on with the rest. */
function failedObjects(failed: number): object {
  return { kind: 'failed', counts: { failed } }
}

/** The right that a request needs, as `rightsOf` writes them, without an object's name. */
function rightFor({ method, path }: { method: string; path: string }): string {
  const [, group, , resource, name, subresource] =
    /^\/apis\/([^/]+)\/([^/]+)(?:\/namespaces\/[^/]+)?\/([^/]+)(?:\/([^/]+))?(?:\/([^/]+))?$/.exec(path) ?? []
  const verbs: Record<string, string> = { POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' }
  const verb = method === 'GET' ? (name === undefined ? 'list' : 'get') : verbs[method]
  return `${verb} ${resource}${subresource ? `/${subresource}` : ''}.${group}`
}
