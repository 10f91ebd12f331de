import { expect, it } from 'vitest'
import { createCleanup } from '../../../../lib/reconcilers/cleanup/index.ts'
import { formatCheckpoint, parseCheckpoint } from '../../../../lib/tick/checkpoint.ts'
import { createMemoryApi } from './memory-api.ts'

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
const uncounted = { count: () => {}, duration: () => {}, flush: () => {} }
const cleanup = createCleanup({ api: createMemoryApi([]), log: silent, metrics: uncounted })

it.each([{ phase: 'activate' as const }, { phase: 'retention' as const, after: 'team/a' }])(
  'finds the place %j again in a lease record',
  cursor => {
    expect(parseCheckpoint(cleanup.checkpoint, formatCheckpoint(cleanup.checkpoint, cursor))).toEqual({ cursor })
  },
)

it('begins at the beginning when the lease record names an unknown phase', () => {
  const text = JSON.stringify({ v: 1, cursor: { phase: 'prune' } })
  expect(parseCheckpoint(cleanup.checkpoint, text)).toMatchObject({ cursor: undefined, unusable: expect.any(String) })
})
