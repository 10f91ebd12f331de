// PUT: generations, resourceVersions and bonds; and the status subresource.

import { describe, expect, it } from 'vitest'
import { causes, MERGE, STALE, type Suite } from './suite.ts'

/** Tells it of the server of `suite`. */
export function describeUpdates(suite: Suite): void {
  const { group, widgets, leases, request, fresh, lease, widget, made } = suite

  describe('updates', () => {
    it('count a generation for a change of the spec, none for metadata', async () => {
      const first = await made(widgets, widget(fresh()))
      const path = `${widgets}/${first.metadata.name}`
      const second = (await request('PUT', path, { ...first, spec: { size: 2 } })).body
      expect(second.metadata.generation).toBe(2)
      const third = (await request('PATCH', path, { metadata: { labels: { x: 'y' } } }, MERGE)).body
      expect(third.metadata).toMatchObject({ generation: 2, labels: { x: 'y' } })
      expect(Number(third.metadata.resourceVersion)).toBeGreaterThan(Number(second.metadata.resourceVersion))
    })

    it('leave the resourceVersion of an object that does not change', async () => {
      const object = await made(widgets, widget(fresh()))
      const path = `${widgets}/${object.metadata.name}`
      expect((await request('PUT', path, object)).body.metadata.resourceVersion).toBe(object.metadata.resourceVersion)
      expect((await request('PATCH', path, { spec: { size: 1 } }, MERGE)).body.metadata.resourceVersion).toBe(
        object.metadata.resourceVersion,
      )
    })

    it('refuse a stale resourceVersion with 409 Conflict', async () => {
      const object = await made(widgets, widget(fresh()))
      const { name } = object.metadata
      await request('PUT', `${widgets}/${name}`, { ...object, spec: { size: 2 } })
      const answer = await request('PUT', `${widgets}/${name}`, { ...object, spec: { size: 3 } })
      expect(answer).toMatchObject({
        status: 409,
        body: {
          reason: 'Conflict',
          message: `Operation cannot be fulfilled on widgets.${group} "${name}": ${STALE}`,
        },
      })
      const patched = await request(
        'PATCH',
        `${widgets}/${name}`,
        { metadata: { resourceVersion: object.metadata.resourceVersion }, spec: { size: 3 } },
        MERGE,
      )
      expect(patched).toMatchObject({ status: 409, body: { reason: 'Conflict' } })
    })

    it('demand a resourceVersion of a PUT, and refuse another uid with 409', async () => {
      const object = await made(leases, lease(fresh()))
      const path = `${leases}/${object.metadata.name}`
      expect(await request('PUT', path, lease(object.metadata.name))).toMatchObject({
        status: 422,
        body: { reason: 'Invalid' },
      })
      const answer = await request('PUT', path, { ...object, metadata: { ...object.metadata, uid: 'other' } })
      expect(answer).toMatchObject({ status: 409, body: { reason: 'Conflict' } })
      expect(answer.body.message).toContain(
        `Precondition failed: UID in precondition: other, UID in object meta: ${object.metadata.uid}`,
      )
    })

    it('refuse another name with 400 and a missing custom resource with 404', async () => {
      const object = await made(widgets, widget(fresh()))
      expect(
        await request('PUT', `${widgets}/${object.metadata.name}`, { ...object, metadata: { name: 'other' } }),
      ).toMatchObject({ status: 400 })
      expect(await request('PUT', `${widgets}/missing`, widget('missing'))).toMatchObject({
        status: 404,
        body: { reason: 'NotFound' },
      })
      expect(await request('PATCH', `${widgets}/missing`, { spec: {} }, MERGE)).toMatchObject({ status: 404 })
    })
  })

  describe('the status subresource', () => {
    it('changes status alone, and the object changes all but status', async () => {
      const object = await made(widgets, { ...widget(fresh()), status: { state: 'Ignored' } })
      expect(object.status).toBeUndefined()
      const path = `${widgets}/${object.metadata.name}`
      const patch = { status: { state: 'Approved' }, spec: { size: 9 }, metadata: { labels: { a: 'b' } } }
      const after = (await request('PATCH', `${path}/status`, patch, MERGE)).body
      expect(after).toMatchObject({ spec: { size: 1 }, status: { state: 'Approved' }, metadata: { generation: 1 } })
      expect(after.metadata.labels).toBeUndefined()
      const main = (await request('PATCH', path, { status: { state: 'Main' }, spec: { size: 2 } }, MERGE)).body
      expect(main).toMatchObject({ spec: { size: 2 }, status: { state: 'Approved' } })
    })

    it('holds a merge patch to the resourceVersion in it, and judges the status by the schema', async () => {
      const object = await made(widgets, widget(fresh()))
      const path = `${widgets}/${object.metadata.name}/status`
      const { resourceVersion } = object.metadata
      expect(
        await request('PATCH', path, { metadata: { resourceVersion }, status: { state: 'A' } }, MERGE),
      ).toMatchObject({ status: 200 })
      expect(
        await request('PATCH', path, { metadata: { resourceVersion }, status: { state: 'B' } }, MERGE),
      ).toMatchObject({ status: 409 })
      const answer = await request('PATCH', path, { status: { state: 5 } }, MERGE)
      expect(answer.status).toBe(422)
      expect(causes(answer)).toEqual(['status.state FieldValueTypeInvalid'])
    })
  })
}
