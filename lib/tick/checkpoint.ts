// What one tick leaves for the next in the lease record: `{"v": <schema version>, "cursor": …, "memory": …}`. The cursor is
// where an unfinished pass left off; the memory is what the last whole pass saw and the next is to compare with.
// A checkpoint is only a short cut: loops are level-triggered, so one that cannot be used is dropped with a warning and
// the next tick begins at the beginning, remembering nothing. The version before the current one stays readable, so that a
// deployment does not lose its place; any other version, a newer one after a roll-back among them, is not used.

import type * as z from 'zod'
import { PermanentError } from '../errors.ts'

/** The most a checkpoint may take in the lease record, in UTF-16 code units; annotations of one object share 256 KiB. */
export const CHECKPOINT_LIMIT = 16_384

/** How a loop's checkpoint is written and read. */
export interface CheckpointCodec<Cursor, Memory = unknown> {
  /** Schema version that is written, from 1. */
  readonly version: number
  readonly schema: z.ZodType<Cursor>
  /** Absent in a loop that compares nothing with the pass before. */
  readonly memory?: z.ZodType<Memory>
  /** Reads a cursor of `version - 1`, whose memory is not used; absent as long as there is no earlier version. Throws when it is not one. */
  readonly upgrade?: (previous: unknown) => Cursor
}

/** What one tick leaves for the next; each part may be absent. */
export interface Checkpoint<Cursor, Memory> {
  readonly cursor?: Cursor | undefined
  readonly memory?: Memory | undefined
}

/** What reading a checkpoint gave; `unusable` says why what stands there can't be used. */
export interface CheckpointReading<Cursor, Memory> extends Checkpoint<Cursor, Memory> {
  readonly unusable?: string
}

/**
 * Writes a checkpoint.
 * @returns null when there is nothing to write.
 * @throws PermanentError – InvalidResource, when the text is longer than `CHECKPOINT_LIMIT`.
 */
export function formatCheckpoint<Cursor, Memory>(
  codec: CheckpointCodec<Cursor, Memory>,
  { cursor, memory }: Checkpoint<Cursor, Memory>,
): string | null {
  if (cursor === undefined && memory === undefined) return null
  const text = JSON.stringify({ v: codec.version, cursor, memory })
  if (text.length > CHECKPOINT_LIMIT)
    throw new PermanentError(
      'InvalidResource',
      `the checkpoint has ${text.length} characters, more than the ${CHECKPOINT_LIMIT} a lease record may carry; make the cursor or the memory smaller`,
    )
  return text
}

/** Reads a checkpoint; never throws. */
export function parseCheckpoint<Cursor, Memory>(
  codec: CheckpointCodec<Cursor, Memory>,
  text: string | undefined,
): CheckpointReading<Cursor, Memory> {
  if (text === undefined) return {}
  try {
    const stored = JSON.parse(text) as { v?: unknown; cursor?: unknown; memory?: unknown } | null
    if (stored?.v === codec.version)
      return {
        cursor: codec.schema.optional().parse(stored.cursor),
        memory: codec.memory?.optional().parse(stored.memory),
      }
    if (stored?.v === codec.version - 1 && codec.upgrade) return { cursor: codec.upgrade(stored.cursor) }
    return { unusable: `schema version ${JSON.stringify(stored?.v)} is not ${codec.version}` }
  } catch {
    return { unusable: `it is not a checkpoint of schema version ${codec.version}` }
  }
}
