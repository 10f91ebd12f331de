// A request as the API sees it, read completely before anything looks at it, and what its path addresses.
import type { IncomingMessage } from 'node:http'
import type { UserInfo } from '../verbs/admission.ts'

/** One request. `path` is decoded per segment by the router; headers have lower-case names, `distinct` keeps repeated ones apart. */
export interface ApiRequest {
  method: string
  path: string
  query: URLSearchParams
  headers: Record<string, string>
  distinct: NodeJS.Dict<string[]>
  body: string
  user: UserInfo
}

/** Reads a request with its whole body. @throws Error – when the client goes away first */
export async function readRequest(message: IncomingMessage): Promise<Omit<ApiRequest, 'user'>> {
  const url = message.url ?? '/'
  const mark = url.indexOf('?')
  const chunks: Buffer[] = []
  for await (const chunk of message) chunks.push(chunk as Buffer)
  const headers = Object.entries(message.headers).map(([name, value]) => [
    name,
    Array.isArray(value) ? value.join(', ') : (value ?? ''),
  ])
  return {
    method: message.method ?? 'GET',
    path: mark === -1 ? url : url.slice(0, mark),
    query: new URLSearchParams(mark === -1 ? '' : url.slice(mark + 1)),
    headers: Object.fromEntries(headers) as Record<string, string>,
    distinct: message.headersDistinct,
    body: Buffer.concat(chunks).toString('utf8'),
  }
}

const EXTRA = 'impersonate-extra-'

/**
 * Who the request acts as: the impersonated user where there is one, else the authenticated one. Nothing is checked. Keys of
 * extras are lower-case and percent-decoded; a header that is sent several times has several values.
 */
export function actingUser(distinct: NodeJS.Dict<string[]>, authenticated: string): UserInfo {
  const [username] = distinct['impersonate-user'] ?? []
  if (!username) return { username: authenticated, groups: [], extra: {} }
  const extra: Record<string, string[]> = {}
  for (const [name, values = []] of Object.entries(distinct)) {
    if (!name.startsWith(EXTRA)) continue
    const key = unescaped(name.slice(EXTRA.length))
    extra[key] = [...(extra[key] ?? []), ...values]
  }
  const groups = distinct['impersonate-group'] ?? []
  return { username, groups: groups.includes(AUTHENTICATED) ? groups : [...groups, AUTHENTICATED], extra }
}

/** Why a request can't be impersonated: it names groups or extras of nobody; undefined when it can. */
export function impersonationError(distinct: NodeJS.Dict<string[]>): string | undefined {
  if (distinct['impersonate-user']?.[0]) return undefined
  const groups = (distinct['impersonate-group'] ?? []).map(name => `{Group  ${name}    }`)
  const extras = Object.entries(distinct)
    .filter(([name]) => name.startsWith(EXTRA))
    .flatMap(([name, values = []]) =>
      values.map(value => `{UserExtra  ${value}  authentication.k8s.io/v1  ${unescaped(name.slice(EXTRA.length))}}`),
    )
  const asked = [...groups, ...extras]
  return asked.length === 0 ? undefined : `requested [${asked.join(' ')}] without impersonating a user`
}

const AUTHENTICATED = 'system:authenticated'

function unescaped(key: string): string {
  try {
    return decodeURIComponent(key)
  } catch {
    return key
  }
}

/** What a resource path addresses. `version` and `group` name the API; `subresource` is whatever follows the name. */
export interface Address {
  group: string
  version: string
  plural: string
  namespace: string
  name: string
  subresource: string
  watch: boolean
}

/** Splits a path under /api/v1 or /apis/group/version; undefined for any other path. */
export function parsePath(path: string): Address | undefined {
  const segments = path.split('/').slice(1).map(decodeURIComponent)
  if (segments.at(-1) === '') segments.pop()
  const isCore = segments[0] === 'api'
  if (!isCore && segments[0] !== 'apis') return undefined
  const [group, version] = isCore ? ['', segments[1]] : [segments[1], segments[2]]
  const rest = segments.slice(isCore ? 2 : 3)
  if (group === undefined || version === undefined || rest.length === 0) return undefined
  const watch = rest[0] === 'watch'
  if (watch) rest.shift()
  // /namespaces/x and its subresources are the Namespace itself; anything longer is inside it.
  const inside =
    rest[0] === 'namespaces' &&
    rest.length > 2 &&
    !(isCore && rest.length === 3 && (rest[2] === 'status' || rest[2] === 'finalize'))
  const namespace = inside ? (rest[1] as string) : ''
  const [plural = '', name = '', subresource = ''] = inside ? rest.slice(2) : rest
  return { group, version, plural, namespace, name, subresource, watch }
}
