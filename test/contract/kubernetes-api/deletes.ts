// DELETE with its preconditions and finalizers; and dry runs of all verbs.

import { describe, expect, it } from 'vitest'
import { MERGE, type Suite } from './suite.ts'

/** Tells it of the server of `suite`. */
export function describeDeletes(suite: Suite): void {
  const { group, widgets, leases, request, fresh, lease, widget, made } = suite

  describe('deletes', () => {
    it('answer a Status that names the object and its uid, then 404', async () => {
      const { metadata } = await made(widgets, widget(fresh()))
      const path = `${widgets}/${metadata.name}`
      const answer = await request('DELETE', path, {
        preconditions: { uid: metadata.uid, resourceVersion: metadata.resourceVersion },
      })
      expect(answer).toMatchObject({ status: 200, body: { kind: 'Status', status: 'Success' } })
      expect(answer.body.details).toEqual({ name: metadata.name, group, kind: 'widgets', uid: metadata.uid })
      expect(await request('DELETE', path)).toMatchObject({ status: 404, body: { reason: 'NotFound' } })
    })

    it('refuse a wrong uid and a stale resourceVersion with 409', async () => {
      const { metadata } = await made(widgets, widget(fresh()))
      const path = `${widgets}/${metadata.name}`
      const byUid = await request('DELETE', path, { preconditions: { uid: 'other' } })
      expect(byUid).toMatchObject({ status: 409, body: { reason: 'Conflict' } })
      expect(byUid.body.message).toContain(
        `the UID in the precondition (other) does not match the UID in record (${metadata.uid})`,
      )
      const byVersion = await request('DELETE', path, { preconditions: { resourceVersion: '1' } })
      expect(byVersion.body.message).toContain(
        `the ResourceVersion in the precondition (1) does not match the ResourceVersion in record (${metadata.resourceVersion})`,
      )
      expect(await request('GET', path)).toMatchObject({ status: 200 })
    })

    it('wait for finalizers, and finish when the last one goes', async () => {
      const { metadata } = await made(widgets, widget(fresh(), {}, { finalizers: ['fencepost.test/hold'] }))
      const path = `${widgets}/${metadata.name}`
      const held = await request('DELETE', path)
      expect(held.body.metadata).toMatchObject({
        generation: 2,
        deletionGracePeriodSeconds: 0,
        finalizers: ['fencepost.test/hold'],
      })
      expect(held.body.metadata.deletionTimestamp).toMatch(/Z$/)
      const added = await request(
        'PATCH',
        path,
        { metadata: { finalizers: ['fencepost.test/hold', 'fencepost.test/more'] } },
        MERGE,
      )
      expect(added).toMatchObject({ status: 422 })
      expect(await request('PATCH', path, { metadata: { finalizers: null } }, MERGE)).toMatchObject({ status: 200 })
      expect(await request('GET', path)).toMatchObject({ status: 404 })
    })

    it('of a collection take the selected and leave the rest', async () => {
      const [gone, kept] = [fresh(), fresh()]
      await made(widgets, widget(gone, {}, { labels: { sweep: 'yes' } }))
      await made(widgets, widget(kept, {}, { labels: { sweep: 'no' } }))
      const answer = await request('DELETE', `${widgets}?labelSelector=sweep%3Dyes`)
      expect(answer.body.items.map((item: { metadata: { name: string } }) => item.metadata.name)).toEqual([gone])
      expect(await request('GET', `${widgets}/${gone}`)).toMatchObject({ status: 404 })
      expect(await request('GET', `${widgets}/${kept}`)).toMatchObject({ status: 200 })
    })
  })

  describe('dry runs', () => {
    it('answer as the write would and store nothing', async () => {
      const name = fresh()
      const created = await request('POST', `${leases}?dryRun=All`, lease(name))
      expect(created.status).toBe(201)
      expect(created.body.metadata.uid).toMatch(/^[0-9a-f-]{36}$/)
      expect(created.body.metadata.resourceVersion).toBeUndefined()
      expect(await request('GET', `${leases}/${name}`)).toMatchObject({ status: 404 })

      const stored = await made(leases, lease(name))
      const path = `${leases}/${name}`
      expect(await request('PATCH', `${path}?dryRun=All`, { spec: { holderIdentity: 'me' } }, MERGE)).toMatchObject({
        status: 200,
        body: { spec: { holderIdentity: 'me' } },
      })
      expect(await request('DELETE', `${path}?dryRun=All`)).toMatchObject({ status: 200 })
      expect((await request('GET', path)).body).toEqual(stored)
    })

    it('of a delete are asked for in its body when it has one: beside a body the query counts for nothing', async () => {
      const name = fresh()
      await made(leases, lease(name))
      const path = `${leases}/${name}`
      expect(await request('DELETE', path, { dryRun: ['All'] })).toMatchObject({ status: 200 })
      expect(await request('GET', path)).toMatchObject({ status: 200 })
      expect(await request('DELETE', `${path}?dryRun=All`, { propagationPolicy: 'Background' })).toMatchObject({
        status: 200,
      })
      expect(await request('GET', path)).toMatchObject({ status: 404 })
    })

    it('are judged as the write would be', async () => {
      expect(await request('POST', `${leases}?dryRun=All`, lease(fresh(), { leaseDurationSeconds: 0 }))).toMatchObject({
        status: 422,
      })
      expect(await request('POST', `${leases}?dryRun=Some`, lease(fresh()))).toMatchObject({
        status: 422,
        body: { details: { kind: 'CreateOptions' } },
      })
    })
  })
}
