// The `Status` objects of a kube-apiserver: every refusal of the embedded API is one of these, with the message, reason and
// details the real one sends. Nothing here decides anything. Not reproduced: Go's own wording inside a few decode errors.

/** Any parsed JSON object. */
export type JsonObject = Record<string, unknown>

/** One offending field, as the API server reports it; `field` is a dotted path with `[n]` for list items. */
export interface FieldError {
  type: 'Required' | 'Invalid' | 'TypeInvalid' | 'NotSupported' | 'Duplicate' | 'TooLong' | 'TooMany' | 'Forbidden'
  field: string
  value?: unknown
  detail?: string
}

/** A refusal: thrown by the verbs, answered as its `status` object with that HTTP code. */
export class ApiError extends Error {
  readonly status: JsonObject & { code: number }
  constructor(
    code: number,
    reason: string | undefined,
    message: string,
    details?: JsonObject,
    metadata: JsonObject = {},
  ) {
    super(message)
    this.status = {
      kind: 'Status',
      apiVersion: 'v1',
      metadata,
      status: 'Failure',
      message,
      ...(reason === undefined ? {} : { reason }),
      ...(details === undefined ? {} : { details }),
      code,
    }
  }
}

/** What an error names: the group and the plural (or, for Invalid and deletes, the kind). */
export interface Named {
  group: string
  plural: string
  kind: string
}

const dotted = (name: string, group: string) => (group === '' ? name : `${name}.${group}`)
const details = (name: string, group: string, kind: string): JsonObject => ({
  ...(name === '' ? {} : { name }),
  ...(group === '' ? {} : { group }),
  ...(kind === '' ? {} : { kind }),
})

/** 400. */
export const badRequest = (message: string) => new ApiError(400, 'BadRequest', message)

/** 404 of one object. */
export const notFound = (of: Named, name: string) =>
  new ApiError(
    404,
    'NotFound',
    `${dotted(of.plural, of.group)} "${name}" not found`,
    details(name, of.group, of.plural),
  )

/** 404 of a path that no resource answers. */
export const unknownResource = () =>
  new ApiError(404, 'NotFound', 'the server could not find the requested resource', {})

/** 405. */
export const methodNotAllowed = () =>
  new ApiError(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {})

/** 409 of a create over an existing name. */
export const alreadyExists = (of: Named, name: string) =>
  new ApiError(
    409,
    'AlreadyExists',
    `${dotted(of.plural, of.group)} "${name}" already exists`,
    details(name, of.group, of.plural),
  )

/** 409 of a failed precondition; `as` is what the real server calls the resource there (plural, or kind on deletes). */
export const conflict = (group: string, as: string, name: string, why: string) =>
  new ApiError(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${dotted(as, group)} "${name}": ${why}`,
    details(name, group, as),
  )

/** Why a stale resourceVersion is refused. */
export const OBJECT_MODIFIED =
  'the object has been modified; please apply your changes to the latest version and try again'

/** 403. */
export const forbidden = (of: Named, name: string, why: string, causes?: JsonObject[]) =>
  new ApiError(403, 'Forbidden', `${dotted(of.plural, of.group)} "${name}" is forbidden: ${why}`, {
    ...details(name, of.group, of.plural),
    ...(causes === undefined ? {} : { causes }),
  })

/** 415 that lists what would have been accepted. */
export const unsupportedMediaType = (accepted: readonly string[]) =>
  new ApiError(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
  )

/** 410 of a continue token or resourceVersion that history no longer reaches. */
export const expired = (message: string, continueToken?: string) =>
  new ApiError(410, 'Expired', message, undefined, continueToken === undefined ? {} : { continue: continueToken })

/** 422 with one cause per offending field; equal messages are said once, as the real server does. */
export function invalid(group: string, kind: string, name: string, errors: readonly FieldError[]): ApiError {
  const said = [...new Set(errors.map(error => `${error.field}: ${bodyOf(error)}`))]
  const message = `${dotted(kind, group)} "${name}" is invalid: ${said.length === 1 ? said[0] : `[${said.join(', ')}]`}`
  return new ApiError(422, 'Invalid', message, {
    ...details(name, group, kind),
    causes: errors.map(error => ({ reason: `FieldValue${error.type}`, message: bodyOf(error), field: error.field })),
  })
}

const TITLE: Record<FieldError['type'], string> = {
  Required: 'Required value',
  Invalid: 'Invalid value',
  TypeInvalid: 'Invalid value',
  NotSupported: 'Unsupported value',
  Duplicate: 'Duplicate value',
  TooLong: 'Too long',
  TooMany: 'Too many',
  Forbidden: 'Forbidden',
}

function bodyOf({ type, value, detail }: FieldError): string {
  const withValue = type !== 'Required' && type !== 'Forbidden' && type !== 'TooLong'
  return [TITLE[type], ...(withValue ? [JSON.stringify(value ?? null)] : []), ...(detail ? [detail] : [])].join(': ')
}
