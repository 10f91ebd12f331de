import { describe, expect, it } from 'vitest'
import {
  AbortedError,
  LeaseLostError,
  OutcomeUnknownError,
  PermanentError,
  TransientError,
} from '../../../../lib/errors.ts'
import type { RawObject } from '../../../../lib/kubernetes/api.ts'
import { openWriter } from '../../../../lib/kubernetes/writer.ts'
import { createCleanup } from '../../../../lib/reconcilers/cleanup/index.ts'
import type { CleanupAction } from '../../../../lib/reconcilers/cleanup/plan.ts'
import type { Applied } from '../../../../lib/tick/reconciler.ts'
import { at, hour, minute, rawPending, rawSession, second, T } from './fixtures.ts'
import { createMemoryApi, type MemoryApi } from './memory-api.ts'

const OVER = { expiresAt: at(-3 * minute) }
const ann = { user: 'ann@example.test' }
const retired = (name: string) => rawSession(name, { status: { state: 'Expired', retainedUntil: at(-minute) } })

/** A loop over these objects, its log and counters open to the test. */
async function setUp(...raws: RawObject[]) {
  const api = createMemoryApi(raws)
  const lines: { message: string; fields: Record<string, unknown> }[] = []
  const counts: Record<string, number> = {}
  const write = (message: string, fields = {}) => void lines.push({ message, fields })
  const stop = new AbortController()
  const cleanup = createCleanup({
    api,
    log: { debug: write, info: write, warn: write, error: write },
    metrics: {
      count: (name, amount = 1) => {
        counts[name] = (counts[name] ?? 0) + amount
      },
      duration: () => {},
      flush: () => {},
    },
  })
  const actions: CleanupAction[] = []
  const observation = { from: undefined, scope: {}, nowMs: T, signal: stop.signal }
  for await (const page of cleanup.observe(observation)) actions.push(...cleanup.plan(page, T))
  api.requests.length = 0
  const application = { writer: openWriter(api), nowMs: T, signal: stop.signal }
  const apply = (action = actions[0]): Promise<Applied> => cleanup.apply(action as CleanupAction, application)
  return { api, apply, actions, lines, counts, stop }
}

/** Lets another writer change an object ahead of each of the first `times` requests of a kind. */
function interfere(api: MemoryApi, what: string, times: number, change: () => void): void {
  let left = times
  api.before = request => {
    if (request === what && left-- > 0) change()
  }
}

describe('applying a change', () => {
  it('writes once, then tells log, counter and Event', async () => {
    const { api, apply, lines, counts } = await setUp(rawSession('a', { status: OVER }))
    expect(await apply()).toBe('changed')
    expect(api.get('team/a')?.status).toMatchObject({ state: 'Expired', reasonEnded: 'timeExpired' })
    expect(api.requests).toEqual(['PATCH team/a', 'POST events'])
    expect(counts).toEqual({ SessionsExpired: 1 })
    expect(lines).toEqual([
      {
        message: 'session transition',
        fields: {
          event: 'session.expired',
          actor: 'system',
          kind: 'BreakglassSession',
          object: 'team/a',
          uid: 'uid-a',
          judgedResourceVersion: '101',
          resourceVersion: '102',
          from: 'Approved',
          to: 'Expired',
          reason: 'timeExpired',
          atSeconds: T / second,
        },
      },
    ])
    expect(api.events).toEqual([
      expect.objectContaining({
        type: 'Normal',
        reason: 'ExpiredByTime',
        action: 'Expire',
        note: 'The session expired: ended 3 min ago',
        reportingController: 'fencepost-cleanup',
        regarding: expect.objectContaining({ name: 'a', uid: 'uid-a', resourceVersion: '102' }),
      }),
    ])
  })

  it('tells nothing that a person wrote', async () => {
    const { api, apply, lines } = await setUp(
      rawSession('a', { status: { ...OVER, approvalReason: 'a text of a person' } }),
    )
    await apply()
    expect(JSON.stringify([lines, api.events])).not.toMatch(/text of a person|example\.test/)
  })

  it('deletes once, counts it as a deletion only, and regards the deleted object', async () => {
    const { api, apply, lines, counts } = await setUp(retired('a'))
    expect(await apply()).toBe('changed')
    expect(api.get('team/a')).toBeUndefined()
    expect(counts).toEqual({ SessionsDeleted: 1 })
    expect(lines[0]?.fields).toMatchObject({ event: 'session.deleted', to: 'deleted', resourceVersion: undefined })
    expect(api.events[0]).toMatchObject({ regarding: { uid: 'uid-a', resourceVersion: '101' } })
  })

  it.each<[string, unknown]>([
    ['refused', new PermanentError('Forbidden', 'events may not be created')],
    ['unanswered', new OutcomeUnknownError('no answer within 5 s')],
  ])('stands when its Event is %s, which is logged and counted', async (_title, error) => {
    const { api, apply, lines, counts } = await setUp(rawSession('a', { status: OVER }))
    api.before = what => {
      if (what === 'POST events') throw error
    }
    expect(await apply()).toBe('changed')
    expect(counts).toEqual({ SessionsExpired: 1, EventsFailed: 1 })
    expect(lines.map(({ message }) => message)).toEqual(['session transition', 'event not written'])
  })

  it('does not hide that the lease was lost while its Event was written', async () => {
    const { api, apply, counts } = await setUp(rawSession('a', { status: OVER }))
    api.before = what => {
      if (what === 'POST events') throw new LeaseLostError('token 42 was overtaken')
    }
    await expect(apply()).rejects.toThrow(LeaseLostError)
    expect(counts).toEqual({ SessionsExpired: 1 })
  })

  it('tells nothing when its own write fails', async () => {
    const { api, apply, lines, counts } = await setUp(rawSession('a', { status: OVER }))
    api.before = () => {
      throw new OutcomeUnknownError('no answer within 5 s')
    }
    await expect(apply()).rejects.toThrow(OutcomeUnknownError)
    expect({ lines, counts, events: api.events }).toEqual({ lines: [], counts: {}, events: [] })
  })
})

describe('applying after a conflict', () => {
  it('judges a live read again and writes with its resourceVersion', async () => {
    const { api, apply } = await setUp(rawSession('a', { status: OVER }))
    interfere(api, 'PATCH team/a', 1, () => api.put(rawSession('a', { status: { ...OVER, lastActivity: at(-hour) } })))
    expect(await apply()).toBe('changed')
    expect(api.requests).toEqual(['PATCH team/a', 'GET team/a', 'PATCH team/a', 'POST events'])
    expect(api.get('team/a')?.status).toMatchObject({ state: 'Expired', lastActivity: at(-hour) })
  })

  it.each<[string, (api: MemoryApi) => void]>([
    ['has nothing to do any more', api => api.put(rawSession('a'))],
    ['was made anew', api => api.put(rawSession('a', { metadata: { uid: 'another' }, status: OVER }))],
    ['is gone', api => api.remove('team/a')],
  ])('changes and tells nothing when the object %s', async (_title, change) => {
    const { api, apply, lines, counts } = await setUp(rawSession('a', { status: OVER }))
    interfere(api, 'PATCH team/a', 1, () => change(api))
    expect(await apply()).toBe('unchanged')
    expect({ lines, counts, events: api.events }).toEqual({ lines: [], counts: {}, events: [] })
  })

  it('does not delete a session that has come to have a retention again', async () => {
    const { api, apply } = await setUp(retired('a'))
    interfere(api, 'DELETE team/a', 1, () =>
      api.put(rawSession('a', { status: { state: 'Expired', retainedUntil: at(hour) } })),
    )
    expect(await apply()).toBe('unchanged')
    expect(api.get('team/a')).toBeDefined()
  })

  it('gives up after 5 tries', async () => {
    const { api, apply } = await setUp(rawSession('a', { status: OVER }))
    interfere(api, 'PATCH team/a', 9, () => api.put(rawSession('a', { status: OVER })))
    await expect(apply()).rejects.toThrow(
      new TransientError('Conflict', 'team/a changed under each of 5 tries (timeExpired)'),
    )
    expect(api.requests.filter(what => what === 'PATCH team/a')).toHaveLength(5)
    expect(api.requests.at(-1)).toBe('PATCH team/a')
  })

  it('names the object when it can not be understood any more', async () => {
    const { api, apply } = await setUp(rawSession('a', { status: OVER }))
    interfere(api, 'PATCH team/a', 1, () => api.put(rawSession('a', { status: { expiresAt: 5 } })))
    await expect(apply()).rejects.toThrow('BreakglassSession team/a: status.expiresAt')
  })

  it('stops between two steps when it is told to', async () => {
    const { api, apply, stop } = await setUp(rawSession('a', { status: OVER }))
    interfere(api, 'PATCH team/a', 1, () => {
      api.put(rawSession('a', { status: OVER }))
      stop.abort()
    })
    await expect(apply()).rejects.toThrow(AbortedError)
    expect(api.requests).toEqual(['PATCH team/a'])
  })
})

describe('applying to a duplicate after a conflict', () => {
  const winner = (status = {}) => rawSession('w', { spec: ann, status })
  const loser = (status = {}) => rawPending('l', { spec: ann, status })

  it('reads the whole group again', async () => {
    const { api, apply, counts } = await setUp(winner(), loser())
    interfere(api, 'PATCH team/l', 1, () => api.put(loser({ timeoutAt: at(2 * hour) })))
    expect(await apply()).toBe('changed')
    expect(api.requests.slice(1, 3).sort()).toEqual(['GET team/l', 'GET team/w'])
    expect(counts).toEqual({ SessionsWithdrawn: 1 })
  })

  it('lets a loser live that was approved meanwhile and is older than the winner', async () => {
    const { api, apply } = await setUp(winner(), loser())
    const approved = { state: 'Approved', expiresAt: at(hour) }
    interfere(api, 'PATCH team/l', 1, () =>
      api.put(rawSession('l', { spec: ann, metadata: { creationTimestamp: at(-9 * hour) }, status: approved })),
    )
    expect(await apply()).toBe('unchanged')
    expect(api.get('team/l')?.status).toMatchObject(approved)
  })

  it('lets a loser live whose winner has ended meanwhile', async () => {
    const { api, apply } = await setUp(winner(), loser())
    interfere(api, 'PATCH team/l', 1, () => {
      api.put(loser({ timeoutAt: at(2 * hour) }))
      api.put(winner({ state: 'Expired' }))
    })
    expect(await apply()).toBe('unchanged')
    expect(api.get('team/l')?.status).toMatchObject({ state: 'Pending' })
  })
})
