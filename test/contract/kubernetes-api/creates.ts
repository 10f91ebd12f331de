// What a create does, stamps and refuses.

import { describe, expect, it } from 'vitest'
import { causes, type Suite } from './suite.ts'

/** Tells it of the server of `suite`. */
export function describeCreates(suite: Suite): void {
  const { group, namespace, widgets, leases, request, fresh, lease, widget, made } = suite

  describe('creates', () => {
    it('stamps identity, version, generation and time, and keeps what was sent', async () => {
      const name = fresh()
      const object = await made(widgets, widget(name, { color: 'red' }, { labels: { a: 'b' } }))
      expect(object).toMatchObject({ apiVersion: `${group}/v1`, kind: 'Widget', spec: { size: 1, color: 'red' } })
      expect(object.metadata).toMatchObject({ name, namespace, generation: 1, labels: { a: 'b' } })
      expect(object.metadata.uid).toMatch(/^[0-9a-f-]{36}$/)
      expect(object.metadata.resourceVersion).toMatch(/^\d+$/)
      expect(object.metadata.creationTimestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
      expect((await request('GET', `${widgets}/${name}`)).body).toEqual(object)
    })

    it('makes a name of a generateName and five letters', async () => {
      const { metadata } = await made(widgets, { ...widget(''), metadata: { generateName: 'prod-admin-' } })
      expect(metadata.name).toMatch(/^prod-admin-[a-z0-9]{5}$/)
      const dotted = await request('POST', widgets, { ...widget(''), metadata: { generateName: 'prod-admin.' } })
      expect(causes(dotted)).toEqual(['metadata.generateName FieldValueInvalid'])
    })

    it('refuses a name that exists with 409 AlreadyExists', async () => {
      const name = fresh()
      await made(leases, lease(name))
      const answer = await request('POST', leases, lease(name))
      expect(answer).toMatchObject({
        status: 409,
        body: { reason: 'AlreadyExists', message: `leases.coordination.k8s.io "${name}" already exists` },
      })
      expect(answer.body.details).toEqual({ name, group: 'coordination.k8s.io', kind: 'leases' })
    })

    it('refuses a missing namespace with 404 that names it', async () => {
      const answer = await request('POST', leases.replace(namespace, 'nowhere'), lease(fresh()))
      expect(answer).toMatchObject({
        status: 404,
        body: { message: 'namespaces "nowhere" not found', details: { name: 'nowhere', kind: 'namespaces' } },
      })
    })

    it('refuses another namespace in the body, another kind, a broken body and a foreign media type', async () => {
      const elsewhere = { ...lease('x'), metadata: { name: 'x', namespace: 'default' } }
      expect(await request('POST', leases, elsewhere)).toMatchObject({ status: 400, body: { reason: 'BadRequest' } })
      expect(await request('POST', leases, { ...lease('x'), kind: 'Secret' })).toMatchObject({ status: 400 })
      expect(await request('POST', leases, '{')).toMatchObject({ status: 400 })
      expect(await request('POST', leases, 'x', { 'content-type': 'text/plain' })).toMatchObject({
        status: 415,
        body: { reason: 'UnsupportedMediaType' },
      })
    })

    it('refuses a resourceVersion', async () => {
      const answer = await request('POST', leases, {
        ...lease(fresh()),
        metadata: { name: 'x', resourceVersion: '5' },
      })
      expect(answer).toMatchObject({
        status: 500,
        body: { message: 'resourceVersion should not be set on objects to be created' },
      })
    })
  })
}
