// Where an unfinished tick left off, as it stands in the lease record: `{"v": <schema version>, "cursor": …}`.
// A checkpoint is only a short cut: loops are level-triggered, so one that cannot be used is dropped with a warning and
// the next tick begins at the beginning. The version before the current one stays readable, so that a deployment does
// not lose its place; any other version, a newer one after a roll-back among them, is not used.

import type * as z from 'zod'
import { PermanentError } from '../errors.ts'

/** The most a checkpoint may take in the lease record, in UTF-16 code units; annotations of one object share 256 KiB. */
export const CHECKPOINT_LIMIT = 16_384

/** How a loop's cursor is written and read. */
export interface CheckpointCodec<Cursor> {
  /** Schema version that is written, from 1. */
  readonly version: number
  readonly schema: z.ZodType<Cursor>
  /** Reads a cursor of `version - 1`; absent as long as there is no earlier version. Throws when it is not one. */
  readonly upgrade?: (previous: unknown) => Cursor
}

/** What reading a checkpoint gave: a cursor, nothing, or a reason why what stands there can't be used. */
export type CheckpointReading<Cursor> = { cursor: Cursor | undefined; unusable?: string }

/**
 * Writes a cursor.
 * @throws PermanentError – InvalidResource, when the text is longer than `CHECKPOINT_LIMIT`.
 */
export function formatCheckpoint<Cursor>(codec: CheckpointCodec<Cursor>, cursor: Cursor): string {
  const text = JSON.stringify({ v: codec.version, cursor })
  if (text.length > CHECKPOINT_LIMIT)
    throw new PermanentError(
      'InvalidResource',
      `the checkpoint has ${text.length} characters, more than the ${CHECKPOINT_LIMIT} a lease record may carry; make the cursor smaller`,
    )
  return text
}

/** Reads a checkpoint; never throws. */
export function parseCheckpoint<Cursor>(
  codec: CheckpointCodec<Cursor>,
  text: string | undefined,
): CheckpointReading<Cursor> {
  if (text === undefined) return { cursor: undefined }
  try {
    const stored = JSON.parse(text) as { v?: unknown; cursor?: unknown } | null
    if (stored?.v === codec.version) return { cursor: codec.schema.parse(stored.cursor) }
    if (stored?.v === codec.version - 1 && codec.upgrade) return { cursor: codec.upgrade(stored.cursor) }
    return { cursor: undefined, unusable: `schema version ${JSON.stringify(stored?.v)} is not ${codec.version}` }
  } catch {
    return { cursor: undefined, unusable: `it is not a checkpoint of schema version ${codec.version}` }
  }
}
