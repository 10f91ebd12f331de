import { expect, it } from 'vitest'
import { type EventContent, toEvent } from '../../../../lib/kubernetes/resources/event.ts'

const resource = { group: 'example.test', version: 'v1', kind: 'Thing', plural: 'things', namespaced: true }
const content: EventContent = {
  regarding: { resource, namespace: 'team', name: 'a', uid: 'u', resourceVersion: '7' },
  resourceVersion: '8',
  type: 'Normal',
  reason: 'Done',
  action: 'Do',
  note: 'it is done',
  eventAtMs: Date.parse('2026-09-01T08:00:00Z'),
  reporter: 'fencepost-test',
}

it('regards the object in its namespace, with six fractional digits of time', () => {
  expect(toEvent(content)).toEqual({
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: { name: expect.stringMatching(/^a\.[0-9a-f]{16}$/), namespace: 'team' },
    eventTime: '2026-09-01T08:00:00.000000Z',
    reportingController: 'fencepost-test',
    reportingInstance: 'fencepost-test',
    type: 'Normal',
    reason: 'Done',
    action: 'Do',
    note: 'it is done',
    regarding: {
      apiVersion: 'example.test/v1',
      kind: 'Thing',
      namespace: 'team',
      name: 'a',
      uid: 'u',
      resourceVersion: '8',
    },
  })
})

it('is written to the default namespace for a cluster-scoped object', () => {
  const { namespace: _none, ...regarding } = content.regarding
  const event = toEvent({ ...content, regarding })
  expect(event.metadata.namespace).toBe('default')
  expect(event.regarding).not.toHaveProperty('namespace')
})

const nameOf = (changes: Partial<EventContent>) => toEvent({ ...content, ...changes }).metadata.name

it('has the same name for the same change and another one for any other', () => {
  expect(nameOf({ note: 'said differently' })).toBe(nameOf({}))
  expect(nameOf({ reason: 'Undone' })).not.toBe(nameOf({}))
  expect(nameOf({ regarding: { ...content.regarding, uid: 'v' } })).not.toBe(nameOf({}))
  expect(nameOf({ regarding: { ...content.regarding, resourceVersion: '9' } })).not.toBe(nameOf({}))
})

it('keeps the name a DNS subdomain for an object whose own name has 253 characters', () => {
  const name = nameOf({ regarding: { ...content.regarding, name: `${'x'.repeat(235)}-${'y'.repeat(17)}` } })
  expect(name.length).toBeLessThanOrEqual(253)
  expect(name).toMatch(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/)
})

it('cuts a note at 1024 characters', () => {
  expect(toEvent({ ...content, note: 'n'.repeat(1_025) }).note).toHaveLength(1_024)
})
