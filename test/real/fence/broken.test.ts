// A fence that is broken: taken away whole or in part, or never given its rights. Everybody else goes on writing; our function
// refuses to act, says what is wrong and which command mends it; that command does mend it.

import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import type { TickOutcome } from '../../../lib/tick/outcome.ts'
import { scenarioClock, T0 } from '../../support/clock.ts'
import { startSandbox } from '../../support/invoke.ts'
import { dueSessions, session } from '../../support/sessions.ts'
import { describeWith } from '../world/left-out.ts'
import {
  type Answer,
  CLEANUP,
  event,
  type FenceCluster,
  MANIFESTS,
  SOMEBODY,
  STRANGER,
  startFenceCluster,
  until,
  virtual,
} from './stage/cluster.ts'
import { FENCE_PATH, SESSIONS_PATH } from './stage/reset.ts'
import { accepted } from './stage/sent.ts'
import { type FenceWorld, outcomeOf, startFenceWorld, tick, whyNoWorld } from './stage/world.ts'

const PERIOD = 300_000
const DUE = 3
const MENDING = /`kubectl apply -k infra\/kubernetes`/
const POLICIES = '/apis/admissionregistration.k8s.io/v1'
const POLICY = `${POLICIES}/validatingadmissionpolicies/fencepost-fence-token`
const BINDING = `${POLICIES}/validatingadmissionpolicybindings/fencepost-fence-token-cleanup`
const CRD = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/fences.fencepost.dev'
const ROLES = '/apis/rbac.authorization.k8s.io/v1/clusterroles'
const EVENTS = '/apis/events.k8s.io/v1/namespaces/breakglass-system/events'

/** What is broken, how that shows in a write under a holder that nobody has, and what the function says. */
interface Break {
  readonly title: string
  readonly break: (cluster: FenceCluster) => Promise<unknown>
  readonly shows: (answers: { status: Answer; event: Answer; raise: Answer }) => boolean
  readonly error: { code: string; message: RegExp }
}

const allow = { metadata: { annotations: { 'fencepost.dev/allow-deletion': 'true' } } }

async function deleteGuarded({ ask }: FenceCluster, path: string): Promise<void> {
  await ask({ method: 'PATCH', path, body: allow })
  await ask({ method: 'DELETE', path })
  await until(async () => (await ask({ method: 'GET', path })).status === 404)
}

/** Changes the rules of a policy, or of a role. */
function change(path: string, edit: (text: string) => string): Break['break'] {
  return async ({ ask }) => {
    const { body } = await ask({ method: 'GET', path })
    const { managedFields: _, ...metadata } = body.metadata
    const changed = edit(JSON.stringify({ ...body, metadata: { ...metadata, annotations: undefined } }))
    const object = { ...JSON.parse(changed), metadata: { ...metadata } }
    const answer = await ask({ method: 'PUT', path, body: object })
    if (answer.status !== 200) throw new Error(answer.message)
  }
}

const isOpen = ({ status }: { status: Answer }) => status.status === 200
const says = (text: string) => (answers: { status: Answer; event: Answer; raise: Answer }) =>
  Object.values(answers).some(({ message }) => message.includes(text))
const notInForce = (kind: string) => ({
  code: 'FenceNotInForce',
  message: new RegExp(`${kind}.*fence-token.*absent, not in force yet, or does not cover it`),
})
const STATUS = 'PATCH breakglasssessions.breakglass.t-caas.telekom.com/status'
const mayNot = (what: string) => ({ code: 'FenceForbidden', message: new RegExp(what) })

const BREAKS: Break[] = [
  {
    title: 'the kind Fence is deleted while the policies stay',
    break: cluster => deleteGuarded(cluster, CRD),
    shows: isOpen,
    error: { code: 'FenceMissing', message: /the kind Fence is not installed/ },
  },
  {
    title: 'the Fence is deleted while the policies stay',
    break: cluster => deleteGuarded(cluster, FENCE_PATH),
    shows: isOpen,
    error: { code: 'FenceMissing', message: /Fence fencepost-cleanup does not exist/ },
  },
  {
    title: 'all of the fence is uninstalled',
    break: async cluster => {
      for (const path of [FENCE_PATH, CRD]) await cluster.ask({ method: 'PATCH', path, body: allow })
      for (const file of ['cleanup', 'policies', 'definition'])
        await cluster.kubectl('delete', '--ignore-not-found', '-f', `${MANIFESTS}/fence/${file}.yaml`)
    },
    shows: says('cannot impersonate resource'),
    error: mayNot('may not patch Fence fencepost-cleanup'),
  },
  {
    title: 'Fence and rights are there without the policies',
    break: ({ kubectl }) => kubectl('delete', '-f', `${MANIFESTS}/fence/policies.yaml`),
    shows: isOpen,
    error: notInForce(STATUS),
  },
  {
    title: 'fence-token’s binding is removed',
    break: ({ ask }) => ask({ method: 'DELETE', path: BINDING }),
    shows: isOpen,
    error: notInForce(STATUS),
  },
  {
    title: 'fence-token’s binding only tells',
    break: change(BINDING, text => text.replace('["Deny"]', '["Audit","Warn"]')),
    shows: isOpen,
    error: notInForce(STATUS),
  },
  {
    title: 'fence-token doesn’t judge updates',
    break: change(POLICY, text => text.replaceAll('"UPDATE",', '')),
    shows: isOpen,
    error: notInForce(STATUS),
  },
  {
    title: 'fence-token doesn’t judge status',
    break: change(POLICY, text => text.replaceAll(/"(breakglass|debug)sessions\/status",?/g, '').replaceAll(',]', ']')),
    shows: isOpen,
    error: notInForce(STATUS),
  },
  {
    title: 'the function may not raise its Fence',
    break: change(`${ROLES}/fencepost-cleanup-fence`, text => text.replace('"get","patch"', '"get"')),
    shows: says('cannot patch resource "fences"'),
    error: mayNot('may not patch Fence fencepost-cleanup'),
  },
  {
    title: 'the function may not be the virtual user',
    break: change(`${ROLES}/fencepost-cleanup-fence`, text =>
      text.replace('"fencepost:fencepost-cleanup"', '"fencepost:somebody-else"'),
    ),
    shows: says('cannot impersonate resource "users"'),
    error: mayNot('may not write as fencepost:fencepost-cleanup.*cannot impersonate resource "users"'),
  },
  {
    title: 'the function may not tell its holder',
    break: change(`${ROLES}/fencepost-cleanup-fence`, text => text.replace(',"userextras/fencepost.dev/holder"', '')),
    shows: says('cannot impersonate resource "userextras/fencepost.dev/holder"'),
    error: mayNot('may not write as fencepost:fencepost-cleanup.*userextras/fencepost.dev/holder'),
  },
]

describeWith((await whyNoWorld()) ?? {}, 'a broken fence on a real kube-apiserver', () => {
  let cluster: FenceCluster
  let world: FenceWorld
  let nowMs = T0
  let isWhole = false

  beforeAll(async () => {
    cluster = await startFenceCluster()
  })
  afterAll(() => cluster?.stop())
  beforeEach(async () => {
    if (!isWhole) await cluster.install()
    isWhole = false
    nowMs = T0
    world = await startFenceWorld(cluster, { due: DUE, now: () => nowMs })
  })
  afterEach(() => world?.close())

  /** Writes of every kind as they are judged now, none of which takes effect. */
  async function probes(): Promise<{ status: Answer; event: Answer; raise: Answer }> {
    const asNobody = { by: CLEANUP, headers: virtual('1', 'nobody') }
    const status = `${SESSIONS_PATH}/due-00/status?dryRun=All`
    const raise = `${FENCE_PATH}?dryRun=All`
    return {
      status: await cluster.ask({ ...asNobody, method: 'PATCH', path: status, body: { status: {} } }),
      event: await cluster.ask({
        ...asNobody,
        method: 'POST',
        path: `${EVENTS}?dryRun=All`,
        body: event('probe', 'breakglass-system'),
      }),
      raise: await cluster.ask({ by: CLEANUP, method: 'PATCH', path: raise, body: {} }),
    }
  }

  /** Somebody else makes a session, changes it, tells of it and deletes it. */
  async function othersWrite(): Promise<void> {
    const path = `${SESSIONS_PATH}/others`
    const by = SOMEBODY
    const { status: _, ...object } = session('others', T0) as { status: object }
    const answers = [
      await cluster.ask({ by, method: 'POST', path: SESSIONS_PATH, body: object }),
      await cluster.ask({ by, method: 'PATCH', path: `${path}/status`, body: { status: { state: 'Pending' } } }),
      await cluster.ask({ by, method: 'POST', path: `${EVENTS}?dryRun=All`, body: event('of', 'breakglass-system') }),
      await cluster.ask({ by, method: 'DELETE', path }),
    ]
    expect(answers.map(({ status, message }) => `${status} ${message}`)).toEqual(['201 ', '200 ', '201 ', '200 '])
  }

  function expectRefused(outcome: TickOutcome, { code, message }: Break['error']): void {
    expect(outcome).toMatchObject({ kind: 'failed', counts: { changed: 0 }, error: { code } })
    expect(outcome.error?.message).toMatch(message)
    expect(outcome.error?.message).toMatch(MENDING)
    expect(accepted(world)).toEqual([])
  }

  /** The command that the function names; where the kind was missing, its first run makes that and fails for its object. */
  async function mend(): Promise<void> {
    const run = () => cluster.kubectl('apply', '-k', MANIFESTS)
    await run().catch(run)
  }

  /** Delivers ticks until the function acts again; as long as it doesn't, it refuses. */
  async function actsAgain(): Promise<TickOutcome> {
    for (;;) {
      expect(accepted(world)).toEqual([])
      nowMs += PERIOD
      const outcome = await tick(await world.environment('actor'), nowMs)
      if (outcome.kind === 'completed') return outcome
      expect(outcome).toMatchObject({ kind: 'failed', error: { code: expect.stringMatching(/^Fence/) } })
    }
  }

  it.each(BREAKS.map(row => [row.title, row] as const))(
    '%s: nobody else is held up, the function refuses, and the command it names mends it',
    async (_, row) => {
      const before = await world.sessions()
      await row.break(cluster)
      await until(async () => row.shows(await probes()))
      await othersWrite()
      expectRefused(await tick(await world.environment('actor'), T0), row.error)
      expect(await world.sessions()).toEqual(before)

      await mend()
      expect(await actsAgain()).toMatchObject({ counts: { changed: DUE, failed: 0 } })
      isWhole = true
    },
  )

  it('breaks while a function is warm: its next tick proves anew and refuses', async () => {
    const warm = startSandbox(await world.environment('actor'), scenarioClock(T0))
    expect(await warm.tick(T0)).toMatchObject({ kind: 'completed', counts: { changed: DUE } })
    await cluster.ask({ method: 'DELETE', path: SESSIONS_PATH })
    await world.load(dueSessions(DUE, T0))
    await cluster.ask({ method: 'DELETE', path: POLICY })
    await until(async () => isOpen(await probes()))
    world.sent.length = 0
    nowMs += PERIOD
    expectRefused(await outcomeOf(warm.tick(nowMs)), notInForce(STATUS))
  })

  it('with FENCE=advisory the function acts without a proof, which is what the refusals above are worth', async () => {
    await cluster.ask({ method: 'DELETE', path: BINDING })
    await until(async () => isOpen(await probes()))
    const environment = { ...(await world.environment('actor')), FENCE: 'advisory' }
    expect(await tick(environment, T0)).toMatchObject({ kind: 'completed', counts: { changed: DUE } })
    expect(accepted(world).filter(({ method }) => method === 'PATCH')).toHaveLength(DUE)
    expect(world.sent.filter(({ isDryRun }) => isDryRun)).toEqual([])
  })

  it('a policy that doesn’t judge Events: what is told of a change is written no more than the change itself', async () => {
    await change(POLICY, text => text.replace('"events.k8s.io"', '"elsewhere.test"'))(cluster)
    await until(async () => (await probes()).event.status === 201)
    const outcome = await tick(await world.environment('actor'), T0)
    expect(outcome).toMatchObject({ kind: 'failed', error: { code: 'FenceNotInForce' } })
    expect(outcome.error?.message).toMatch(/POST events\.events\.k8s\.io/)
    expect(accepted(world).filter(({ method }) => method === 'POST')).toEqual([])
  })

  it('the virtual user may not write: its missing right is named, and nothing changes', async () => {
    const role = `${ROLES}/fencepost-cleanup-writer`
    await change(role, text => text.replace('"breakglasssessions/status"', '"elsewhere"'))(cluster)
    await until(async () => (await probes()).status.message.includes('cannot patch resource'))
    const outcome = await tick(await world.environment('actor'), T0)
    expect(outcome).toMatchObject({ kind: 'failed', counts: { changed: 0, failed: DUE } })
    expect(outcome.failures[0]?.message).toMatch(/fencepost:fencepost-cleanup.*cannot patch.*infra\/kubernetes/)
    expect(accepted(world)).toEqual([])
  })

  it('another user than the manifests name: refused at the lease, and with a lease elsewhere at the Fence', async () => {
    const onLease = await tick(await world.environment('actor', 'kubernetes', STRANGER), T0)
    expect(onLease).toMatchObject({ kind: 'failed', error: { code: 'Forbidden' } })
    expect(onLease.error?.message).toMatch(/somebody-elses.*leases.*infra\/kubernetes has the roles/)
    const onFence = await tick(await world.environment('actor', 'dynamodb', STRANGER), T0)
    expectRefused(onFence, mayNot('may not patch Fence fencepost-cleanup'))
  })
})
