// A request as the API sees it, read completely before anything looks at it, and what its path addresses.
import type { IncomingMessage } from 'node:http'
import type { UserInfo } from '../verbs/admission.ts'

/** One request. `path` is decoded per segment by the router; `headers` have lower-case names. */
export interface ApiRequest {
  method: string
  path: string
  query: URLSearchParams
  headers: Record<string, string>
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
    body: Buffer.concat(chunks).toString('utf8'),
  }
}

const EXTRA = 'impersonate-extra-'

/** Who the request acts as: the impersonated user where there is one, else the authenticated one. Nothing is checked. */
export function actingUser(headers: Record<string, string>, authenticated: string): UserInfo {
  const extra = Object.entries(headers).filter(([name]) => name.startsWith(EXTRA))
  return {
    username: headers['impersonate-user'] ?? authenticated,
    groups: (headers['impersonate-group'] ?? '').split(', ').filter(group => group !== ''),
    extra: Object.fromEntries(extra.map(([name, value]) => [decodeURIComponent(name.slice(EXTRA.length)), [value]])),
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
