// From a request's body to an object of its kind: media type, JSON or YAML, kind and version, decoding, unknown fields.
import { parse as parseYaml } from 'yaml'
import { ApiError, badRequest, type FieldError, invalid, type JsonObject, unsupportedMediaType } from '../errors.ts'
import { apiVersionOf, type Kind } from '../kinds/kind.ts'
import type { KubeObject } from '../kinds/metadata.ts'
import { DecodeError } from '../schema/native.ts'

/** How unknown fields are met: dropped silently, dropped with a warning, or refused. */
export type FieldValidation = 'Ignore' | 'Warn' | 'Strict'

/** A decoded body, the warnings it earned, and field errors of a kind or version that is not the path's. */
export interface Body {
  object: KubeObject
  warnings: string[]
  errors: FieldError[]
  /** The kind the body claims; errors name it. */
  claimed: string
}

const MEDIA_TYPES = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'] as const

/** The media type of a Content-Type header, JSON when there is none. */
export const mediaTypeOf = (contentType: string | undefined): string =>
  (contentType ?? '').split(';')[0]?.trim().toLowerCase() || 'application/json'

/**
 * Parses a body as JSON or YAML.
 * @throws ApiError – 415 for other media types (protobuf among them), 400 for text that does not parse
 */
export function parseBody(text: string, contentType: string | undefined, of: string): JsonObject {
  const mediaType = mediaTypeOf(contentType)
  const refused = (why: string) =>
    badRequest(`the object provided is unrecognized (must be of type ${of}): ${why} (${excerpt(text)})`)
  if (mediaType === 'application/vnd.kubernetes.protobuf') {
    throw new ApiError(415, 'UnsupportedMediaType', `${mediaType} is not implemented by the embedded API`)
  }
  if (mediaType !== 'application/json' && mediaType !== 'application/yaml') throw unsupportedMediaType(MEDIA_TYPES)
  let value: unknown
  try {
    value = mediaType === 'application/yaml' ? parseYaml(text) : JSON.parse(text)
  } catch (error) {
    throw refused(`couldn't get version/kind; json parse error: ${goJsonError(error as Error)}`)
  }
  // Go decodes null into an object without any field.
  if (value === null) return {}
  if (typeof value === 'object' && !Array.isArray(value)) return value as JsonObject
  const found = Array.isArray(value) ? 'array' : typeof value
  const into = 'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'
  throw refused(
    `couldn't get version/kind; json parse error: json: cannot unmarshal ${found} into Go value of type ${into}`,
  )
}

/** Go's words for a JSON text that does not parse. */
export function goJsonError(error: Error): string {
  const token = /^Unexpected token '?(.)'?/u.exec(error.message)?.[1]
  if (token !== undefined && !/end of JSON/.test(error.message))
    return `invalid character '${token}' looking for beginning of value`
  return 'unexpected end of JSON input'
}

const excerpt = (text: string): string => {
  if (text === '') return '<empty>'
  if (!text.trimStart().startsWith('{')) return Buffer.from(text.slice(0, 30)).toString('hex')
  return text.length > 30 ? `${text.slice(0, 30)} ...` : text
}

/**
 * Decodes a parsed body.
 * @throws ApiError – 400 when the body is of another kind or version, has a field of a wrong type, or (Strict) an unknown field
 */
export function decodeBody(kind: Kind, body: JsonObject, validation: FieldValidation, text: string): Body {
  checkIdentity(kind, body, text)
  try {
    return decodeObject(kind, body, validation)
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    throw badRequest(`${kind.kind} in version "${kind.version}" cannot be handled as a ${kind.kind}: ${error.message}`)
  }
}

/**
 * Decodes without the check of apiVersion, as after a patch.
 * @throws DecodeError – with the inner message only
 */
export function decodeObject(kind: Kind, body: JsonObject, validation: FieldValidation): Body {
  const { object, unknown } = kind.decode(structuredClone(body))
  const complaints = unknown.map(path => `unknown field "${path}"`)
  if (validation === 'Strict' && complaints.length > 0)
    throw new DecodeError(`strict decoding error: ${complaints.join(', ')}`)
  const decoded = object as KubeObject
  decoded.metadata ??= {}
  const errors: FieldError[] = []
  const claimed = String(body.kind ?? kind.kind)
  const expected = apiVersionOf(kind)
  if (claimed !== kind.kind)
    errors.push({ type: 'Invalid', field: 'kind', value: claimed, detail: `must be ${kind.kind}` })
  else if (body.apiVersion !== undefined && body.apiVersion !== expected) {
    errors.push({ type: 'Invalid', field: 'apiVersion', value: body.apiVersion, detail: `must be ${expected}` })
  }
  return { object: decoded, warnings: validation === 'Warn' ? complaints : [], errors, claimed }
}

function checkIdentity(kind: Kind, body: JsonObject, text: string): void {
  const expected = apiVersionOf(kind)
  if (kind.custom) {
    if (typeof body.kind !== 'string' || body.kind === '') {
      const why = `Object 'Kind' is missing in '${text}' (${excerpt(text)})`
      throw badRequest(`the object provided is unrecognized (must be of type ${kind.kind}): ${why}`)
    }
    if (body.apiVersion !== expected) {
      throw badRequest(
        `the API version in the data (${body.apiVersion ?? ''}) does not match the expected API version (${expected})`,
      )
    }
    return
  }
  checkRegistered(body, expected, kind.kind)
}

/** Holds a body to a kind that is built in; it may leave out what it is. @throws ApiError – 400 */
export function checkRegistered(body: JsonObject, expected: string, kind: string): void {
  const [apiVersion, claimed] = [body.apiVersion ?? expected, body.kind ?? kind]
  if (apiVersion === expected && claimed === kind) return
  const version = String(apiVersion).split('/').at(-1)
  const unregistered = `no kind "${claimed}" is registered for version "${apiVersion}" in scheme "pkg/runtime/scheme.go:110"`
  throw badRequest(`${claimed} in version "${version}" cannot be handled as a ${kind}: ${unregistered}`)
}

/** 422 for a body of another kind. */
export const wrongKind = (kind: Kind, name: string, body: Body): ApiError =>
  invalid(kind.group, body.claimed, name, body.errors)
