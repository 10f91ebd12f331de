// An invocation that is held up between its plan and its writes, until another one has taken the lease over and acted.
// It never learns how late it is, since its time stands: its writes are sent, and the API server refuses them by token.
// What is held is what the successor leaves alone, so that nothing but the fence stands in the way; without the fence the
// same story lets the writes through.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { listPages } from '../../lib/kubernetes/pages.ts'
import { BREAKGLASS_SESSIONS } from '../../lib/kubernetes/resources/breakglass-session.ts'
import { EVENTS } from '../../lib/kubernetes/resources/event.ts'
import { toInstant } from '../../lib/time.ts'
import type { Act, Acted } from '../support/actor.ts'
import { type Child, startChild } from '../support/child.ts'
import { scenarioClock, T0 } from '../support/clock.ts'
import { startSandbox } from '../support/invoke.ts'
import { type Asked, isCanary, isStatus, isWork, readFence } from '../support/requests.ts'
import { dueSessions, session } from '../support/sessions.ts'
import { type LeaseKind, startWorld, type World } from '../support/world.ts'

const PERIOD = 300_000
const BINDING = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings/fencepost-fence-token-cleanup'
const { signal } = new AbortController()

/** What a held invocation was about to do. */
interface Story {
  readonly title: string
  readonly sessions: readonly object[]
  /** The requests that are held; two are under way at once. */
  readonly at: (asked: Asked) => boolean
  /** Writes of the held invocation that took effect before. */
  readonly before: number
}

const ended = { state: 'Expired', expiresAt: toInstant(T0 - 60_000), retainedUntil: toInstant(T0 - 1_000) }
const isDeletion = (asked: Asked) => isWork(asked) && asked.method === 'DELETE'
const isEvent = (asked: Asked) => isWork(asked) && asked.method === 'POST'

const stories: Story[] = [
  { title: 'a status', sessions: dueSessions(4, T0), at: isStatus, before: 0 },
  {
    title: 'a deletion',
    sessions: ['a', 'b', 'c', 'd'].map(name => session(name, T0, ended)),
    at: isDeletion,
    before: 0,
  },
  { title: 'a create', sessions: dueSessions(4, T0), at: isEvent, before: 2 },
]

describe.each<LeaseKind>(['kubernetes', 'dynamodb'])('an invocation that was overtaken, with the %s lease', lease => {
  let world: World
  let zombie: Child
  let nowMs = T0

  beforeEach(async () => {
    nowMs = T0
    world = await startWorld(['cleanup'], () => nowMs)
  })
  afterEach(async () => {
    await zombie.kill()
    await world.close()
  })

  /** Starts an invocation and holds each request of a kind, until two are held; gives what lets them go on. */
  async function hold(at: Story['at'], environment: object, held = 2): Promise<() => void> {
    zombie = startChild('./actor.ts', { ...world.environment(lease), WORKERS: '2', ...environment })
    await zombie.next()
    let letGo = () => {}
    const released = new Promise<void>(resolve => {
      letGo = resolve
    })
    let count = 0
    const isHeld = new Promise<void>(resolve => {
      world.kubernetes.intercept = async request => {
        if (!at(request)) return undefined
        if (++count === held) resolve()
        await released
        return undefined
      }
    })
    zombie.send({ tickAtMs: T0, isFrozen: true } satisfies Act)
    await isHeld
    world.kubernetes.intercept = undefined
    return letGo
  }

  /** The next invocation after the term's end, which acts on what is not held: on some sessions that it is told of. */
  async function takeOver(names: readonly string[]) {
    nowMs = T0 + PERIOD
    const sandbox = startSandbox(world.environment(lease), scenarioClock(nowMs))
    const outcome = await sandbox.reconcile({ loop: 'cleanup', names })
    expect(outcome).toMatchObject({ kind: 'completed', token: 2, settled: true, counts: { changed: 2, failed: 0 } })
    expect(outcome.tookOverFrom).toMatch(/\/actor\//)
  }

  /** Work objects, Fence and lease, as they are. */
  async function everything() {
    const objects: [string, string][] = []
    for (const resource of [BREAKGLASS_SESSIONS, EVENTS])
      for await (const page of listPages(world.api, resource, { signal }))
        objects.push(...page.map(({ metadata }): [string, string] => [metadata.name, metadata.resourceVersion]))
    const fence = await readFence(world.api, 'fencepost-cleanup')
    return { objects, fence, record: await world.record(lease, 'cleanup') }
  }

  /** Statuses of the virtual user's writes since the last look, canaries apart. */
  function answered(isIt: (asked: Asked) => boolean): number[] {
    const writes = world.kubernetes.requests.filter(({ user }) => user === 'fencepost:fencepost-cleanup')
    return writes.filter(isIt).map(({ status }) => status)
  }

  const leaseCalls = () =>
    world.dynamodb.requests.length + world.kubernetes.requests.filter(({ path }) => path.includes('/leases/')).length
  const namesOf = (sessions: readonly object[]) =>
    (sessions as { metadata: { name: string } }[]).map(({ metadata }) => metadata.name)

  it.each(stories)(
    'with $title held: both are refused by the API server, and the successor’s state stays',
    async story => {
      await world.kubernetes.load(story.sessions)
      const letGo = await hold(story.at, {})
      expect(answered(isWork).filter(status => status === 200)).toHaveLength(story.before)
      await takeOver(namesOf(story.sessions).slice(2))
      const after = await everything()
      expect(after.fence).toMatchObject({ token: 2, lease: after.record.recordId })

      const before = answered(isWork).filter(status => status > 0).length
      letGo()
      const { outcome, metrics } = await zombie.next<Acted>()
      expect(outcome).toMatchObject({ kind: 'fenced', token: 1, failures: [], shutdownErrors: [] })
      expect(metrics).toMatchObject({ TicksFenced: 1, ObjectsFailed: 0 })
      expect(answered(story.at).filter(status => status === 403)).toHaveLength(2)
      expect(answered(isWork).filter(status => status > 0)).toHaveLength(before + 2)
      expect(await everything()).toEqual(after)
    },
  )

  it('with its canary held: that is refused, and no write is sent', async () => {
    await world.kubernetes.load(dueSessions(4, T0))
    const letGo = await hold(isCanary, {}, 1)
    await takeOver(['due-02', 'due-03'])
    const after = await everything()

    expect(answered(isCanary)).toContain(0)
    const [before, asked] = [answered(isWork).length, leaseCalls()]
    letGo()
    const { outcome, metrics } = await zombie.next<Acted>()
    expect(leaseCalls()).toBe(asked)
    expect(outcome).toMatchObject({ kind: 'fenced', token: 1, counts: { changed: 0, failed: 0 } })
    expect(metrics).toMatchObject({ TicksFenced: 1 })
    expect(new Set(answered(isCanary))).toEqual(new Set([403]))
    expect(answered(isWork)).toHaveLength(before)
    expect(await everything()).toEqual(after)
  })

  it.each(stories)('with $title held, and no binding and FENCE=advisory: both take effect', async story => {
    await world.kubernetes.load(story.sessions)
    await world.api.request({ method: 'DELETE', path: BINDING, repeat: 'bound' })
    const letGo = await hold(story.at, { FENCE: 'advisory' })
    nowMs = T0 + PERIOD
    const sandbox = startSandbox({ ...world.environment(lease), FENCE: 'advisory' }, scenarioClock(nowMs))
    await sandbox.reconcile({ loop: 'cleanup', names: namesOf(story.sessions).slice(2) })
    const accepted = () => answered(story.at).filter(status => status >= 200 && status < 300).length
    const before = accepted()

    letGo()
    const { metrics } = await zombie.next<Acted>()
    expect(metrics).toMatchObject({ TicksAdvisory: 1 })
    expect(answered(story.at)).not.toContain(403)
    expect(accepted()).toBe(before + 2)
  })
})
