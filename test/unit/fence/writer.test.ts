import { describe, expect, it } from 'vitest'
import type { ApiRequest } from '../../../infra/local/kubernetes/http/request.ts'
import type { Interception } from '../../../infra/local/kubernetes/server.ts'
import { type ObjectWriter, openWriter as open } from '../../../lib/fence/writer.ts'
import type { KubernetesApi, RawObject, Resource } from '../../../lib/kubernetes/api.ts'
import { momentIn, systemClock } from '../../../lib/time.ts'
import { startThings, type Things, thing } from '../kubernetes/things.ts'

const { signal } = new AbortController()
const EVENTS: Resource = { group: '', version: 'v1', kind: 'ConfigMap', plural: 'configmaps', namespaced: true }
const note = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'note', namespace: 'team' }, data: { by: 'us' } }

/** A writer of a term that lasts; whether a fence is in force is not its matter here. */
function openWriter(api: KubernetesApi): ObjectWriter {
  const grant = { token: 1, holder: 'things/request/nonce', endsAt: momentIn(600_000, systemClock) }
  return open({ api, fence: 'things', grant, mode: 'advisory', clock: systemClock })
}

/** Does something to the first request of a method, and nothing to the later ones. */
function onFirst(
  things: Things,
  method: string,
  act: (request: ApiRequest) => Interception | Promise<Interception>,
): void {
  things.server.intercept = request => {
    if (request.method !== method) return undefined
    things.server.intercept = undefined
    return act(request)
  }
}

/** The methods and statuses of what the server was asked; 0 was not answered. */
const answered = ({ server }: Things) => server.requests.map(({ method, status }) => `${method} ${status}`)

/** The API of a client that is overtaken before each of its reads, such as the one that looks for a lost answer's effect. */
function beforeReads({ api }: Things, act: () => Promise<void>): KubernetesApi {
  return {
    ...api,
    async request(ask, expected) {
      if (ask.method === 'GET') await act()
      return await api.request(ask, expected)
    },
  }
}

type Status = Readonly<Record<string, unknown>>

/** A thing to write to, and a writer. */
async function start(metadata: object = {}) {
  const things = await startThings([thing('a', { metadata })])
  const target = await things.target('a')
  things.server.clearRequests()
  return { things, target, writer: openWriter(things.api) }
}

describe('a status patch', () => {
  it('is merged, bound to what was judged, in one request', async () => {
    const { things, target, writer } = await start()
    await things.change('a', { since: 'yesterday', list: [1, 2] })
    const judged = await things.target('a')
    things.server.clearRequests()
    const written = await writer.patchStatus(judged, { state: 'done', since: null, list: [3] }, signal)
    expect(written).toMatchObject({ kind: 'written', object: { status: { state: 'done', list: [3] } } })
    expect(answered(things)).toEqual(['PATCH 200'])
    expect((await things.get('a'))?.status).toEqual({ state: 'done', list: [3] })
    expect(judged.resourceVersion).not.toBe(target.resourceVersion)
  })

  it('of an object that has changed is a conflict, and changes nothing', async () => {
    const { things, target, writer } = await start()
    await things.change('a', { state: 'taken' })
    expect(await writer.patchStatus(target, { state: 'done' }, signal)).toEqual({ kind: 'conflict' })
    expect((await things.get('a'))?.status).toEqual({ state: 'taken' })
  })

  it('of an object that is gone says so', async () => {
    const { target, writer } = await start()
    await writer.delete(target, signal)
    expect(await writer.patchStatus(target, { state: 'done' }, signal)).toEqual({ kind: 'gone' })
  })

  it('of an object that was made anew under its name is a conflict', async () => {
    const { things, target, writer } = await start()
    await writer.delete(target, signal)
    things.server.load([thing('a')])
    expect(await writer.patchStatus(target, { state: 'done' }, signal)).toEqual({ kind: 'conflict' })
  })

  it('whose answer was lost is found written, with one effect', async () => {
    const { things, target, writer } = await start()
    onFirst(things, 'PATCH', () => 'reset-after-commit')
    const status = { state: 'done', list: [{ a: 1 }], deep: { b: null, c: 2 } }
    const written = await writer.patchStatus(target, status, signal)
    const stored = (await things.get('a')) as RawObject
    expect(written).toEqual({ kind: 'written', object: stored })
    expect(answered(things).slice(0, 3)).toEqual(['PATCH 0', 'PATCH 409', 'GET 200'])
    expect(Number(stored.metadata.resourceVersion)).toBe(Number(target.resourceVersion) + 1)
    expect(writer.close()).toEqual({ outcomesKnown: true })
  })

  it('that never arrived is sent again', async () => {
    const { things, target, writer } = await start()
    onFirst(things, 'PATCH', () => 'reset')
    expect((await writer.patchStatus(target, { state: 'done' }, signal)).kind).toBe('written')
    expect(answered(things)).toEqual(['PATCH 0', 'PATCH 200'])
  })

  it.each<[string, Status, Status]>([
    ['the same field', { state: 'done' }, { state: 'taken' }],
    ['an item of a list', { list: [1, 2] }, { list: [1, 3] }],
    ['the length of a list', { list: [1] }, { list: [1, 2] }],
    ['a field that was removed', { state: null }, { state: 'back' }],
    ['a part of a field', { deep: { b: 1, c: 2 } }, { deep: { c: 3 } }],
  ])('whose answer was lost is a conflict once another one has changed %s', async (_title, ours, theirs) => {
    const { things, target } = await start()
    onFirst(things, 'PATCH', () => 'reset-after-commit')
    const writer = openWriter(beforeReads(things, () => things.change('a', theirs)))
    expect(await writer.patchStatus(target, ours, signal)).toEqual({ kind: 'conflict' })
    expect(writer.close()).toEqual({ outcomesKnown: true })
  })

  it('whose answer was lost is written all the same when another one has changed something else', async () => {
    const { things, target } = await start()
    onFirst(things, 'PATCH', () => 'reset-after-commit')
    const writer = openWriter(beforeReads(things, () => things.change('a', { seen: true })))
    expect(await writer.patchStatus(target, { state: 'done' }, signal)).toMatchObject({
      kind: 'written',
      object: { status: { state: 'done', seen: true } },
    })
  })

  it('whose answer was lost, of an object that then went, is gone', async () => {
    const { things, target } = await start()
    onFirst(things, 'PATCH', () => 'reset-after-commit')
    const remove = async () => void (await openWriter(things.api).delete(await things.target('a'), signal))
    const writer = openWriter(beforeReads(things, remove))
    expect(await writer.patchStatus(target, { state: 'done' }, signal)).toEqual({ kind: 'gone' })
    expect(writer.close()).toEqual({ outcomesKnown: true })
  })
})

describe('a deletion', () => {
  it('is bound to uid and resourceVersion, dependents in the background', async () => {
    const { things, target, writer } = await start()
    let body: unknown
    onFirst(things, 'DELETE', request => {
      body = JSON.parse(request.body)
      return undefined
    })
    expect(await writer.delete(target, signal)).toEqual({ kind: 'deleted' })
    expect(body).toMatchObject({
      propagationPolicy: 'Background',
      preconditions: { uid: target.uid, resourceVersion: target.resourceVersion },
    })
    expect(await things.get('a')).toBeUndefined()
  })

  it.each<[string, object]>([
    ['uid', { uid: '00000000-0000-0000-0000-000000000000' }],
    ['resourceVersion', { resourceVersion: '1' }],
  ])('with another %s is a conflict, and deletes nothing', async (_title, other) => {
    const { things, target, writer } = await start()
    expect(await writer.delete({ ...target, ...other }, signal)).toEqual({ kind: 'conflict' })
    expect(await things.get('a')).toBeDefined()
  })

  it('of an object that is gone says so', async () => {
    const { target, writer } = await start()
    expect(await writer.delete({ ...target, name: 'z' }, signal)).toEqual({ kind: 'gone' })
  })

  it('whose answer was lost is found done', async () => {
    const { things, target, writer } = await start()
    onFirst(things, 'DELETE', () => 'reset-after-commit')
    expect(await writer.delete(target, signal)).toEqual({ kind: 'deleted' })
    expect(answered(things)).toEqual(['DELETE 0', 'DELETE 404'])
    expect(writer.close()).toEqual({ outcomesKnown: true })
  })

  it('whose answer was lost, of an object that finalizers keep, is found going', async () => {
    const { things, target, writer } = await start({ finalizers: ['test.example/keep'] })
    onFirst(things, 'DELETE', () => 'reset-after-commit')
    expect(await writer.delete(target, signal)).toEqual({ kind: 'deleted' })
    expect((await things.get('a'))?.metadata.deletionTimestamp).toEqual(expect.any(String))
  })

  it('that never arrived, of an object that another one changed meanwhile, is a conflict', async () => {
    const { things, target, writer } = await start()
    onFirst(things, 'DELETE', async (): Promise<Interception> => {
      await things.change('a', { state: 'taken' })
      return 'reset'
    })
    expect(await writer.delete(target, signal)).toEqual({ kind: 'conflict' })
    expect((await things.get('a'))?.status).toEqual({ state: 'taken' })
  })

  it('whose answer was lost, of an object that was made anew, is a conflict', async () => {
    const { things, target, writer } = await start()
    onFirst(things, 'DELETE', () => {
      // The server commits after this returns; the new one comes with the next try.
      things.server.intercept = () => {
        things.server.intercept = undefined
        things.server.load([thing('a')])
        return undefined
      }
      return 'reset-after-commit'
    })
    expect(await writer.delete(target, signal)).toEqual({ kind: 'conflict' })
    expect((await things.get('a'))?.metadata.uid).not.toBe(target.uid)
  })
})

describe('a creation', () => {
  const read = (things: Things) =>
    things.api.request({ method: 'GET', path: '/api/v1/namespaces/team/configmaps/note', repeat: 'read' }, [404])

  it('makes the object under its name', async () => {
    const { things, writer } = await start()
    expect(await writer.create(EVENTS, note, signal)).toEqual({ kind: 'created' })
    expect((await read(things)).body).toMatchObject({ data: { by: 'us' } })
  })

  it('of a name that is taken changes nothing', async () => {
    const { things, writer } = await start()
    things.server.load([{ ...note, data: { by: 'them' } }])
    expect(await writer.create(EVENTS, note, signal)).toEqual({ kind: 'exists' })
    expect((await read(things)).body).toMatchObject({ data: { by: 'them' } })
  })

  it('whose answer was lost is found done', async () => {
    const { things, writer } = await start()
    onFirst(things, 'POST', () => 'reset-after-commit')
    expect(await writer.create(EVENTS, note, signal)).toEqual({ kind: 'created' })
    expect(answered(things)).toEqual(['POST 0', 'POST 409'])
  })
})

describe('a writer that is closed', () => {
  it('sends nothing more', async () => {
    const { things, target, writer } = await start()
    expect(writer.close()).toEqual({ outcomesKnown: true })
    for (const write of [
      () => writer.patchStatus(target, { state: 'done' }, signal),
      () => writer.delete(target, signal),
      () => writer.create(EVENTS, note, signal),
    ])
      await expect(write()).rejects.toMatchObject({ code: 'Aborted' })
    expect(things.server.requests).toEqual([])
  })

  it('knows no outcome of what is in flight, and lets it end', async () => {
    const { things, target, writer } = await start()
    let answer = () => {}
    const arrived = new Promise<void>(resolve => {
      onFirst(things, 'PATCH', async () => {
        resolve()
        await new Promise<void>(released => {
          answer = released
        })
        return undefined
      })
    })
    const patching = writer.patchStatus(target, { state: 'done' }, signal)
    await arrived
    expect(writer.close()).toEqual({ outcomesKnown: false })
    answer()
    expect((await patching).kind).toBe('written')
    expect(writer.close()).toEqual({ outcomesKnown: true })
  })

  it('never knows the outcome of what was stopped before it was answered', async () => {
    const { things, target, writer } = await start()
    const controller = new AbortController()
    onFirst(things, 'PATCH', () => {
      controller.abort()
      return 'hang'
    })
    await expect(writer.patchStatus(target, { state: 'done' }, controller.signal)).rejects.toMatchObject({
      code: 'OutcomeUnknown',
    })
    expect(writer.close()).toEqual({ outcomesKnown: false })
  })

  it('knows the outcome of what was refused, and of what was stopped before it was sent', async () => {
    const { things, target, writer } = await start()
    onFirst(things, 'PATCH', () => ({ status: 403, body: { kind: 'Status', reason: 'Forbidden' } }))
    await expect(writer.patchStatus(target, {}, signal)).rejects.toMatchObject({ code: 'Forbidden' })
    await expect(writer.delete(target, AbortSignal.abort())).rejects.toMatchObject({ code: 'Aborted' })
    expect(writer.close()).toEqual({ outcomesKnown: true })
  })

  it('does not know the outcome of what was refused after an unanswered try', async () => {
    const { things, target, writer } = await start()
    onFirst(things, 'PATCH', () => {
      things.server.intercept = () => ({ status: 403, body: { kind: 'Status', reason: 'Forbidden' } })
      return 'reset-after-commit'
    })
    await expect(writer.patchStatus(target, { state: 'done' }, signal)).rejects.toMatchObject({
      code: 'OutcomeUnknown',
    })
    expect(writer.close()).toEqual({ outcomesKnown: false })
  })
})
