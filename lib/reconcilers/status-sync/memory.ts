// What one whole pass leaves for the next: which groups it found empty or gone where members are still written, so that they
// are written as empty only when the next pass finds the same; and how the providers were. Bounded: more groups at once than
// fit are not remembered and keep their members, since that many are no longer a matter of groups.

import { createHash } from 'node:crypto'
import * as z from 'zod'

/** How many groups are remembered. */
export const MOST_EMPTY = 200
/** How many providers' health is remembered. */
export const MOST_PROVIDERS = 20
const DIGEST_LENGTH = 16
const NAME_LIMIT = 253

/** As it stands in the lease record. */
export const memorySchema = z.object({
  /** Pairs of provider and group, see `keyOfPair`. */
  empty: z.array(z.string().length(DIGEST_LENGTH)).max(MOST_EMPTY),
  /** Health by the name of the provider. */
  providers: z.record(z.string().max(NAME_LIMIT), z.string()),
})

/** What one whole pass leaves for the next. */
export type Memory = z.infer<typeof memorySchema>

/** A short key for a group of a provider: 64 bits of a digest. */
export function keyOfPair(provider: string, group: string): string {
  return createHash('sha256')
    .update(JSON.stringify([provider, group]))
    .digest('hex')
    .slice(0, DIGEST_LENGTH)
}

/** What a pass leaves; `empty` beyond `MOST_EMPTY` is left out whole. */
export function memoryOf(empty: ReadonlySet<string>, health: Readonly<Record<string, string>>): Memory {
  return {
    empty: empty.size > MOST_EMPTY ? [] : [...empty],
    providers: Object.fromEntries(Object.entries(health).slice(0, MOST_PROVIDERS)),
  }
}
