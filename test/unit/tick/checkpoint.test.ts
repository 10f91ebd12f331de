import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import {
  CHECKPOINT_LIMIT,
  type CheckpointCodec,
  formatCheckpoint,
  parseCheckpoint,
} from '../../../lib/tick/checkpoint.ts'

/** Version 3 of a cursor; version 2 was a bare key. */
const codec: CheckpointCodec<{ after: string }, readonly string[]> = {
  version: 3,
  schema: z.object({ after: z.string() }),
  memory: z.array(z.string()),
  upgrade: previous => ({ after: z.string().parse(previous) }),
}

describe('a checkpoint', () => {
  it.each([{ cursor: { after: 'a/b' } }, { memory: ['x', 'y'] }, { cursor: { after: 'a/b' }, memory: [] }])(
    'reads back what was written: %j',
    written => {
      expect(parseCheckpoint(codec, formatCheckpoint(codec, written) ?? '')).toEqual(written)
    },
  )

  it('without anything in it is not written', () => {
    expect(formatCheckpoint(codec, {})).toBeNull()
  })

  it('has no memory for a loop that keeps none', () => {
    const { memory: _, ...forgetful } = codec
    expect(parseCheckpoint(forgetful, '{"v":3,"memory":["x"]}')).toEqual({})
  })

  it('of the version before is upgraded', () => {
    expect(parseCheckpoint(codec, '{"v":2,"cursor":"a/b"}')).toEqual({ cursor: { after: 'a/b' } })
  })

  it('is nothing when there is none', () => {
    expect(parseCheckpoint(codec, undefined)).toEqual({})
  })

  it.each([
    ['a newer version, as after a roll-back', '{"v":4,"cursor":{"after":"a"}}', /schema version 4 is not 3/],
    ['two versions back', '{"v":1,"cursor":"a"}', /schema version 1 is not 3/],
    ['no JSON', 'after=a', /not a checkpoint/],
    ['JSON null', 'null', /schema version undefined/],
    ['the right version with a wrong cursor', '{"v":3,"cursor":{"after":5}}', /not a checkpoint/],
    ['the right version with a wrong memory', '{"v":3,"cursor":{"after":"a"},"memory":"x"}', /not a checkpoint/],
    ['the version before with a wrong cursor', '{"v":2,"cursor":5}', /not a checkpoint/],
  ])('is not used when it is %s', (_title, text, reason) => {
    const { cursor, unusable } = parseCheckpoint(codec, text)
    expect(cursor).toBeUndefined()
    expect(unusable).toMatch(reason)
  })

  it('longer than 16 384 characters is refused', () => {
    expect(() => formatCheckpoint(codec, { cursor: { after: 'x'.repeat(CHECKPOINT_LIMIT) } })).toThrow(
      /more than the 16384/,
    )
  })
})
