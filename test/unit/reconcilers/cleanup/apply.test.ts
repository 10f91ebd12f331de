import { describe, expect, it } from 'vitest'
import {
  AbortedError,
  LeaseLostError,
  OutcomeUnknownError,
  PermanentError,
  TransientError,
} from '../../../../lib/errors.ts'
import { openWriter } from '../../../../lib/fence/writer.ts'
import type { RawObject } from '../../../../lib/kubernetes/api.ts'
import { createAnnouncer } from '../../../../lib/reconcilers/cleanup/announce.ts'
import { type CleanupSettings, createCleanup, DEFAULT_SETTINGS } from '../../../../lib/reconcilers/cleanup/index.ts'
import type { CleanupAction } from '../../../../lib/reconcilers/cleanup/plan.ts'
import type { Applied } from '../../../../lib/tick/reconciler.ts'
import { momentIn, systemClock } from '../../../../lib/time.ts'
import { at, FRESH_CONDITION, hour, minute, rawDebug, rawPending, rawSession, second, T } from './fixtures.ts'
import { type Harness, startHarness } from './harness.ts'

const OVER = { expiresAt: at(-3 * minute) }
const ann = { user: 'ann@example.test' }
const retired = (name: string) => rawSession(name, { status: { state: 'Expired', retainedUntil: at(-minute) } })

/** A loop over these objects, its log and counters open to the test. */
async function setUp(...raws: RawObject[]) {
  return setUpWith(DEFAULT_SETTINGS, raws)
}

async function setUpWith(settings: CleanupSettings, raws: RawObject[]) {
  const server = await startHarness(...raws)
  const lines: { message: string; fields: Record<string, unknown> }[] = []
  const counts: Record<string, number> = {}
  const write = (message: string, fields = {}) => void lines.push({ message, fields })
  const stop = new AbortController()
  const log = { debug: write, info: write, warn: write, error: write }
  const metrics = {
    count: (name: string, amount = 1) => {
      counts[name] = (counts[name] ?? 0) + amount
    },
    duration: () => {},
    flush: () => {},
  }
  const cleanup = createCleanup({ api: server.api, log, metrics, settings })
  const actions: CleanupAction[] = []
  const observation = { from: undefined, scope: {}, nowMs: T, signal: stop.signal }
  for await (const page of cleanup.observe(observation)) actions.push(...cleanup.plan(page, T))
  server.requests.length = 0
  const grant = { token: 1, holder: 'fencepost-cleanup/request/nonce', endsAt: momentIn(600_000, systemClock) }
  const gate = { api: server.api, fence: 'fencepost-cleanup', grant, mode: 'advisory', clock: systemClock } as const
  let isOvertaken = false
  const confirm = async () => {
    if (isOvertaken) throw new LeaseLostError('overtaken')
  }
  const overtake = () => {
    isOvertaken = true
  }
  const application = { writer: openWriter(gate), nowMs: T, confirm, signal: stop.signal }
  const apply = (action = actions[0]): Promise<Applied> => cleanup.apply(action as CleanupAction, application)
  const announce = (action: CleanupAction) =>
    createAnnouncer(log, metrics)(action, { ...application, resourceVersion: undefined })
  /** How many things were told, anywhere. */
  const told = async () => lines.length + Object.keys(counts).length + (await server.events()).length
  return { server, announce, told, apply, actions, lines, counts, stop, overtake }
}

/** What another writer does that has nothing to do with us. */
let activities = 0
const touch = (server: Harness, key: string) => server.change(key, { activityCount: ++activities })

/** Lets another writer change an object ahead of each of the first `times` requests of a kind. */
function interfere(server: Harness, what: string, times: number, change: () => Promise<void>): void {
  let left = times
  server.before = async request => {
    if (request === what && left-- > 0) await change()
  }
}

describe('applying a change', () => {
  it('writes once, then tells log, counter and Event', async () => {
    const { server, apply, actions, lines, counts } = await setUp(rawSession('a', { status: OVER }))
    expect(await apply()).toBe('changed')
    const after = await server.get('team/a')
    expect(after?.status).toMatchObject({ state: 'Expired', reasonEnded: 'timeExpired', observedGeneration: 1 })
    expect(server.requests).toEqual(['PATCH team/a', 'POST events'])
    expect(counts).toEqual({ SessionsExpired: 1 })
    expect(lines).toEqual([
      {
        message: 'session transition',
        fields: {
          event: 'session.expired',
          actor: 'system',
          kind: 'BreakglassSession',
          object: 'team/a',
          uid: after?.metadata.uid,
          judgedResourceVersion: actions[0]?.target.resourceVersion,
          resourceVersion: after?.metadata.resourceVersion,
          from: 'Approved',
          to: 'Expired',
          reason: 'timeExpired',
          atSeconds: T / second,
        },
      },
    ])
    const { uid, resourceVersion } = after?.metadata ?? {}
    expect(await server.events()).toEqual([
      expect.objectContaining({
        type: 'Normal',
        reason: 'ExpiredByTime',
        action: 'Expire',
        note: 'The session expired: ended 3 min ago',
        reportingController: 'fencepost-cleanup',
        regarding: expect.objectContaining({ namespace: 'team', name: 'a', uid, resourceVersion }),
      }),
    ])
  })

  it('leaves what others wrote: conditions, texts, counts', async () => {
    const theirs = { approver: 'lead@example.test', activityCount: 3, conditions: [FRESH_CONDITION] }
    const { server, apply } = await setUp(rawSession('a', { status: { ...OVER, ...theirs } }))
    await apply()
    const status = (await server.get('team/a'))?.status
    expect(status).toMatchObject({ approver: 'lead@example.test', activityCount: 3 })
    expect(status).toMatchObject({ conditions: [FRESH_CONDITION, { type: 'Expired', reason: 'ExpiredByTime' }] })
  })

  it('tells nothing that a person wrote', async () => {
    const texts = { approvalReason: 'a text of a person', approver: 'lead@example.test' }
    const { server, apply, lines } = await setUp(rawSession('a', { status: { ...OVER, ...texts } }))
    await apply()
    expect(JSON.stringify([lines, await server.events()])).not.toMatch(/text of a person|example\.test/)
  })

  it('deletes once, counts it as a deletion only, and regards the deleted object', async () => {
    const { server, apply, actions, lines, counts } = await setUp(retired('a'))
    expect(await apply()).toBe('changed')
    expect(await server.get('team/a')).toBeUndefined()
    expect(counts).toEqual({ SessionsDeleted: 1 })
    expect(lines[0]?.fields).toMatchObject({ event: 'session.deleted', to: 'deleted', resourceVersion: undefined })
    const { uid, resourceVersion } = actions[0]?.target ?? {}
    expect(await server.events()).toMatchObject([{ reason: 'RetentionElapsed', regarding: { uid, resourceVersion } }])
  })

  it('ends a debug session where that is switched on, and says so in its message', async () => {
    const on = { ...DEFAULT_SETTINGS, expireDebugSessions: true }
    const { apply, counts, server } = await setUpWith(on, [rawDebug('d', { status: OVER })])
    let stored: RawObject | undefined
    server.distort = raw => {
      if (raw.kind === 'DebugSession') stored = raw
      return raw
    }
    expect(await apply()).toBe('changed')
    expect(stored?.status).toMatchObject({ state: 'Expired', message: expect.stringContaining('past its end') })
    expect(counts).toEqual({ DebugSessionsExpired: 1 })
    expect(await server.events()).toMatchObject([{ regarding: { kind: 'DebugSession', name: 'd' } }])
  })

  it('leaves one Event when the same change is told twice', async () => {
    const { server, apply, actions, announce } = await setUp(rawSession('a', { status: OVER }))
    await apply()
    await announce(actions[0] as CleanupAction)
    expect(await server.events()).toHaveLength(1)
  })

  it.each<[string, unknown]>([
    ['refused', new PermanentError('Forbidden', 'events may not be created')],
    ['unanswered', new OutcomeUnknownError('no answer within 5 s')],
  ])('stands when its Event is %s, which is logged and counted', async (_title, error) => {
    const { server, apply, lines, counts } = await setUp(rawSession('a', { status: OVER }))
    server.before = async what => {
      if (what === 'POST events') throw error
    }
    expect(await apply()).toBe('changed')
    expect(counts).toEqual({ SessionsExpired: 1, EventsFailed: 1 })
    expect(lines.map(({ message }) => message)).toEqual(['session transition', 'event not written'])
  })

  it('does not hide that the lease was lost while its Event was written', async () => {
    const { server, apply, counts } = await setUp(rawSession('a', { status: OVER }))
    server.before = async what => {
      if (what === 'POST events') throw new LeaseLostError('token 42 was overtaken')
    }
    await expect(apply()).rejects.toThrow(LeaseLostError)
    expect(counts).toEqual({ SessionsExpired: 1 })
  })

  it('tells nothing when its own write fails', async () => {
    const { server, apply, told } = await setUp(rawSession('a', { status: OVER }))
    server.before = async () => {
      throw new OutcomeUnknownError('no answer within 5 s')
    }
    await expect(apply()).rejects.toThrow(OutcomeUnknownError)
    expect(await told()).toBe(0)
  })
})

describe('applying after a conflict', () => {
  it('does not even look again when the term was overtaken: the change may be the successor’s', async () => {
    const { server, apply, overtake } = await setUp(rawSession('a', { status: OVER }))
    interfere(server, 'PATCH team/a', 1, async () => {
      await touch(server, 'team/a')
      overtake()
    })
    await expect(apply()).rejects.toMatchObject({ name: 'LeaseLostError' })
    expect(server.requests).toEqual(['PATCH team/a'])
    expect((await server.get('team/a'))?.status).toMatchObject({ state: 'Approved' })
  })

  it('judges a live read again and writes with its resourceVersion', async () => {
    const { server, apply } = await setUp(rawSession('a', { status: OVER }))
    interfere(server, 'PATCH team/a', 1, () => server.change('team/a', { lastActivity: at(-hour) }))
    expect(await apply()).toBe('changed')
    expect(server.requests).toEqual(['PATCH team/a', 'GET team/a', 'PATCH team/a', 'POST events'])
    expect((await server.get('team/a'))?.status).toMatchObject({ state: 'Expired', lastActivity: at(-hour) })
  })

  it.each<[string, (server: Harness) => Promise<void>]>([
    ['has nothing to do any more', server => server.change('team/a', { expiresAt: at(hour) })],
    ['was made anew', replace],
    ['is gone', server => server.remove('team/a')],
  ])('changes and tells nothing when the object %s', async (_title, change) => {
    const { server, apply, told } = await setUp(rawSession('a', { status: OVER }))
    interfere(server, 'PATCH team/a', 1, () => change(server))
    expect(await apply()).toBe('unchanged')
    expect(await told()).toBe(0)
  })

  it('does not delete a session that has come to have a retention again', async () => {
    const { server, apply } = await setUp(retired('a'))
    interfere(server, 'DELETE team/a', 1, () => server.change('team/a', { retainedUntil: at(hour) }))
    expect(await apply()).toBe('unchanged')
    expect(await server.get('team/a')).toBeDefined()
  })

  it('gives up after 5 tries', async () => {
    const { server, apply, told } = await setUp(rawSession('a', { status: OVER }))
    interfere(server, 'PATCH team/a', 9, () => touch(server, 'team/a'))
    await expect(apply()).rejects.toThrow(
      new TransientError('Conflict', 'team/a changed under each of 5 tries (timeExpired)'),
    )
    expect(server.requests.filter(what => what === 'PATCH team/a')).toHaveLength(5)
    expect(server.requests.at(-1)).toBe('PATCH team/a')
    expect(await told()).toBe(0)
  })

  it('names the object when it can not be understood any more', async () => {
    const { server, apply } = await setUp(rawSession('a', { status: OVER }))
    interfere(server, 'PATCH team/a', 1, () => touch(server, 'team/a'))
    server.distort = raw => ({ ...raw, status: { expiresAt: 5 } })
    await expect(apply()).rejects.toThrow('BreakglassSession team/a: status.expiresAt')
  })

  it('stops between two steps when it is told to', async () => {
    const { server, apply, stop } = await setUp(rawSession('a', { status: OVER }))
    server.distort = raw => {
      stop.abort()
      return raw
    }
    interfere(server, 'PATCH team/a', 1, () => touch(server, 'team/a'))
    await expect(apply()).rejects.toThrow(AbortedError)
    expect(server.requests).toEqual(['PATCH team/a', 'GET team/a'])
  })
})

describe('applying to a duplicate after a conflict', () => {
  const older = { creationTimestamp: at(-9 * hour) }
  const winner = rawSession('w', { spec: ann })
  const loser = rawPending('l', { spec: ann, metadata: older })

  it('reads the whole group again', async () => {
    const { server, apply, counts } = await setUp(winner, loser)
    interfere(server, 'PATCH team/l', 1, () => touch(server, 'team/l'))
    expect(await apply()).toBe('changed')
    expect(server.requests.slice(1, 3).sort()).toEqual(['GET team/l', 'GET team/w'])
    expect(counts).toEqual({ SessionsWithdrawn: 1 })
  })

  it('lets a loser live that was approved meanwhile and is older than the winner', async () => {
    const { server, apply } = await setUp(winner, loser)
    const approved = { state: 'Approved', expiresAt: at(hour) }
    interfere(server, 'PATCH team/l', 1, () => server.change('team/l', approved))
    expect(await apply()).toBe('unchanged')
    expect((await server.get('team/l'))?.status).toMatchObject(approved)
  })

  it('lets a loser live whose winner has ended meanwhile', async () => {
    const { server, apply } = await setUp(winner, loser)
    interfere(server, 'PATCH team/l', 1, async () => {
      await touch(server, 'team/l')
      await server.change('team/w', { state: 'Expired' })
    })
    expect(await apply()).toBe('unchanged')
    expect((await server.get('team/l'))?.status).toMatchObject({ state: 'Pending' })
  })
})

async function replace(server: Harness): Promise<void> {
  await server.remove('team/a')
  server.add(rawSession('a', { status: OVER }))
}
