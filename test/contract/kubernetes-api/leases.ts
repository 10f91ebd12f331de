// Leases: a compare-and-swap with exactly one winner, instants of six fractional digits.

import { describe, expect, it } from 'vitest'
import { causes, type Suite } from './suite.ts'

/** Tells it of the server of `suite`. */
export function describeLeases(suite: Suite): void {
  const { leases, request, fresh, lease, made } = suite

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
      const swap = (holder: number) => request('PUT', path, { ...object, spec: { holderIdentity: `holder-${holder}` } })
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
}
