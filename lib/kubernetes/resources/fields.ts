// How fields of foreign objects are read: the zod pieces that the kinds of this folder share, and the failure that names
// what can't be read. Reading translates units (text instants and durations become ms) and gives a view of the fields
// that are relied on. A view is never written back, so fields it leaves out keep their value on the server; texts that
// people wrote are left out on purpose, since what was never read can't end up in a log.

import * as z from 'zod'
import { errorCode, errorMessage, PermanentError } from '../../errors.ts'
import { parseDuration, parseInstant } from '../../time.ts'
import { keyOf, type RawObject } from '../api.ts'

/** The metadata that every kind of this folder is read with. */
export interface Metadata {
  readonly name: string
  readonly namespace?: string
  readonly uid: string
  readonly resourceVersion: string
  readonly generation?: number
  /** Epoch ms. */
  readonly createdAtMs: number | undefined
  /** Epoch ms; set once a deletion was asked for. */
  readonly deletedAtMs: number | undefined
  readonly hasOwner: boolean
}

const GO_ZERO_TIME = '0001-01-01T00:00:00Z'
/** The longest duration Go can hold, 2^63 - 1 ns, in ms: about 292 years. A longer text can't be parsed there. */
const LONGEST_MS = 9_223_372_036_854

/** A text; null and missing are unset. */
export const optionalText = z
  .string()
  .nullish()
  .transform(text => text ?? undefined)

/** An RFC 3339 instant as epoch ms; null, missing, empty and Go's zero time are unset, any other text is refused. */
export const optionalInstant = z
  .string()
  .nullish()
  .refine(text => isUnsetInstant(text) || parseInstant(text) !== undefined, 'is not an RFC 3339 instant')
  .transform(text => (isUnsetInstant(text) ? undefined : parseInstant(text)))

/** A duration as ms, above zero; unset when missing, null, empty, unparsable, zero or longer than Go can hold. */
export const optionalDuration = z
  .string()
  .nullish()
  .transform(text => {
    const ms = parseDuration(text ?? '')
    return ms !== undefined && ms > 0 && ms <= LONGEST_MS ? ms : undefined
  })

/** Reads `metadata` into `Metadata`. */
export const metadataField = z
  .object({
    name: z.string().min(1),
    namespace: optionalText,
    uid: z.string().min(1),
    resourceVersion: z.string().min(1),
    generation: z.number().nullish(),
    creationTimestamp: optionalInstant,
    deletionTimestamp: optionalInstant,
    ownerReferences: z.array(z.unknown()).nullish(),
  })
  .transform(
    (read): Metadata => ({
      name: read.name,
      ...(read.namespace !== undefined && { namespace: read.namespace }),
      uid: read.uid,
      resourceVersion: read.resourceVersion,
      ...(typeof read.generation === 'number' && { generation: read.generation }),
      createdAtMs: read.creationTimestamp,
      deletedAtMs: read.deletionTimestamp,
      hasOwner: (read.ownerReferences ?? []).length > 0,
    }),
  )

/**
 * Reads an object with its kind's schema.
 *
 * @throws PermanentError – InvalidResource, naming kind, object and the first field that can't be read, never its content.
 */
export function readWith<View>(schema: z.ZodType<View>, kind: string, raw: RawObject): View {
  const result = schema.safeParse(raw)
  if (result.success) return result.data
  const issue = result.error.issues[0]
  throw new PermanentError('InvalidResource', `${kind} ${keyOf(raw)}: ${issue?.path.join('.')}: ${issue?.message}`)
}

/** What reading a batch of objects gave: views, and who can't be understood and why; messages are safe to log. */
export interface Reading<View> {
  readonly views: View[]
  readonly broken: { readonly object: string; readonly code: string; readonly message: string }[]
}

/**
 * Reads a batch of objects with their kind's parser, e.g. `parseBreakglassSession`.
 * @throws whatever `parse` throws, except PermanentError.
 */
export function readAll<View>(raws: readonly RawObject[], parse: (raw: RawObject) => View): Reading<View> {
  const reading: Reading<View> = { views: [], broken: [] }
  for (const raw of raws) {
    try {
      reading.views.push(parse(raw))
    } catch (error) {
      if (!(error instanceof PermanentError)) throw error
      reading.broken.push({ object: keyOf(raw), code: errorCode(error), message: errorMessage(error) })
    }
  }
  return reading
}

/** Takes a key apart. */
export function placeOfKey(key: string): { namespace?: string; name: string } {
  const [first, second] = key.split('/') as [string, string?]
  return second === undefined ? { name: first } : { namespace: first, name: second }
}

function isUnsetInstant(text: string | null | undefined): boolean {
  return text === undefined || text === null || text === '' || text === GO_ZERO_TIME
}
