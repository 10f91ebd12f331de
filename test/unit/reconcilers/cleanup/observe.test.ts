import { describe, expect, it } from 'vitest'
import { keyOf, type RawObject } from '../../../../lib/kubernetes/api.ts'
import type { Cursor } from '../../../../lib/reconcilers/cleanup/cursor.ts'
import { GROUPS_PER_PAGE, observeCleanup } from '../../../../lib/reconcilers/cleanup/observe.ts'
import type { Candidate } from '../../../../lib/reconcilers/cleanup/plan.ts'
import type { Page, Scope } from '../../../../lib/tick/reconciler.ts'
import { at, hour, rawDebug, rawPending, rawSession, rawWaiting, T } from './fixtures.ts'
import { type Harness, startHarness } from './harness.ts'

const { signal } = new AbortController()

async function observe(
  { api }: Harness,
  { from, scope = {} }: { from?: Cursor; scope?: Scope } = {},
): Promise<Page<Candidate, Cursor>[]> {
  const pages = []
  for await (const page of observeCleanup(api, { from, scope, nowMs: T, signal })) pages.push(page)
  return pages
}

function namesOf(items: readonly Candidate[]): string[] {
  return items.flatMap(item => (item.phase === 'duplicates' ? item.sessions.map(keyOf) : [keyOf(item.session)]))
}

/** Pages as text, e.g. `expire: team/a team/b`. */
function told(pages: readonly Page<Candidate, Cursor>[]): string[] {
  return pages.map(({ cursor, items }) => `${cursor.phase}: ${namesOf(items).join(' ')}`)
}

const ann = { user: 'ann@example.test' }
const approvedForAnn = (name: string, metadata = {}): RawObject => rawSession(name, { spec: ann, metadata })
const LISTS = [
  'GET breakglasssessions status.state=WaitingForScheduledTime',
  'GET breakglasssessions status.state=Pending',
  'GET breakglasssessions status.state=Approved',
]

describe('observing', () => {
  it('lists each phase once, in order, and reads no object that has no duplicate', async () => {
    const server = await startHarness(rawSession('a'), rawPending('p'), rawWaiting('w'), rawDebug('d'))
    expect(told(await observe(server))).toEqual([
      'activate: team/w',
      'timeout: team/p',
      'expire: team/a',
      'retention: team/a team/p team/w',
      'debug: team/d',
    ])
    expect(server.requests).toEqual([...LISTS, 'GET breakglasssessions', 'GET debugsessions'])
  })

  it('lists approved sessions again when one of them is idle', async () => {
    const idle = rawSession('i', { spec: { idleTimeout: '20m' }, status: { lastActivity: at(-hour) } })
    const server = await startHarness(idle, rawSession('a'))
    expect(told(await observe(server))).toContain('idle: team/a team/i')
  })

  it('lists approved sessions for idle ones when an earlier tick listed them for expiry', async () => {
    const server = await startHarness(rawSession('a'))
    expect(told(await observe(server, { from: { phase: 'expire', after: 'team/0' } }))).toContain('idle: team/a')
  })

  it('sees a page again from its cursor, and nothing before it', async () => {
    const server = await startHarness(...['a', 'b', 'c', 'd', 'e'].map(name => rawSession(name)))
    server.pageSize = 2
    const pages = await observe(server)
    expect(pages[1]?.cursor).toEqual({ phase: 'expire', after: 'team/b' })
    expect(told(await observe(server, { from: pages[1]?.cursor as Cursor }))[0]).toBe('expire: team/c team/d')
  })

  it('goes through the pressing phases before it resumes in the middle of a patient one, and keeps the place', async () => {
    const ended = (name: string) => rawSession(name, { status: { state: 'Expired', retainedUntil: at(hour) } })
    const server = await startHarness(ended('a'), ended('b'), rawWaiting('w'), rawDebug('d'))
    const place = { phase: 'retention', after: 'team/a' } as const
    const pages = await observe(server, { from: place })
    expect(told(pages)).toEqual(['activate: team/w', 'retention: team/b team/w', 'debug: team/d'])
    expect(pages[0]?.cursor).toEqual({ phase: 'activate', later: place })
    expect(told(await observe(server, { from: pages[0]?.cursor as Cursor }))).toEqual(told(pages))
    expect(told(await observe(server, { from: { phase: 'duplicates', later: place } }))).toEqual(told(pages).slice(1))
  })

  it('reads possible duplicates live, across namespaces, after one list of each state', async () => {
    const server = await startHarness(approvedForAnn('a'), approvedForAnn('b', { namespace: 'other' }), rawSession('c'))
    expect(told(await observe(server))).toContain('duplicates: other/b team/a')
    expect(server.requests.filter(request => LISTS.includes(request))).toEqual(LISTS)
    expect(server.requests.filter(request => request.startsWith('GET team/'))).toEqual(['GET team/a'])
  })

  it('counts a session once that was activated between two lists', async () => {
    const server = await startHarness(rawWaiting('w', { spec: ann }))
    server.before = async what => {
      if (what === LISTS[2]) await server.change('team/w', { state: 'Approved' })
    }
    await observe(server)
    expect(server.requests).not.toContain('GET team/w')
  })

  it('leaves a group out of which only one is left when it is read', async () => {
    const server = await startHarness(approvedForAnn('a'), approvedForAnn('b'))
    server.before = async what => {
      if (what === 'GET team/a') await server.remove('team/a')
    }
    expect(told(await observe(server)).filter(page => page.startsWith('duplicates'))).toEqual([])
  })

  it.each<[string, { from?: Cursor; scope?: Scope }]>([
    ['resumed at the duplicates', { from: { phase: 'duplicates' } }],
    ['resumed in the middle of the first phase', { from: { phase: 'activate', after: 'team/0' } }],
    ['narrowed to a namespace', { scope: { namespace: 'other' } }],
    ['narrowed to names', { scope: { names: ['b'] } }],
  ])('lists the live states of all namespaces for duplicates when %s', async (_title, narrowed) => {
    const server = await startHarness(approvedForAnn('a'), approvedForAnn('b', { namespace: 'other' }))
    expect(told(await observe(server, narrowed))).toContain('duplicates: other/b team/a')
    expect(server.requests.join()).toContain([LISTS[1], LISTS[0], LISTS[2], 'GET other/b'].join())
  })

  it('pages duplicates by 50 groups and resumes behind a group', async () => {
    const raws = Array.from({ length: GROUPS_PER_PAGE + 1 }, (_, i) =>
      ['x', 'y'].map(name => rawSession(`${name}${i}`, { spec: { user: `user-${i}` } })),
    ).flat()
    const server = await startHarness(...raws)
    const pages = (await observe(server)).filter(({ cursor }) => cursor.phase === 'duplicates')
    expect(pages.map(({ items }) => items.length)).toEqual([50, 1])
    expect(JSON.stringify(pages[1]?.cursor)).not.toContain('user')
    const [resumed] = await observe(server, { from: pages[1]?.cursor as Cursor })
    expect(resumed?.items).toEqual(pages[1]?.items)
  })

  it('fails when one list of a live state fails, and nominates nobody', async () => {
    const server = await startHarness(approvedForAnn('a'), approvedForAnn('b'))
    server.before = async what => {
      if (what === LISTS[0]) throw new Error('no list')
    }
    await expect(observe(server, { from: { phase: 'duplicates' } })).rejects.toThrow('no list')
    expect(server.requests).not.toContain('GET team/a')
  })

  it('narrows every other phase to namespace and names', async () => {
    const other = { namespace: 'other' }
    const raws = [rawSession('a'), rawSession('b', { metadata: other }), rawSession('c', { metadata: other })]
    const server = await startHarness(...raws, rawDebug('d', { metadata: other }), rawDebug('e'))
    const pages = told(await observe(server, { scope: { namespace: 'other', names: ['b', 'd', 'e'] } }))
    expect(pages).toEqual(['expire: other/b', 'retention: other/b', 'debug: other/d'])
  })

  /** What a CRD would not let in, and a reader must stand all the same. */
  const distortAllButA = (raw: RawObject): RawObject =>
    raw.metadata.name === 'a' ? raw : { ...raw, status: { ...(raw.status as object), expiresAt: 5 } }

  it('tells of an object that it can not understand once, and goes on with the others', async () => {
    const server = await startHarness(rawSession('a'), rawSession('b'), rawDebug('d'))
    server.distort = distortAllButA
    const pages = await observe(server)
    expect(pages.flatMap(({ broken }) => broken)).toEqual([
      { object: 'team/b', code: 'InvalidResource', message: expect.stringContaining('status.expiresAt') },
      { object: 'team/d', code: 'InvalidResource', message: expect.stringContaining('status.expiresAt') },
    ])
    expect(told(pages)).toContain('expire: team/a')
  })

  it('does not tell of one outside the scope', async () => {
    const server = await startHarness(rawSession('a'), rawSession('b'))
    server.distort = distortAllButA
    const pages = await observe(server, { scope: { names: ['a'] } })
    expect(pages.flatMap(({ broken }) => broken)).toEqual([])
  })
})
