// What the schema of a custom kind does to its objects.

import { describe, expect, it } from 'vitest'
import { causes, type Suite } from './suite.ts'

/** Tells it of the server of `suite`. */
export function describeCustomResources(suite: Suite): void {
  const { group, widgets, request, fresh, widget, made } = suite

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
}
