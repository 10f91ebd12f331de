// How a Fence may be raised: one merge patch that the definition's own rules judge.

import { describe, expect, it } from 'vitest'
import { type FenceSuite, HOLDER, OTHER } from './fence.ts'
import { MERGE } from './suite.ts'

/** Tells it of the server of `suite`. */
export function describeRaises(suite: FenceSuite): void {
  const { request, fresh, fenceGroup, fences: objects, unraised, raise } = suite

  describe('raising a Fence', () => {
    const first = { token: 41, holder: HOLDER, lease: 'one' }
    const second = { token: 50, holder: OTHER, lease: 'two', after: 'one' }
    const SAME_LEASE = 'fencepost fence: under the same lease the token must rise, or token and holder must stay'
    const OTHER_LEASE = 'fencepost fence: another lease needs a higher token, and after must be the lease before it'

    it.each([
      ['the same again', first],
      ['a higher token', { ...first, token: 42 }],
      ['a higher token of another holder', { ...first, token: 42, holder: OTHER }],
      ['the highest token there is', { ...first, token: 2_147_483_647 }],
      [
        'a higher token of another lease that names the one before',
        { token: 42, holder: OTHER, lease: 'two', after: 'one' },
      ],
    ])('takes %s', async (_what, spec) => {
      const fence = fresh()
      await unraised(fence)
      expect(await raise(first, fence)).toMatchObject({ status: 200, body: { spec: first } })
      expect(await raise(spec, fence)).toMatchObject({ status: 200, body: { spec } })
      expect(await raise(spec, fence)).toMatchObject({ status: 200, body: { spec } })
    })

    it.each([
      ['the same token of another holder', [first], { ...first, holder: OTHER }, SAME_LEASE],
      ['a lower token', [first], { ...first, token: 40 }, SAME_LEASE],
      ['another lease that names none before', [first], { ...first, token: 42, lease: 'two' }, OTHER_LEASE],
      ['another lease that names a wrong one', [first], { ...first, token: 42, lease: 'two', after: 'x' }, OTHER_LEASE],
      ['another lease with a lower token', [first], { ...first, token: 40, lease: 'two', after: 'one' }, OTHER_LEASE],
      ['another lease with the same token', [first], { ...first, lease: 'two', after: 'one' }, OTHER_LEASE],
      ['the old lease’s process with a higher token', [first, second], { ...first, token: 99 }, OTHER_LEASE],
      ['and with the lease before it', [first, second], { ...first, token: 99, after: 'one' }, OTHER_LEASE],
    ])('refuses %s', async (_what, before, spec, message) => {
      const fence = fresh()
      await unraised(fence)
      for (const one of before) expect(await raise(one, fence)).toMatchObject({ status: 200 })
      const { body: kept } = await request('GET', `${objects}/${fence}`)
      const answer = await raise(spec, fence)
      expect(answer).toMatchObject({ status: 422, body: { reason: 'Invalid', details: { kind: 'Fence' } } })
      expect(answer.body.message).toBe(
        `Fence.${fenceGroup} "${fence}" is invalid: spec: Invalid value: "object": ${message}`,
      )
      expect(answer.body.details.causes).toEqual([
        { reason: 'FieldValueInvalid', message: `Invalid value: "object": ${message}`, field: 'spec' },
      ])
      expect((await request('GET', `${objects}/${fence}`)).body).toEqual(kept)
    })

    it('can’t be undone, and applying the manifest leaves it', async () => {
      const fence = fresh()
      await unraised(fence)
      await raise(first, fence)
      const answer = await raise(null, fence)
      expect(answer).toMatchObject({ status: 422 })
      expect(answer.body.details.causes).toEqual([
        {
          reason: 'FieldValueInvalid',
          message: 'Invalid value: "object": fencepost fence: a spec once set stays',
          field: '<nil>',
        },
      ])
      const manifest = { metadata: { labels: { 'app.kubernetes.io/name': 'fencepost' } } }
      const applied = await request('PATCH', `${objects}/${fence}`, manifest, MERGE)
      expect(applied).toMatchObject({ status: 200, body: { spec: first } })
    })

    it.each([
      ['a negative token', { ...first, token: -1 }, 'spec.token FieldValueInvalid'],
      ['a token above int32', { ...first, token: 2_147_483_648 }, 'spec.token FieldValueInvalid'],
      ['a token that is a text', { ...first, token: '41' }, 'spec.token FieldValueTypeInvalid'],
      ['no holder', { token: 41, lease: 'one' }, 'spec.holder FieldValueRequired'],
      ['an empty holder', { ...first, holder: '' }, 'spec.holder FieldValueInvalid'],
      ['a holder of 254 characters', { ...first, holder: 'x'.repeat(254) }, 'spec.holder FieldValueTooLong'],
      ['a lease of 65 characters', { ...first, lease: 'x'.repeat(65) }, 'spec.lease FieldValueTooLong'],
    ])('refuses %s', async (_what, spec, cause) => {
      const fence = fresh()
      await unraised(fence)
      const answer = await raise(spec, fence)
      expect(answer).toMatchObject({ status: 422, body: { reason: 'Invalid' } })
      const [{ field, reason }] = answer.body.details.causes
      expect(`${field} ${reason}`).toBe(cause)
    })
  })
}
