// Discovery, and the definitions that add to it.

import { describe, expect, it } from 'vitest'
import { definition } from './definition.ts'
import { causes, type Suite } from './suite.ts'

/** Tells it of the server of `suite`. */
export function describeDiscovery(suite: Suite): void {
  const { group, leases, crds, request, lease } = suite

  describe('discovery', () => {
    it('names versions, groups and resources with their verbs', async () => {
      expect((await request('GET', '/version')).body.gitVersion).toMatch(/^v1\.\d+/)
      expect((await request('GET', '/readyz')).text).toBe('ok')
      const { body } = await request('GET', `/apis/${group}/v1`)
      const [whole, status] = body.resources
      expect(whole).toMatchObject({
        name: 'widgets',
        singularName: 'widget',
        kind: 'Widget',
        namespaced: true,
        shortNames: ['wd'],
      })
      expect([...whole.verbs].sort()).toEqual([
        'create',
        'delete',
        'deletecollection',
        'get',
        'list',
        'patch',
        'update',
        'watch',
      ])
      expect(status).toMatchObject({ name: 'widgets/status', verbs: ['get', 'patch', 'update'] })
    })

    it('answers 404 and 405 with a Status where a built-in group has no such path', async () => {
      expect(await request('GET', '/api/v1/nothings')).toMatchObject({
        status: 404,
        body: { reason: 'NotFound', details: {} },
      })
      expect(await request('PUT', leases, lease('x'))).toMatchObject({
        status: 405,
        body: { reason: 'MethodNotAllowed' },
      })
    })

    it('sends the time with every answer', async () => {
      expect(Number.isNaN(Date.parse(String((await request('GET', '/version')).headers.date)))).toBe(false)
    })
  })

  describe('CustomResourceDefinitions', () => {
    it('say when they are established, and take the names they were given', async () => {
      const { body } = await request('GET', `${crds}/widgets.${group}`)
      const established = body.status.conditions.find((condition: { type: string }) => condition.type === 'Established')
      expect(established).toMatchObject({ status: 'True', reason: 'InitialNamesAccepted' })
      expect(body.status).toMatchObject({
        acceptedNames: { plural: 'widgets', kind: 'Widget' },
        storedVersions: ['v1'],
      })
    })

    it('are refused under another name, without a schema and with a field that has no type', async () => {
      const other = definition(group)
      const named = await request('POST', crds, { ...other, metadata: { name: `gadgets.${group}` } })
      expect(causes(named)).toEqual(['metadata.name FieldValueInvalid'])
      const untyped = structuredClone(other)
      untyped.spec.names = {
        plural: 'gadgets',
        singular: 'gadget',
        kind: 'Gadget',
        listKind: 'GadgetList',
        shortNames: [],
      }
      untyped.metadata.name = `gadgets.${group}`
      Object.assign(untyped.spec.versions[0].schema.openAPIV3Schema.properties.spec.properties, { loose: {} })
      expect((await request('POST', crds, untyped)).body.message).toContain(
        'must not be empty for specified object fields',
      )
    })
  })
}
