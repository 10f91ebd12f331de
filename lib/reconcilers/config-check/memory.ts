// What one pass leaves for the next, and where an unfinished one goes on. It is small whatever happens: clusters are remembered by short
// digests, and only so many of them. A cursor carries what its pass has noted so far, so that a pass over several ticks is one.

import { createHash } from 'node:crypto'
import * as z from 'zod'
import type { ClusterConfig } from '../../kubernetes/resources/cluster-config.ts'
import type { Look } from './rules/look.ts'
import { isDoubtful } from './rules/ready.ts'

/** How many clusters are remembered in each list. More that fail at once are a fault of our own network: those beyond stay as they are. */
export const MOST_REMEMBERED = 200
/** 48 bits of a digest, as text. */
const MARK_LENGTH = 8

const marks = z.array(z.string().max(MARK_LENGTH)).max(MOST_REMEMBERED)

/** Schema of `Memory`. */
export const memorySchema = z.object({ failing: marks, told: marks })

/** Ready clusters whose look failed by network, and what was told of those that can't be tried; marks of both. */
export type Memory = z.infer<typeof memorySchema>

/** Schema of `Cursor`. */
export const cursorSchema = z.object({ after: z.string().optional(), noted: memorySchema.optional() })

/** The last key of what was looked at before, and what was noted of that. */
export type Cursor = z.infer<typeof cursorSchema>

/** What a pass knows from the one before, and notes for the next. */
export interface Notes {
  /** What the pass before knows of a look at a cluster; to be asked before the same look is noted. */
  recall(config: ClusterConfig, look: Look): { readonly failedBefore: boolean; readonly isTold: boolean }
  note(config: ClusterConfig, look: Look): void
  /** What was noted so far. */
  soFar(): Memory
  /** How many ready clusters failed by network and were not noted for want of room. */
  forgotten(): number
}

/**
 * Opens the notes of a pass.
 *
 * @param before what the pass before left.
 * @param noted what this pass noted in earlier ticks.
 */
export function openNotes(before: Memory = NOTHING, noted: Memory = NOTHING): Notes {
  const failing = [...noted.failing]
  const told = [...noted.told]
  let forgotten = 0
  return {
    recall(config, look) {
      const mark = markOf(config, look)
      // Where there is no room to remember that it was told, it is not told: it would be, again and again.
      const isTold = before.told.includes(mark) || told.length >= MOST_REMEMBERED
      return { failedBefore: before.failing.includes(mark), isTold }
    },
    note(config, look) {
      const list = look.kind === 'untried' ? told : isDoubtful(config, look) ? failing : undefined
      if (list && list.length < MOST_REMEMBERED) list.push(markOf(config, look))
      else if (list === failing) forgotten++
    },
    soFar: () => ({ failing: [...failing], told: [...told] }),
    forgotten: () => forgotten,
  }
}

const NOTHING: Memory = { failing: [], told: [] }

/** A short name of a cluster; of one that can't be tried, together with why. */
function markOf({ metadata }: ClusterConfig, look: Look): string {
  const about = look.kind === 'untried' ? `${metadata.uid} ${look.why}` : metadata.uid
  return createHash('sha256').update(about).digest('base64url').slice(0, MARK_LENGTH)
}
