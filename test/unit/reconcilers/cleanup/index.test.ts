import { expect, it } from 'vitest'
import type { Cursor } from '../../../../lib/reconcilers/cleanup/cursor.ts'
import { createCleanup } from '../../../../lib/reconcilers/cleanup/index.ts'
import { formatCheckpoint, parseCheckpoint } from '../../../../lib/tick/checkpoint.ts'

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
const uncounted = { count: () => {}, duration: () => {}, flush: () => {} }
const unused = { request: () => Promise.reject(new Error('unused')), clockSkewMs: () => undefined, close: () => {} }
const cleanup = createCleanup({ api: unused, log: silent, metrics: uncounted })

it.each<Cursor>([
  { phase: 'activate' },
  { phase: 'retention', after: 'team/a' },
  { phase: 'timeout', after: 'team/a', later: { phase: 'debug', after: 'team/b' } },
])('finds the place %j again in a lease record', cursor => {
  expect(parseCheckpoint(cleanup.checkpoint, formatCheckpoint(cleanup.checkpoint, { cursor }) ?? '')).toEqual({
    cursor,
  })
})

it('begins at the beginning when the lease record names an unknown phase', () => {
  const text = JSON.stringify({ v: 1, cursor: { phase: 'prune' } })
  expect(parseCheckpoint(cleanup.checkpoint, text)).toEqual({ unusable: expect.any(String) })
})
