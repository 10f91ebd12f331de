// The query parameters of reads and writes, judged as the server judges them.
import { badRequest, type FieldError, invalid, type JsonObject } from '../errors.ts'
import type { FieldValidation } from './decode.ts'

/** Options of create, update and patch. */
export interface WriteOptions {
  dryRun: boolean
  fieldValidation: FieldValidation
}

/**
 * @param of the options type that errors name: CreateOptions, UpdateOptions or PatchOptions
 * @throws ApiError – 422 for values the server does not know
 */
export function readWriteOptions(query: URLSearchParams, of: string): WriteOptions {
  const errors: FieldError[] = []
  const dryRun = readDryRun(query.getAll('dryRun'), errors)
  const fieldValidation = query.get('fieldValidation') ?? ''
  if (!['', 'Ignore', 'Strict', 'Warn'].includes(fieldValidation)) {
    const detail = 'supported values: "", "Ignore", "Strict", "Warn"'
    errors.push({ type: 'NotSupported', field: 'fieldValidation', value: fieldValidation, detail })
  }
  checkFieldManager(query.get('fieldManager') ?? '', errors)
  if (errors.length > 0) throw invalid('meta.k8s.io', of, '', errors)
  return { dryRun, fieldValidation: (fieldValidation || 'Warn') as FieldValidation }
}

const FIELD_MANAGER_MOST = 128

function checkFieldManager(name: string, errors: FieldError[]): void {
  if (Buffer.byteLength(name) > FIELD_MANAGER_MOST) {
    const detail = `may not be more than ${FIELD_MANAGER_MOST} bytes`
    errors.push({ type: 'TooLong', field: 'fieldManager', detail })
  }
  let at = 0
  for (const letter of name) {
    if (/[\p{C}\p{Z}]/u.test(letter) && letter !== ' ') {
      const code = (letter.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')
      const detail = `invalid character U+${code} (at position ${at})`
      errors.push({ type: 'Invalid', field: 'fieldManager', value: name, detail })
    }
    at += Buffer.byteLength(letter)
  }
}

function readDryRun(given: string[], errors: FieldError[]): boolean {
  const values = given.filter(value => value !== '')
  if (values.some(value => value !== 'All')) {
    errors.push({ type: 'NotSupported', field: 'dryRun', value: values, detail: 'supported values: "All"' })
  }
  return values.length > 0
}

/** Options of a delete, from its body and its query. */
export interface DeleteOptions {
  dryRun: boolean
  policy: 'Foreground' | 'Background' | 'Orphan' | undefined
  uid: string | undefined
  resourceVersion: string | undefined
  /** As sent, for admission. */
  raw: JsonObject
}

const POLICIES = ['Foreground', 'Background', 'Orphan']

/**
 * Reads them from the body, or from the query where there is no body: beside a body the query counts for nothing, `dryRun` included.
 * @throws ApiError – 422 for values the server does not know
 */
export function readDeleteOptions(sent: JsonObject | undefined, query: URLSearchParams): DeleteOptions {
  const body = sent ?? fromQuery(query)
  const errors: FieldError[] = []
  const dryRun = readDryRun((body.dryRun as string[] | undefined) ?? [], errors)
  const policy = (body.propagationPolicy ?? undefined) as string | undefined
  const orphan = (body.orphanDependents ?? undefined) as boolean | string | undefined
  if (policy !== undefined && orphan !== undefined) {
    const detail = 'orphanDependents and deletionPropagation cannot be both set'
    errors.push({ type: 'Invalid', field: 'propagationPolicy', value: policy, detail })
  } else if (policy !== undefined && !POLICIES.includes(policy)) {
    const detail = `supported values: ${[...POLICIES, 'nil'].map(one => JSON.stringify(one)).join(', ')}`
    errors.push({ type: 'NotSupported', field: 'propagationPolicy', value: policy, detail })
  }
  if (errors.length > 0) throw invalid('meta.k8s.io', 'DeleteOptions', '', errors)
  const preconditions = (body.preconditions ?? {}) as { uid?: string | null; resourceVersion?: string | null }
  const orphaned = orphan === true || orphan === 'true' ? 'Orphan' : undefined
  return {
    dryRun,
    policy: (policy ?? orphaned) as DeleteOptions['policy'],
    uid: preconditions.uid ?? undefined,
    resourceVersion: preconditions.resourceVersion ?? undefined,
    raw: body,
  }
}

function fromQuery(query: URLSearchParams): JsonObject {
  const options: JsonObject = { dryRun: query.getAll('dryRun') }
  for (const key of ['propagationPolicy', 'orphanDependents']) {
    const value = query.get(key)
    if (value !== null) options[key] = value
  }
  const bonds = ['uid', 'resourceVersion'].map(key => [key, query.get(key)] as const).filter(([, value]) => value)
  if (bonds.length > 0) options.preconditions = Object.fromEntries(bonds)
  return options
}

/** Options of a list or watch. `revision` undefined = the present one. */
export interface ListOptions {
  limit: number
  continueToken: string
  resourceVersion: string
  exact: boolean
  labelSelector: string
  fieldSelector: string
}

const MATCH = 'resourceVersionMatch'
const forbidden = (field: string, detail: string): FieldError => ({ type: 'Forbidden', field, detail })
const unsupported = (value: string, ...supported: string[]): FieldError => ({
  type: 'NotSupported',
  field: MATCH,
  value,
  detail: `supported values: ${supported.map(one => JSON.stringify(one)).join(', ')}`,
})

function listErrors(query: URLSearchParams): FieldError[] {
  const [match, resourceVersion] = [query.get(MATCH) ?? '', query.get('resourceVersion') ?? '']
  const errors: FieldError[] = []
  if (match !== '') {
    if (resourceVersion === '')
      errors.push(forbidden(MATCH, `${MATCH} is forbidden unless resourceVersion is provided`))
    if (query.get('continue')) errors.push(forbidden(MATCH, `${MATCH} is forbidden when continue is provided`))
    if (match !== 'Exact' && match !== 'NotOlderThan') errors.push(unsupported(match, 'Exact', 'NotOlderThan', ''))
    if (match === 'Exact' && resourceVersion === '0')
      errors.push(forbidden(MATCH, `${MATCH} "exact" is forbidden for resourceVersion "0"`))
  }
  if (query.has('sendInitialEvents'))
    errors.push(forbidden('sendInitialEvents', 'sendInitialEvents is forbidden for list'))
  return errors
}

function watchErrors(query: URLSearchParams): FieldError[] {
  const match = query.get(MATCH) ?? ''
  const wantsInitial = query.has('sendInitialEvents')
  const errors: FieldError[] = []
  if (wantsInitial && match !== 'NotOlderThan')
    errors.push(forbidden(MATCH, `sendInitialEvents requires setting ${MATCH} to NotOlderThan`))
  if (match === '') return errors
  if (!wantsInitial)
    errors.push(forbidden(MATCH, `${MATCH} is forbidden for watch unless sendInitialEvents is provided`))
  if (match !== 'NotOlderThan') errors.push(unsupported(match, 'NotOlderThan'))
  if (query.get('continue')) errors.push(forbidden(MATCH, `${MATCH} is forbidden when continue is provided`))
  return errors
}

/** @throws ApiError – 400 or 422 for what the server refuses */
export function readListOptions(query: URLSearchParams, isWatch = false): ListOptions {
  const limit = query.get('limit') ?? ''
  if (!/^-?\d*$/.test(limit)) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(limit)}: invalid syntax`)
  const resourceVersion = query.get('resourceVersion') ?? ''
  const match = query.get('resourceVersionMatch') ?? ''
  const continueToken = query.get('continue') ?? ''
  const errors = isWatch ? watchErrors(query) : listErrors(query)
  if (errors.length > 0) throw invalid('meta.k8s.io', 'ListOptions', '', errors)
  if (continueToken !== '' && resourceVersion !== '' && resourceVersion !== '0') {
    throw badRequest('specifying resource version is not allowed when using continue')
  }
  return {
    limit: Math.max(0, Number(limit)),
    continueToken,
    resourceVersion,
    // Without a match, a limit beside a resourceVersion asks for that very snapshot.
    exact: match === 'Exact' || (match === '' && Number(limit) > 0 && Number(resourceVersion) > 0),
    labelSelector: query.get('labelSelector') ?? '',
    fieldSelector: query.get('fieldSelector') ?? '',
  }
}
