// What a request to the API server means, before anybody judges it: pure functions of the request and the stored object.

import { FENCE_PATH, FUNCTION_USER, LEASE_PATH, VIRTUAL_USER } from './names.ts'
import { brokenRule, type Judged } from './policies.ts'
import type { Stored, Unstored } from './store.ts'

/** A request as it was understood. */
export interface Asked {
  readonly method: string
  /** Of the object, or of the collection in a list or a create. */
  readonly path: string
  /** The object that is written or read; of a create its future path. */
  readonly key: string
  readonly query: URLSearchParams
  readonly user: string
  readonly extra: Readonly<Record<string, readonly string[]>>
  // biome-ignore lint/suspicious/noExplicitAny: bodies of every kind; the code that reads one knows its kind.
  readonly body: any
  readonly isStatus: boolean
  readonly isDryRun: boolean
}

/** An answer without its headers. */
export interface Answer {
  readonly status: number
  readonly body: unknown
}

/** A write as it would be stored; `next` undefined removes the object. */
export interface Change {
  readonly next: Unstored | undefined
  readonly status: number
}

const EXTRA = /^impersonate-extra-(.+)$/

/** Reads a request. */
export function understand(
  method: string,
  url: string,
  headers: Readonly<Record<string, string>>,
  payload: string | undefined,
): Asked {
  const [whole = '', search = ''] = url.split('?')
  const isStatus = whole.endsWith('/status')
  const path = isStatus ? whole.slice(0, -'/status'.length) : whole
  const body = payload === undefined ? undefined : JSON.parse(payload)
  const query = new URLSearchParams(search)
  const impersonated = headers['impersonate-user']
  const extra = Object.entries(headers).flatMap(([name, value]) => {
    const key = EXTRA.exec(name)?.[1]
    return key === undefined ? [] : [[decodeURIComponent(key), [value]] as const]
  })
  return {
    method,
    path,
    key: method === 'POST' ? `${path}/${body.metadata.name}` : path,
    query,
    user: impersonated ?? FUNCTION_USER,
    extra: Object.fromEntries(extra),
    body,
    isStatus,
    isDryRun: query.get('dryRun') === 'All',
  }
}

/** Whether RBAC lets the user do it: functions their lease, their Fence and reads; the virtual user alone the work. */
export function mayDo({ method, key, user }: Asked): boolean {
  const isOwn = key === LEASE_PATH || key === FENCE_PATH
  if (user === FUNCTION_USER) return method === 'GET' || isOwn
  return user === VIRTUAL_USER && method !== 'GET' && !isOwn
}

/** A refusal as API servers word it. */
export function refusal(status: number, reason: string, message: string): Answer {
  return { status, body: { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason, message, code: status } }
}

/** What policies see of a write. */
export function judgedOf(asked: Asked): Judged {
  const [, , group = '', , ...rest] = asked.path.split('/')
  const plural = rest[0] === 'namespaces' ? rest[2] : rest[0]
  return {
    group,
    resource: asked.isStatus ? `${plural}/status` : `${plural}`,
    operation: asked.method === 'POST' ? 'CREATE' : asked.method === 'DELETE' ? 'DELETE' : 'UPDATE',
    user: asked.user,
    extra: asked.extra,
    preconditions: asked.body?.preconditions,
  }
}

/** Applies a write to the stored object: the change, or the refusal of a write that does not fit its state. */
export function changeOf(asked: Asked, object: Stored | undefined): Change | Answer {
  // Whether the name is taken is found out by the compare-and-swap, after everybody has judged.
  if (asked.method === 'POST') return { next: asked.body as Unstored, status: 201 }
  if (!object) return refusal(404, 'NotFound', 'not found')
  if (asked.method === 'DELETE') return deletion(asked, object)
  return asked.method === 'PUT' ? replacement(asked, object) : patched(asked, object)
}

function deletion({ body }: Asked, { metadata }: Stored): Change | Answer {
  const { uid = metadata.uid, resourceVersion = metadata.resourceVersion } = body?.preconditions ?? {}
  if (uid !== metadata.uid || resourceVersion !== metadata.resourceVersion) return conflict()
  return { next: undefined, status: 200 }
}

function replacement({ body }: Asked, { metadata }: Stored): Change | Answer {
  const { uid = metadata.uid, resourceVersion } = body.metadata
  if (resourceVersion === undefined)
    return refusal(422, 'Invalid', 'metadata.resourceVersion: must be specified for an update')
  if (uid !== metadata.uid || resourceVersion !== metadata.resourceVersion) return conflict()
  return { next: body as Unstored, status: 200 }
}

function patched({ key, body, isStatus }: Asked, object: Stored): Change | Answer {
  const { resourceVersion = object.metadata.resourceVersion } = body.metadata ?? {}
  if (resourceVersion !== object.metadata.resourceVersion) return conflict()
  const next = isStatus
    ? { ...object, status: merged(object.status, body.status) }
    : { ...object, ...(body.spec && { spec: merged(object.spec, body.spec) }) }
  const broken = key === FENCE_PATH ? brokenRule(object, next) : undefined
  return broken === undefined ? { next, status: 200 } : refusal(422, 'Invalid', broken)
}

/** @see https://www.rfc-editor.org/rfc/rfc7386 */
function merged(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch
  const result: Record<string, unknown> = { ...(target as object | undefined) }
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key]
    else result[key] = merged(result[key], value)
  }
  return result
}

function conflict(): Answer {
  return refusal(409, 'Conflict', 'the object has been modified; please apply your changes to the latest version')
}
