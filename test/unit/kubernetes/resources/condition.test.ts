import { expect, it } from 'vitest'
import { withCondition } from '../../../../lib/kubernetes/resources/condition.ts'

const NOW = Date.parse('2026-09-01T08:00:00.900Z')
const other = { type: 'Other', status: 'False', added: 'later' }
const ready = { type: 'Ready', status: 'True', reason: 'Fine', lastTransitionTime: '2026-01-01T00:00:00Z' }
const change = { type: 'Ready', status: 'True', reason: 'Checked', message: 'all is well' } as const

it('appends a condition that is not there, at second precision', () => {
  expect(withCondition([other], change, NOW)).toEqual([
    other,
    { ...change, lastTransitionTime: '2026-09-01T08:00:00Z' },
  ])
})

it('replaces a condition in its place and keeps the transition time of an equal status', () => {
  expect(withCondition([ready, other], change, NOW)).toEqual([
    { ...change, lastTransitionTime: '2026-01-01T00:00:00Z' },
    other,
  ])
})

it('sets the transition time when the status changes', () => {
  expect(withCondition([ready], { ...change, status: 'False' }, NOW)).toMatchObject([
    { status: 'False', lastTransitionTime: '2026-09-01T08:00:00Z' },
  ])
})

it('sets the transition time when there was none', () => {
  expect(withCondition([{ ...ready, lastTransitionTime: null }], change, NOW)).toMatchObject([
    { lastTransitionTime: '2026-09-01T08:00:00Z' },
  ])
})

it('leaves the given list alone', () => {
  const list = [ready]
  withCondition(list, { ...change, status: 'False' }, NOW)
  expect(list).toEqual([ready])
})
