// The rights of infra/kubernetes on a real kube-apiserver: with them each function does its whole work, it uses every one of
// them, and without any single one of them a step fails. Each takes a name and a token of its own, as on EKS.

import type { Context } from 'aws-lambda'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { cleanup } from '../../../lib/runtime/loops/cleanup.ts'
import { manual } from '../../../lib/runtime/manual.ts'
import { scheduled } from '../../../lib/runtime/scheduled.ts'
import { openWiring } from '../../../lib/runtime/wiring.ts'
import type { TickOutcome } from '../../../lib/tick/outcome.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, toInstant } from '../../../lib/time.ts'
import { recordingLog } from '../../support/log.ts'
import { describeWith } from '../world/left-out.ts'
import { FUNCTIONS, type RightsCluster, rightsOf, startRightsCluster, whyNoCluster, without } from './rights-cluster.ts'

// The library that writes metrics reads this; they would only fill the screen.
process.env.POWERTOOLS_METRICS_DISABLED = 'true'

const STARTED_WITHIN_MS = 600_000
const BASE = 'infra/kubernetes'
const DEBUG_COMPONENT = 'expire-debug-sessions'
const GROUP = 'breakglass.t-caas.telekom.com'
const LEASES = '/apis/coordination.k8s.io/v1/namespaces/fencepost-system/leases'
const SESSIONS = `/apis/${GROUP}/v1alpha1/namespaces/team`
const PERIOD_MS = 5 * MINUTE_MS

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
    await cluster.administrator.create([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team' } }])
  }, STARTED_WITHIN_MS)
  afterAll(() => cluster?.close())

  describe('applying them', () => {
    const lines = (text: string) => text.trim().split('\n')

    it('makes everything, and a second time changes nothing', async () => {
      const first = lines(await cluster.kubectl('apply', '-k', BASE))
      expect(first).toHaveLength(6)
      expect(first.filter(line => !line.endsWith(' created'))).toEqual([])
      const second = lines(await cluster.kubectl('apply', '-k', BASE))
      expect(second).toEqual(first.map(line => line.replace(/ created$/, ' unchanged')))
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

    it('adds one right with the component, and a second time changes nothing', async () => {
      const before = rightsOf(await cluster.roles())
      const overlay = await cluster.overlay(DEBUG_COMPONENT)
      await cluster.kubectl('apply', '-k', overlay)
      expect(rightsOf(await cluster.roles())).toEqual([...before, `patch debugsessions/status.${GROUP}`])
      expect(await cluster.kubectl('apply', '-k', overlay)).not.toMatch(/created|configured/)
    })
  })

  describe('each function', () => {
    beforeEach(async () => {
      await cluster.kubectl('apply', '-k', await cluster.overlay(DEBUG_COMPONENT))
      for (const role of await cluster.roles()) await cluster.replace(role)
      await reset()
    })

    /** All objects anew, and a Lease that nobody has held, with nothing to settle. */
    async function reset(): Promise<void> {
      const { administrator, proxy } = cluster
      for (const plural of ['breakglasssessions', 'debugsessions'])
        await administrator.send('DELETE', `${SESSIONS}/${plural}`)
      await administrator.send('DELETE', `${LEASES}/fencepost-cleanup`)
      const metadata = {
        name: 'fencepost-cleanup',
        namespace: 'fencepost-system',
        annotations: { 'fencepost.dev/drained': '0' },
      }
      await administrator.create([{ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata }, ...objects()])
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

    const isRefused = ({ status }: { status: number }) => status === 403
    const refused = () => [...new Set(cluster.proxy.requests.filter(isRefused).map(rightFor))]
    const used = () => [...new Set(cluster.proxy.requests.map(rightFor))].sort()
    /** Rights that requests name, without the Lease's name. */
    const given = async () =>
      rightsOf(await cluster.roles())
        .map(right => right.replace(/ fencepost-cleanup$/, ''))
        .sort()

    it.each(FUNCTIONS)('%s does its whole work, is refused nothing, and uses every right there is', async name => {
      expect(await pass(name)).toMatchObject({ kind: 'completed', counts: { failed: 0 } })
      expect(refused()).toEqual([])
      expect(used()).toEqual(await given())
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
      for (const role of without(await cluster.roles(), verb, resource)) await cluster.replace(role)
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
      ['create', 'events', 'the work is done, and no Event tells of it', { kind: 'completed' }],
    ]

    it('has a row here for each of its rights', async () => {
      const rows = ROWS.map(([verb, resource]) => `${verb} ${resource}`)
      expect(rows.sort()).toEqual((await given()).map(right => right.replace(/\.[a-z].*$/, '')).sort())
    })

    describe.each(FUNCTIONS)('%s', name => {
      it.each(ROWS)('without %s on %s: %s', async (verb, resource, _, outcome) => {
        for (const role of without(await cluster.roles(), verb, resource)) await cluster.replace(role)
        const came = await pass(name).catch((error: { outcome: TickOutcome }) => error.outcome)
        expect(came).toMatchObject(outcome)
        expect(refused()).toEqual([expect.stringMatching(`^${verb} ${resource}\\.`)])
        expect(log.messages().includes('event not written')).toBe(resource === 'events')
      })
    })
  })
})

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
