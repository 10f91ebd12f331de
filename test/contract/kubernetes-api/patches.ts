// PATCH in its three forms.

import { describe, expect, it } from 'vitest'
import { JSON_PATCH, MERGE, type Suite } from './suite.ts'

/** Tells it of the server of `suite`. */
export function describePatches(suite: Suite): void {
  const { widgets, leases, request, fresh, lease, widget, made } = suite

  describe('patches', () => {
    it('merge removes what is null and replaces lists', async () => {
      const object = await made(widgets, widget(fresh(), { color: 'red', parts: ['a', 'b'] }))
      const answer = await request(
        'PATCH',
        `${widgets}/${object.metadata.name}`,
        { spec: { color: null, parts: ['c'] } },
        MERGE,
      )
      expect(answer.body.spec).toEqual({ size: 1, shade: 'plain', parts: ['c'] })
    })

    it('merge may not change uid, and answers 400 to what is no object', async () => {
      const object = await made(widgets, widget(fresh()))
      const path = `${widgets}/${object.metadata.name}`
      const answer = await request('PATCH', path, { metadata: { uid: 'other' } }, MERGE)
      expect(answer).toMatchObject({ status: 422, body: { reason: 'Invalid' } })
      expect(answer.body.message).toContain('metadata.uid: Invalid value: "other": field is immutable')
      expect(await request('PATCH', path, [], MERGE)).toMatchObject({ status: 400 })
    })

    it('JSON patch applies all of its operations or none', async () => {
      const object = await made(widgets, widget(fresh(), { parts: ['a'] }))
      const path = `${widgets}/${object.metadata.name}`
      const done = await request(
        'PATCH',
        path,
        [
          { op: 'test', path: '/spec/size', value: 1 },
          { op: 'add', path: '/spec/parts/-', value: 'b' },
        ],
        JSON_PATCH,
      )
      expect(done.body.spec.parts).toEqual(['a', 'b'])
      const failed = await request(
        'PATCH',
        path,
        [
          { op: 'replace', path: '/spec/size', value: 5 },
          { op: 'test', path: '/spec/size', value: 1 },
        ],
        JSON_PATCH,
      )
      expect(failed).toMatchObject({ status: 422, body: { reason: 'Invalid' } })
      expect((await request('GET', path)).body.spec.size).toBe(1)
    })

    it('strategic merge adds finalizers and merges owners by uid, and obeys its directives', async () => {
      const owner = (name: string, uid: string) => ({ apiVersion: 'v1', kind: 'Secret', name, uid })
      const metadata = {
        name: fresh(),
        finalizers: ['a.test/1'],
        ownerReferences: [owner('x', 'u1'), owner('y', 'u2')],
        labels: { a: '1', b: '2' },
      }
      await made(leases, { ...lease(''), metadata, spec: { holderIdentity: 'me' } })
      const path = `${leases}/${metadata.name}`
      const smp = (change: object) =>
        request('PATCH', path, change, { 'content-type': 'application/strategic-merge-patch+json' })
      const merged = await smp({
        metadata: {
          finalizers: ['a.test/2'],
          labels: { a: null },
          ownerReferences: [owner('z', 'u2'), { $patch: 'delete', uid: 'u1' }],
        },
      })
      expect(merged.body.metadata).toMatchObject({
        finalizers: ['a.test/2', 'a.test/1'],
        labels: { b: '2' },
        ownerReferences: [owner('z', 'u2')],
      })
      const after = await smp({
        metadata: { '$deleteFromPrimitiveList/finalizers': ['a.test/1', 'a.test/2'] },
        spec: { $patch: 'replace', leaseTransitions: 1 },
      })
      expect(after.body.metadata.finalizers).toBeUndefined()
      expect(after.body.spec).toEqual({ leaseTransitions: 1 })
    })

    it('strategic merge is refused for custom resources with 415', async () => {
      const object = await made(widgets, widget(fresh()))
      const headers = { 'content-type': 'application/strategic-merge-patch+json' }
      expect(await request('PATCH', `${widgets}/${object.metadata.name}`, { spec: {} }, headers)).toMatchObject({
        status: 415,
      })
    })
  })
}
