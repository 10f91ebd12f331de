import { describe, expect, it } from 'vitest'
import type { RawObject } from '../../../../lib/kubernetes/api.ts'
import { parseClusterConfig } from '../../../../lib/kubernetes/resources/cluster-config.ts'
import {
  cursorSchema,
  MOST_REMEMBERED,
  memorySchema,
  openNotes,
} from '../../../../lib/reconcilers/config-check/memory.ts'
import { failed, ready, untried } from '../../../../lib/reconcilers/config-check/rules/look.ts'
import { CHECKPOINT_LIMIT, formatCheckpoint, parseCheckpoint } from '../../../../lib/tick/checkpoint.ts'

const SILENT = failed('ClusterUnreachable', '')
const HELD = untried('command')

function config(uid: string | number, status: 'True' | 'False' = 'True') {
  const conditions = [{ type: 'Ready', status }]
  const metadata = { namespace: 'team', name: 'a', uid: `uid-${uid}`, resourceVersion: '7' }
  return parseClusterConfig({ metadata, spec: {}, status: { conditions } } as unknown as RawObject)
}

describe('the notes of a pass', () => {
  it('tell the next one which ready clusters were silent, and what was told', () => {
    const notes = openNotes()
    expect(notes.recall(config(1), SILENT)).toEqual({ failedBefore: false, isTold: false })
    notes.note(config(1), SILENT)
    notes.note(config(2), HELD)
    const next = openNotes(notes.soFar())
    expect(next.recall(config(1), SILENT).failedBefore).toBe(true)
    expect(next.recall(config(2), SILENT).failedBefore).toBe(false)
    expect(next.recall(config(2), HELD).isTold).toBe(true)
    expect(next.recall(config(2), untried('file')).isTold).toBe(false)
    expect(next.recall(config(1), HELD).isTold).toBe(false)
  })

  it('hold nobody who is well, who is down already, or whose fault is certain', () => {
    const notes = openNotes()
    notes.note(config(1), ready('KubeconfigValidated', ''))
    notes.note(config(2, 'False'), SILENT)
    notes.note(config(3), failed('SecretMissing', ''))
    expect(notes.soFar()).toEqual({ failing: [], told: [] })
  })

  it('go on with what the pass noted in an earlier tick', () => {
    const first = openNotes()
    first.note(config(1), SILENT)
    const second = openNotes(undefined, first.soFar())
    second.note(config(2), SILENT)
    expect(second.soFar().failing).toHaveLength(2)
    // The same pass never recalls what it noted itself.
    expect(second.recall(config(1), SILENT).failedBefore).toBe(false)
  })

  it(`hold ${MOST_REMEMBERED} of each, and say how many silent ones they don't; those that can't be told once are not told`, () => {
    const notes = openNotes()
    for (let uid = 0; uid < MOST_REMEMBERED; uid++) {
      expect(notes.recall(config(uid), HELD).isTold).toBe(false)
      notes.note(config(uid), HELD)
      notes.note(config(uid), SILENT)
    }
    for (const uid of ['x', 'y', 'z']) notes.note(config(uid), SILENT)
    expect(notes.recall(config('x'), HELD).isTold).toBe(true)
    notes.note(config('x'), HELD)
    expect([notes.soFar().failing.length, notes.soFar().told.length, notes.forgotten()]).toEqual([200, 200, 3])
    expect(openNotes(notes.soFar()).recall(config('x'), SILENT).failedBefore).toBe(false)
    expect(new Set(notes.soFar().failing).size).toBe(200)
  })

  it('fit into a lease record when they are full, together with a cursor that is', () => {
    const full = { failing: Array(MOST_REMEMBERED).fill('12345678'), told: Array(MOST_REMEMBERED).fill('12345678') }
    const codec = { version: 1, schema: cursorSchema, memory: memorySchema }
    const after = `${'n'.repeat(63)}/${'c'.repeat(253)}`
    const text = formatCheckpoint(codec, { cursor: { after, noted: full }, memory: full }) as string
    expect(text.length).toBeLessThan(CHECKPOINT_LIMIT)
    expect(parseCheckpoint(codec, text)).toEqual({ cursor: { after, noted: full }, memory: full })
  })

  it('are not taken from a record where they are longer, or something else', () => {
    const long = Array(MOST_REMEMBERED + 1).fill('12345678')
    for (const failing of [long, ['a-mark-that-is-long'], 'a text'])
      expect(memorySchema.safeParse({ failing, told: [] }).success).toBe(false)
  })
})
