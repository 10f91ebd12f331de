import { describe, expect, it } from 'vitest'
import { keyOf, type RawObject } from '../../../lib/kubernetes/api.ts'
import { type ListQuery, listPages, PAGE_SIZE, readObject } from '../../../lib/kubernetes/pages.ts'
import { startThings, THINGS, type Things, thing } from './things.ts'

const { signal } = new AbortController()

/** Seven things in three namespaces, `team/c` and `other/b` done and the others due. */
const SEVEN = [
  thing('a', { metadata: { namespace: 'other' } }),
  thing('b', { metadata: { namespace: 'other' }, status: { state: 'done' } }),
  thing('a', { metadata: { namespace: 'team-b' } }),
  thing('a'),
  thing('b'),
  thing('c', { status: { state: 'done' } }),
  thing('d'),
]
const KEYS = ['other/a', 'other/b', 'team-b/a', 'team/a', 'team/b', 'team/c', 'team/d']

/** Lists to the end; the keys of each page. `between` is called after each page. */
async function keysOf(things: Things, query: Partial<ListQuery> = {}, between: (page: number) => void = () => {}) {
  const pages: string[][] = []
  for await (const page of listPages(things.api, THINGS, { signal, ...query })) {
    pages.push(page.map(keyOf))
    between(pages.length)
  }
  return pages
}

/** The queries of the lists that the server was asked for, without time-outs and what continue tokens say. */
function asked({ server }: Things): string[] {
  return server.requests
    .filter(({ method, path }) => method === 'GET' && path.endsWith('/things'))
    .map(({ query }) => {
      const { timeout: _timeout, ...rest } = Object.fromEntries(new URLSearchParams(query))
      return Object.entries(rest)
        .map(([key, value]) => (key === 'continue' ? key : `${key}=${value}`))
        .join('&')
    })
}

describe('a list', () => {
  it('comes in pages of the limit, one request each, in the order of keys', async () => {
    const things = await startThings(SEVEN)
    expect(await keysOf(things, { limit: 3 })).toEqual([KEYS.slice(0, 3), KEYS.slice(3, 6), KEYS.slice(6)])
    expect(asked(things)).toEqual(['limit=3', 'limit=3&continue', 'limit=3&continue'])
  })

  it('that fits exactly costs no request more', async () => {
    const things = await startThings(SEVEN)
    expect(await keysOf(things, { limit: 7 })).toEqual([KEYS])
    expect(asked(things)).toEqual(['limit=7'])
  })

  it('asks for 500 objects a page, and never for resourceVersion=0', async () => {
    const things = await startThings(SEVEN)
    await keysOf(things)
    expect(asked(things)).toEqual([`limit=${PAGE_SIZE}`])
    expect(PAGE_SIZE).toBe(500)
  })

  it('without objects gives no page', async () => {
    const things = await startThings()
    expect(await keysOf(things)).toEqual([])
    expect(asked(things)).toHaveLength(1)
  })

  it('of a namespace asks for that alone', async () => {
    const things = await startThings(SEVEN)
    expect(await keysOf(things, { namespace: 'team' })).toEqual([KEYS.slice(3)])
    expect(things.server.requests.at(-1)?.path).toBe('/apis/test.example/v1/namespaces/team/things')
  })

  it('after a key leaves out everything up to it, and gives no empty page', async () => {
    const things = await startThings(SEVEN)
    expect(await keysOf(things, { after: 'team/b', limit: 2 })).toEqual([['team/c'], ['team/d']])
    expect(await keysOf(things, { after: 'team-b/a' })).toEqual([KEYS.slice(3)])
    expect(await keysOf(things, { after: 'team/d' })).toEqual([])
  })

  it('reads the next page only when it is asked for', async () => {
    const things = await startThings(SEVEN)
    for await (const _page of listPages(things.api, THINGS, { signal, limit: 2 })) break
    expect(asked(things)).toHaveLength(1)
  })

  it('stays that of its first page: who comes behind it later is not seen', async () => {
    const things = await startThings(SEVEN)
    const pages = await keysOf(things, { limit: 4 }, page => {
      if (page === 1) things.server.load([thing('e')])
    })
    expect(pages.flat()).toEqual(KEYS)
  })

  it('ends with the signal', async () => {
    const things = await startThings(SEVEN)
    const controller = new AbortController()
    const pages = keysOf(things, { limit: 3, signal: controller.signal }, () => controller.abort())
    await expect(pages).rejects.toMatchObject({ code: 'Aborted' })
    expect(asked(things)).toHaveLength(1)
  })
})

describe('an answer to a list', () => {
  it.each<[string, object]>([
    ['an object', { kind: 'Thing', metadata: { name: 'a' } }],
    ['nothing', {}],
    ['items without metadata', { items: [] }],
    ['a word for items', { metadata: {}, items: 'none' }],
  ])('that is %s fails, and is not taken for an empty list', async (_title, body) => {
    const things = await startThings(SEVEN)
    things.server.intercept = () => ({ status: 200, body: JSON.stringify(body) })
    await expect(keysOf(things)).rejects.toMatchObject({
      code: 'InvalidResource',
      message: 'GET /apis/test.example/v1/things: the answer is no list',
    })
  })

  it('with null for items is an empty list', async () => {
    const things = await startThings(SEVEN)
    things.server.intercept = () => ({ status: 200, body: '{"metadata":{},"items":null}' })
    expect(await keysOf(things)).toEqual([])
  })
})

describe('a list whose continue token has expired', () => {
  it('starts again, and gives each object once', async () => {
    const things = await startThings(SEVEN)
    const pages = await keysOf(things, { limit: 3 }, page => {
      if (page !== 1) return
      things.server.load([thing('e'), thing('0')])
      things.server.compact()
    })
    expect(pages).toEqual([KEYS.slice(0, 3), ['team/0', 'team/a', 'team/b'], ['team/c', 'team/d', 'team/e']])
    expect(asked(things)).toEqual(['limit=3', 'limit=3&continue', 'limit=3', 'limit=3&continue', 'limit=3&continue'])
  })

  it('may do so after every page', async () => {
    const things = await startThings(SEVEN)
    const revisions = () =>
      things.server.load([{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { generateName: 'x-' } }])
    const pages = await keysOf(things, { limit: 3 }, page => {
      if (page > 2) return
      revisions()
      things.server.compact()
    })
    expect(pages.flat()).toEqual(KEYS)
    expect(asked(things).filter(query => query === 'limit=3')).toHaveLength(3)
  })

  it('does not give again what was deleted and made anew before the place it reached', async () => {
    const things = await startThings(SEVEN)
    const pages = await keysOf(things, { limit: 3 }, page => {
      if (page !== 1) return
      things.server.load([thing('0', { metadata: { namespace: 'other' } })])
      things.server.compact()
    })
    expect(pages.flat()).toEqual(KEYS)
  })

  it('on its first page fails, since there is nothing to start again from', async () => {
    const things = await startThings(SEVEN)
    things.server.intercept = () => ({ status: 410, body: { kind: 'Status', reason: 'Expired', message: 'too old' } })
    await expect(keysOf(things)).rejects.toMatchObject({ code: 'Expired' })
  })
})

describe('a field selector', () => {
  const field = { path: 'status.state', value: 'due' }
  const due = KEYS.filter(key => key !== 'other/b' && key !== 'team/c')

  it('is left to the server that knows it', async () => {
    const things = await startThings(SEVEN)
    expect((await keysOf(things, { field, limit: 3 })).flat()).toEqual(due)
    expect(asked(things)[0]).toBe('limit=3&fieldSelector=status.state=due')
    expect(asked(things)).toHaveLength(2)
  })

  it('that the server refuses is compared here, on the whole list', async () => {
    const things = await startThings(SEVEN, { isSelectable: false })
    expect((await keysOf(things, { field, limit: 3 })).flat()).toEqual(due)
    expect(asked(things)).toEqual([
      'limit=3&fieldSelector=status.state=due',
      'limit=3',
      'limit=3&continue',
      'limit=3&continue',
    ])
  })

  it('that the server refuses leaves out pages where nothing fits, and finds unset fields by an empty value', async () => {
    const things = await startThings([...SEVEN, thing('e', { status: {} })], { isSelectable: false })
    const done = { path: 'status.state', value: 'done' }
    expect(await keysOf(things, { field: done, limit: 1 })).toEqual([['other/b'], ['team/c']])
    expect(await keysOf(things, { field: { ...done, value: '' } })).toEqual([['team/e']])
    expect(await keysOf(things, { field: { path: 'status.deep.down', value: 'x' } })).toEqual([])
  })

  it('keeps a 400 without it a failure', async () => {
    const things = await startThings(SEVEN)
    things.server.intercept = () => ({ status: 400, body: { kind: 'Status', reason: 'BadRequest', message: 'no' } })
    await expect(keysOf(things, { field })).rejects.toMatchObject({ code: 'InvalidResource' })
    expect(asked(things)).toHaveLength(2)
  })
})

describe('a read of one object', () => {
  const at = { namespace: 'team', name: 'a' }

  it('gives it as it is', async () => {
    const things = await startThings(SEVEN)
    expect((await readObject(things.api, THINGS, at, signal)) as RawObject).toMatchObject({
      metadata: at,
      status: { state: 'due' },
    })
  })

  it('gives undefined for one that does not exist', async () => {
    const things = await startThings(SEVEN)
    expect(await readObject(things.api, THINGS, { ...at, name: 'z' }, signal)).toBeUndefined()
  })

  it('fails on any other refusal', async () => {
    const things = await startThings(SEVEN)
    things.server.intercept = () => ({ status: 403, body: { kind: 'Status', reason: 'Forbidden', message: 'no' } })
    await expect(readObject(things.api, THINGS, at, signal)).rejects.toMatchObject({ code: 'Forbidden' })
  })
})
