// What the product relies on of a Kubernetes API server, told in HTTP alone: no client of ours takes part, so the same suite runs
// over the embedded API and over a real kube-apiserver. It makes its own namespace and its own kind, named by a random suffix.
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

/** An answer; `body` is parsed JSON where it is JSON, else the text. */
export interface Answer {
  status: number
  headers: Record<string, string | string[] | undefined>
  // biome-ignore lint/suspicious/noExplicitAny: bodies of many shapes, looked at field by field
  body: any
  text: string
}

/** Sends one request with administrator's rights; `body` is sent as JSON unless it is a string. */
export type Request = (
  method: string,
  path: string,
  body?: unknown,
  headers?: Record<string, string>,
) => Promise<Answer>

/** A server to run the suite over. */
export interface OpenApi {
  request: Request
  close: () => Promise<void>
}

const MERGE = { 'content-type': 'application/merge-patch+json' }
const JSON_PATCH = { 'content-type': 'application/json-patch+json' }
const STALE = 'the object has been modified; please apply your changes to the latest version and try again'

/** Runs the suite over the server that `open` gives. */
export function describeKubernetesApi(name: string, open: () => Promise<OpenApi>): void {
  describe(`the Kubernetes API of ${name}`, () => {
    const suffix = randomBytes(4).toString('hex')
    const group = `g${suffix}.fencepost.test`
    const namespace = `contract-${suffix}`
    const widgets = `/apis/${group}/v1/namespaces/${namespace}/widgets`
    const leases = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`
    const events = `/apis/events.k8s.io/v1/namespaces/${namespace}/events`
    const secrets = `/api/v1/namespaces/${namespace}/secrets`
    const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
    let server: OpenApi
    let count = 0

    const request: Request = (...given) => server.request(...given)
    const fresh = () => `o${(count++).toString().padStart(3, '0')}-${suffix}`
    const lease = (name: string, spec: object = {}) => ({
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name },
      spec,
    })
    const widget = (name: string, spec: object = {}, metadata: object = {}) => ({
      apiVersion: `${group}/v1`,
      kind: 'Widget',
      metadata: { name, ...metadata },
      spec: { size: 1, ...spec },
    })
    const made = async (path: string, object: object) => {
      const answer = await request('POST', path, object)
      expect(answer, answer.text).toMatchObject({ status: 201 })
      return answer.body
    }
    const causes = (answer: Answer) =>
      (answer.body.details.causes as { field: string; reason: string }[])
        .map(({ field, reason }) => `${field} ${reason}`)
        .sort()

    beforeAll(async () => {
      server = await open()
      expect(await request('POST', '/api/v1/namespaces', { metadata: { name: namespace } })).toMatchObject({
        status: 201,
      })
      expect(await request('POST', crds, definition(group))).toMatchObject({ status: 201 })
      for (let status = 0; status !== 200; ) status = (await request('GET', widgets)).status
    })
    afterAll(async () => {
      await request('DELETE', `${crds}/widgets.${group}`)
      await request('DELETE', `/api/v1/namespaces/${namespace}`)
      await server.close()
    })

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

    describe('custom resources', () => {
      it('drops unknown fields, says so in warnings, and fills in defaults', async () => {
        const answer = await request('POST', widgets, { ...widget(fresh(), { bogus: 1 }), extra: true })
        expect(answer.status).toBe(201)
        expect(answer.body.spec).toEqual({ size: 1, shade: 'plain' })
        expect(answer.body.extra).toBeUndefined()
        expect(String(answer.headers.warning)).toContain('unknown field \\"spec.bogus\\"')
      })

      it('refuses unknown fields under fieldValidation=Strict', async () => {
        const answer = await request('POST', `${widgets}?fieldValidation=Strict`, widget(fresh(), { bogus: 1 }))
        expect(answer).toMatchObject({ status: 400, body: { reason: 'BadRequest' } })
        expect(answer.body.message).toContain('strict decoding error: unknown field "spec.bogus"')
      })

      it.each([
        ['a missing required field', { size: undefined }, 'spec.size FieldValueRequired'],
        ['a wrong type', { size: 'big' }, 'spec.size FieldValueTypeInvalid'],
        ['a number below the minimum', { size: 0 }, 'spec.size FieldValueInvalid'],
        ['a number above the maximum', { size: 11 }, 'spec.size FieldValueInvalid'],
        ['a value outside the enum', { shade: 'loud' }, 'spec.shade FieldValueNotSupported'],
        ['a text off the pattern', { color: 'RED' }, 'spec.color FieldValueInvalid'],
        ['a text too short', { code: 'a' }, 'spec.code FieldValueInvalid'],
        ['a text too long', { code: 'abcde' }, 'spec.code FieldValueTooLong'],
        ['an instant that is none', { at: 'yesterday' }, 'spec.at FieldValueTypeInvalid'],
        ['too few items', { parts: [] }, 'spec.parts FieldValueInvalid'],
        ['too many items', { parts: ['a', 'b', 'c'] }, 'spec.parts FieldValueTooMany'],
        ['a wrong type in a map', { counts: { a: 'x' } }, 'spec.counts.a FieldValueTypeInvalid'],
        ['a boolean for int-or-string', { port: true }, 'spec.port FieldValueTypeInvalid'],
        ['two list entries of one key', { rules: [{ key: 'a' }, { key: 'a' }] }, 'spec.rules[1] FieldValueDuplicate'],
      ])('refuse %s with 422 that names the field', async (_what, spec, cause) => {
        const answer = await request('POST', widgets, widget(fresh(), spec))
        expect(answer).toMatchObject({ status: 422, body: { reason: 'Invalid', details: { group, kind: 'Widget' } } })
        expect(causes(answer)).toEqual([cause])
      })

      it('take null for absent where null is not allowed, and keep it where it is', async () => {
        const object = await made(widgets, widget(fresh(), { color: null, shade: null, note: null }))
        expect(object.spec).toEqual({ size: 1, shade: 'plain', note: null })
      })

      it('keep anything under preserve-unknown-fields, and numbers and texts under int-or-string', async () => {
        const object = await made(widgets, widget(fresh(), { open: { any: [1, { thing: null }] }, port: '80%' }))
        expect(object.spec).toMatchObject({ open: { any: [1, { thing: null }] }, port: '80%' })
      })
    })

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
        expect(
          await request('POST', `${leases}?dryRun=All`, lease(fresh(), { leaseDurationSeconds: 0 })),
        ).toMatchObject({ status: 422 })
        expect(await request('POST', `${leases}?dryRun=Some`, lease(fresh()))).toMatchObject({
          status: 422,
          body: { details: { kind: 'CreateOptions' } },
        })
      })
    })

    describe('Leases', () => {
      it('are created by a PUT, unless the body names a uid', async () => {
        const [one, other] = [fresh(), fresh()]
        expect(await request('PUT', `${leases}/${one}`, lease(one, { holderIdentity: 'a' }))).toMatchObject({
          status: 201,
        })
        const bound = { ...lease(other), metadata: { name: other, uid: 'gone' } }
        expect(await request('PUT', `${leases}/${other}`, bound)).toMatchObject({
          status: 409,
          body: { reason: 'Conflict' },
        })
        expect(await request('GET', `${leases}/${other}`)).toMatchObject({ status: 404 })
      })

      it('let exactly one of 20 holders through that swap the same resourceVersion', async () => {
        const object = await made(leases, lease(fresh()))
        const path = `${leases}/${object.metadata.name}`
        const swap = (holder: number) =>
          request('PUT', path, { ...object, spec: { holderIdentity: `holder-${holder}` } })
        const answers = await Promise.all(Array.from({ length: 20 }, (_, holder) => swap(holder)))
        const winners = answers.filter(answer => answer.status === 200)
        expect(winners).toHaveLength(1)
        expect(answers.filter(answer => answer.status === 409)).toHaveLength(19)
        expect((await request('GET', path)).body.spec).toEqual(winners[0]?.body.spec)
      })

      it('take instants of exactly six fractional digits and print them in UTC', async () => {
        const object = await made(leases, lease(fresh(), { renewTime: '2026-11-21T09:00:00.123456+02:00' }))
        expect(object.spec.renewTime).toBe('2026-11-21T07:00:00.123456Z')
        for (const renewTime of ['2026-11-21T07:00:00Z', '2026-11-21T07:00:00.123Z', '2026-11-21T07:00:00.1234567Z']) {
          const answer = await request('POST', leases, lease(fresh(), { renewTime }))
          expect(answer).toMatchObject({ status: 400, body: { reason: 'BadRequest' } })
          expect(answer.body.message).toContain(`parsing time "${renewTime}" as "2006-01-02T15:04:05.000000Z07:00"`)
        }
      })

      it('refuse a duration of 0, negative transitions and numbers that are none', async () => {
        const answer = await request('POST', leases, lease(fresh(), { leaseDurationSeconds: 0, leaseTransitions: -1 }))
        expect(causes(answer)).toEqual([
          'spec.leaseDurationSeconds FieldValueInvalid',
          'spec.leaseTransitions FieldValueInvalid',
        ])
        const typed = await request('POST', leases, lease(fresh(), { leaseTransitions: '1' }))
        expect(typed.body.message).toContain(
          'cannot unmarshal string into Go struct field LeaseSpec.spec.leaseTransitions of type int32',
        )
      })

      it('keep annotations and an empty holder', async () => {
        const body = { ...lease(fresh(), { holderIdentity: '', leaseTransitions: 0 }) }
        const object = await made(leases, {
          ...body,
          metadata: { ...body.metadata, annotations: { 'fencepost.dev/tick': 't' } },
        })
        expect(object).toMatchObject({
          spec: { holderIdentity: '', leaseTransitions: 0 },
          metadata: { annotations: { 'fencepost.dev/tick': 't' } },
        })
      })
    })

    describe('Events', () => {
      const event = (more: object = {}) => ({
        apiVersion: 'events.k8s.io/v1',
        kind: 'Event',
        metadata: { generateName: 'prod-admin-x7f2-' },
        eventTime: '2026-11-21T07:05:00.000000Z',
        reportingController: 'fencepost.dev/cleanup',
        reportingInstance: 'fencepost-cleanup',
        action: 'Expire',
        reason: 'ExpiredByTime',
        type: 'Normal',
        regarding: { kind: 'BreakglassSession', namespace, name: 'prod-admin-x7f2' },
        note: 'ended 3 min ago',
        ...more,
      })

      it('are seen by the core API under its own names', async () => {
        const { metadata } = await made(events, event())
        const { body } = await request('GET', `/api/v1/namespaces/${namespace}/events/${metadata.name}`)
        expect(body).toMatchObject({
          message: 'ended 3 min ago',
          reportingComponent: 'fencepost.dev/cleanup',
          involvedObject: { name: 'prod-admin-x7f2' },
          firstTimestamp: null,
        })
      })

      it.each([
        ['no eventTime', { eventTime: null }, ['eventTime FieldValueRequired']],
        [
          'no action, reason or instance',
          { action: '', reason: '', reportingInstance: '' },
          ['action FieldValueRequired', 'reason FieldValueRequired', 'reportingInstance FieldValueRequired'],
        ],
        [
          'a controller that is no qualified name',
          { reportingController: 'a b' },
          ['reportingController FieldValueInvalid'],
        ],
        ['a type of its own', { type: 'Info' }, ['type FieldValueInvalid']],
        ['a note of 1 025 characters', { note: 'x'.repeat(1025) }, ['message FieldValueInvalid']],
        ['a reason of 129 characters', { reason: 'x'.repeat(129) }, ['reason FieldValueInvalid']],
      ])('refuse %s', async (_what, more, expected) => {
        const answer = await request('POST', events, event(more))
        expect(answer.status).toBe(422)
        expect(causes(answer)).toEqual(expected)
      })

      it('refuse milliseconds in eventTime', async () => {
        expect(await request('POST', events, event({ eventTime: '2026-11-21T07:05:00.000Z' }))).toMatchObject({
          status: 400,
        })
      })
    })

    describe('Secrets', () => {
      it('take stringData into data, and are Opaque unless told', async () => {
        const object = await made(secrets, { metadata: { name: fresh() }, data: { a: 'aGk=' }, stringData: { b: 'x' } })
        expect(object).toMatchObject({ type: 'Opaque', data: { a: 'aGk=', b: 'eA==' } })
        expect(object.stringData).toBeUndefined()
      })

      it('refuse data that is not base64 and keys that are no file names', async () => {
        expect(await request('POST', secrets, { metadata: { name: fresh() }, data: { a: '!!' } })).toMatchObject({
          status: 400,
        })
        const answer = await request('POST', secrets, { metadata: { name: fresh() }, data: { 'a b': 'aGk=' } })
        expect(causes(answer)).toEqual(['data[a b] FieldValueInvalid'])
      })
    })

    describe('lists', () => {
      const path = `/apis/${group}/v1/namespaces/${namespace}/widgets`
      const names = (answer: Answer) =>
        answer.body.items.map((item: { metadata: { name: string } }) => item.metadata.name)
      const page = (query: string) => request('GET', `${path}?labelSelector=lists&${query}`)

      beforeAll(async () => {
        for (const [at, size] of [3, 1, 2, 5, 4].entries()) {
          await made(
            widgets,
            widget(
              `list-${size}`,
              { size, color: size % 2 === 0 ? 'even' : 'odd' },
              { labels: { lists: 'yes', at: String(at) } },
            ),
          )
        }
      })

      it('come in the order of names, with kind and version of the list', async () => {
        const answer = await page('limit=50')
        expect(names(answer)).toEqual(['list-1', 'list-2', 'list-3', 'list-4', 'list-5'])
        expect(answer.body).toMatchObject({
          kind: 'WidgetList',
          apiVersion: `${group}/v1`,
          metadata: { resourceVersion: expect.stringMatching(/^\d+$/) },
        })
      })

      it('go on from their token at the same snapshot, whatever changes between the pages', async () => {
        const first = await request('GET', `${path}?limit=2&fieldSelector=spec.color!%3D`)
        const token = first.body.metadata.continue
        const added = await made(widgets, widget('list-9', { color: 'odd' }, { labels: { lists: 'late' } }))
        const seen = [...names(first)]
        for (let next = token; next !== ''; ) {
          const answer = await request('GET', `${path}?limit=2&fieldSelector=spec.color!%3D&continue=${next}`)
          expect(answer.body.metadata.resourceVersion).toBe(first.body.metadata.resourceVersion)
          seen.push(...names(answer))
          next = answer.body.metadata.continue ?? ''
        }
        expect(seen).not.toContain(added.metadata.name)
        expect(seen.filter(name => name.startsWith('list-'))).toEqual([
          'list-1',
          'list-2',
          'list-3',
          'list-4',
          'list-5',
        ])
        await request('DELETE', `${widgets}/list-9`)
      })

      it('tell how many remain only when nothing is filtered', async () => {
        const all = (await request('GET', path)).body.items.length
        expect((await request('GET', `${path}?limit=2`)).body.metadata.remainingItemCount).toBe(all - 2)
        expect((await page('limit=2')).body.metadata.remainingItemCount).toBeUndefined()
      })

      it('select by the fields the definition names, and refuse others with 400', async () => {
        expect(names(await page('fieldSelector=spec.color%3Deven'))).toEqual(['list-2', 'list-4'])
        expect(names(await page('fieldSelector=metadata.name%3Dlist-3'))).toEqual(['list-3'])
        const answer = await page('fieldSelector=spec.size%3D1')
        expect(answer).toMatchObject({
          status: 400,
          body: { reason: 'BadRequest', message: 'field label not supported: spec.size' },
        })
        const foreign = await request('GET', `${leases}?fieldSelector=spec.holderIdentity%3Da`)
        expect(foreign).toMatchObject({ status: 400 })
      })

      it.each([
        ['at=1', ['list-1']],
        ['at==1', ['list-1']],
        ['lists,at!=1', ['list-2', 'list-3', 'list-4', 'list-5']],
        ['at in (0,2)', ['list-2', 'list-3']],
        ['lists,at notin (0,2)', ['list-1', 'list-4', 'list-5']],
        ['lists,!gone', ['list-1', 'list-2', 'list-3', 'list-4', 'list-5']],
        ['gone', []],
        ['at>2', ['list-4', 'list-5']],
      ])('select by the labels of «%s»', async (selector, expected) => {
        expect(names(await request('GET', `${path}?labelSelector=${encodeURIComponent(selector)}`))).toEqual(expected)
      })

      it.each(['a b', 'k in low', '-bad=x', 'k=v,'])('refuse the label selector «%s» with 400', async selector => {
        expect(await request('GET', `${path}?labelSelector=${encodeURIComponent(selector)}`)).toMatchObject({
          status: 400,
        })
      })

      it('refuse a token that is none with 400, and one beside a resourceVersion', async () => {
        expect(await page('limit=2&continue=abc')).toMatchObject({ status: 400 })
        const { body } = await page('limit=2')
        expect(await page(`limit=2&resourceVersion=1&continue=${body.metadata.continue}`)).toMatchObject({
          status: 400,
        })
      })

      it('reach over all namespaces without one in the path, and are empty in a namespace that is missing', async () => {
        const everywhere = await request('GET', `/apis/${group}/v1/widgets?labelSelector=lists`)
        expect(names(everywhere)).toEqual(['list-1', 'list-2', 'list-3', 'list-4', 'list-5'])
        expect(names(await request('GET', widgets.replace(namespace, 'nowhere')))).toEqual([])
      })

      it('come as a table with the definition’s columns', async () => {
        const answer = await request('GET', `${path}?labelSelector=at%3D1`, undefined, {
          accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json',
        })
        expect(answer.body.columnDefinitions.map((column: { name: string }) => column.name)).toEqual([
          'Name',
          'Size',
          'State',
          'Age',
        ])
        expect(answer.body.rows[0].cells).toEqual(['list-1', 1, null, expect.stringMatching(/^\d+[smh]/)])
        expect(answer.body.rows[0].object).toMatchObject({
          kind: 'PartialObjectMetadata',
          metadata: { name: 'list-1' },
        })
      })
    })

    describe('watches', () => {
      const lines = (answer: Answer) =>
        answer.text
          .split('\n')
          .filter(line => line !== '')
          .map(line => JSON.parse(line))

      it('tell every change since a resourceVersion, and of a selection what enters and leaves it', async () => {
        const { metadata } = (await request('GET', `${widgets}?limit=1`)).body
        const name = fresh()
        await made(widgets, widget(name, { color: 'red' }))
        await request('PATCH', `${widgets}/${name}`, { spec: { color: 'blue' } }, MERGE)
        await request('DELETE', `${widgets}/${name}`)
        const since = `watch=1&timeoutSeconds=1&resourceVersion=${metadata.resourceVersion}`
        const [all, red] = await Promise.all([
          request('GET', `${widgets}?${since}&fieldSelector=metadata.name%3D${name}`),
          request('GET', `${widgets}?${since}&fieldSelector=spec.color%3Dred,metadata.name%3D${name}`),
        ])
        expect(lines(all).map(event => event.type)).toEqual(['ADDED', 'MODIFIED', 'DELETED'])
        expect(lines(red).map(event => event.type)).toEqual(['ADDED', 'DELETED'])
        expect(lines(all)[1].object).toMatchObject({ kind: 'Widget', spec: { color: 'blue' } })
      })

      it('tell what happens while they are open', async () => {
        const { metadata } = (await request('GET', `${leases}?limit=1`)).body
        const name = fresh()
        const selected = `fieldSelector=metadata.name%3D${name}&resourceVersion=${metadata.resourceVersion}`
        const watching = request('GET', `${leases}?watch=1&timeoutSeconds=1&${selected}`)
        await request('GET', '/readyz')
        await made(leases, lease(name))
        await request('DELETE', `${leases}/${name}`)
        expect(lines(await watching).map(event => event.type)).toEqual(['ADDED', 'DELETED'])
      })
    })

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
        const established = body.status.conditions.find(
          (condition: { type: string }) => condition.type === 'Established',
        )
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
  })
}

// biome-ignore lint/suspicious/noExplicitAny: a CustomResourceDefinition is looked into by the tests
const definition = (group: string): any => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `widgets.${group}` },
  spec: {
    group,
    scope: 'Namespaced',
    names: { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList', shortNames: ['wd'] },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: { status: {} },
        selectableFields: [{ jsonPath: '.spec.color' }],
        additionalPrinterColumns: [
          { name: 'Size', type: 'integer', jsonPath: '.spec.size' },
          { name: 'State', type: 'string', jsonPath: '.status.state' },
          { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
        ],
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: {
                type: 'object',
                required: ['size'],
                properties: {
                  size: { type: 'integer', minimum: 1, maximum: 10 },
                  color: { type: 'string', pattern: '^[a-z]+$' },
                  shade: { type: 'string', enum: ['plain', 'dark'], default: 'plain' },
                  code: { type: 'string', minLength: 2, maxLength: 4 },
                  note: { type: 'string', nullable: true },
                  at: { type: 'string', format: 'date-time' },
                  parts: { type: 'array', minItems: 1, maxItems: 2, items: { type: 'string' } },
                  counts: { type: 'object', additionalProperties: { type: 'integer' } },
                  port: { 'x-kubernetes-int-or-string': true },
                  open: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
                  rules: {
                    type: 'array',
                    'x-kubernetes-list-type': 'map',
                    'x-kubernetes-list-map-keys': ['key'],
                    items: { type: 'object', required: ['key'], properties: { key: { type: 'string' } } },
                  },
                },
              },
              status: { type: 'object', properties: { state: { type: 'string' } } },
            },
          },
        },
      },
    ],
  },
})
