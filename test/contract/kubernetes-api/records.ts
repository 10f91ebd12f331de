// Events and Secrets.

import { describe, expect, it } from 'vitest'
import { causes, type Suite } from './suite.ts'

/** Tells it of the server of `suite`. */
export function describeRecords(suite: Suite): void {
  const { namespace, events, secrets, request, fresh, made } = suite

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
}
