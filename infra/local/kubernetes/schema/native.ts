// Decoding of built-in kinds as Go structs do it: unknown fields are reported and dropped, nulls and zero values of optional
// fields vanish, wrong types are refused with encoding/json's words. A shape lists the fields; what is not listed is unknown.
import type { JsonObject } from '../errors.ts'
import { parseGoTime } from './times.ts'

/** A Go type. `keep` marks a pointer (a zero value stays); `always` is what is printed where the field is zero. */
export type Shape = { keep?: boolean; always?: unknown } & (
  | { go: 'string' | 'bool' | 'int32' | 'int64' | 'Time' | 'MicroTime' | '[]uint8' | 'any' | 'drop' }
  | { go: 'map' | 'list'; of: Shape }
  | { go: 'struct'; name: string; fields: Record<string, Shape> }
)

/** A body that does not fit its Go type; the message is the inner part of the server's 400. */
export class DecodeError extends Error {}

/** What a decode yields: the canonical value and the paths of fields nobody knows, in document order. */
export interface Decoded {
  object: JsonObject
  unknown: string[]
}

/**
 * Decodes a JSON object by its shape.
 * @throws DecodeError – when a value has another type than the field
 */
export function decodeNative(value: unknown, shape: Shape, goPath = '', path = ''): Decoded {
  const unknown: string[] = []
  const object = decode(value, shape, { struct: '', goPath, path, unknown }) as JsonObject | undefined
  return { object: object ?? {}, unknown }
}

interface Place {
  struct: string
  goPath: string
  path: string
  unknown: string[]
}

function decode(value: unknown, shape: Shape, place: Place): unknown {
  if (shape.go === 'drop') return undefined
  if (value === undefined || value === null) return zero(shape)
  switch (shape.go) {
    case 'struct':
      return decodeStruct(value, shape, place)
    case 'map': {
      if (!isObject(value)) throw mismatch(value, shape, place)
      const entries = Object.entries(value).map(([key, item]) => [
        key,
        decode(item, shape.of, place) ?? blank(shape.of),
      ])
      return entries.length === 0 ? shape.always : Object.fromEntries(entries)
    }
    case 'list': {
      if (!Array.isArray(value)) throw mismatch(value, shape, place)
      if (value.length === 0) return shape.always
      return value.map(
        (item, at) => decode(item, shape.of, { ...place, path: `${place.path}[${at}]` }) ?? blank(shape.of),
      )
    }
    case 'any':
      return value
    default:
      return decodeScalar(value, shape, place)
  }
}

function decodeStruct(value: unknown, shape: Shape & { go: 'struct' }, place: Place): JsonObject {
  if (!isObject(value)) throw mismatch(value, shape, place)
  const result: JsonObject = {}
  for (const [key, item] of Object.entries(value)) {
    const path = place.path === '' ? key : `${place.path}.${key}`
    const field = shape.fields[key]
    if (field === undefined) {
      place.unknown.push(path)
      continue
    }
    const goPath = place.goPath === '' ? key : `${place.goPath}.${key}`
    const decoded = decode(item, field, { struct: shape.name, goPath, path, unknown: place.unknown })
    if (decoded !== undefined) result[key] = decoded
  }
  for (const [key, field] of Object.entries(shape.fields)) {
    if (result[key] === undefined) {
      const empty = zero(field)
      if (empty !== undefined) result[key] = empty
    }
  }
  return result
}

function decodeScalar(value: unknown, shape: Shape, place: Place): unknown {
  const wanted = shape.go === 'bool' ? 'boolean' : shape.go === 'int32' || shape.go === 'int64' ? 'number' : 'string'
  if (typeof value !== wanted) throw mismatch(value, shape, place)
  if (shape.go === 'int32' || shape.go === 'int64') {
    const limit = shape.go === 'int32' ? 2 ** 31 : 2 ** 63
    const number = value as number
    if (!Number.isInteger(number) || number >= limit || number < -limit)
      throw mismatch(value, shape, place, ` ${number}`)
  }
  if (shape.go === 'Time' || shape.go === 'MicroTime') {
    try {
      return parseGoTime(value as string, shape.go === 'MicroTime')
    } catch (error) {
      throw new DecodeError((error as Error).message)
    }
  }
  if (shape.go === '[]uint8') return canonicalBase64(value as string)
  return shape.keep === true || (value !== '' && value !== 0 && value !== false) ? value : shape.always
}

function canonicalBase64(text: string): string {
  const compact = text.replace(/[\r\n]/g, '')
  const bad = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?/.exec(compact)?.[0].length ?? 0
  if (bad !== compact.length) throw new DecodeError(`illegal base64 data at input byte ${bad}`)
  return compact
}

const zero = (shape: Shape): unknown => (shape.always === undefined ? undefined : structuredClone(shape.always))
const blank = (shape: Shape): unknown =>
  shape.go === 'struct' ? {} : shape.go === 'bool' ? false : shape.go.startsWith('int') ? 0 : ''

const GO_NAMES: Partial<Record<Shape['go'], string>> = { Time: 'string', MicroTime: 'string' }

function goName(shape: Shape): string {
  if (shape.go === 'struct') return `v1.${shape.name}`
  if (shape.go === 'map') return `map[string]${goName(shape.of)}`
  if (shape.go === 'list') return `[]${goName(shape.of)}`
  return GO_NAMES[shape.go] ?? shape.go
}

function mismatch(value: unknown, shape: Shape, place: Place, literal = ''): DecodeError {
  const found = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value
  const where = place.struct === '' ? 'Go value' : `Go struct field ${place.struct}.${place.goPath}`
  return new DecodeError(`json: cannot unmarshal ${found}${literal} into ${where} of type ${goName(shape)}`)
}

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
