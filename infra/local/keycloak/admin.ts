// The part of the admin API that is about groups and who is in them: searches, pages, single groups, and the changes that people
// make in the console. What a token may see and change follows the roles of its client's service account.
import {
  type Client,
  type Group,
  matchesOf,
  membersOf,
  type Realm,
  removeGroup,
  rename,
  siblingsOf,
  type User,
} from './realm.ts'
import { done, found, type KeycloakRequest, type Reply, refusal, refusedChange } from './reply.ts'
import { groupOf, hierarchyOf, userOf } from './representations.ts'

/** What a request is about and may do. */
interface Call {
  readonly request: KeycloakRequest
  readonly realm: Realm
  readonly client: Client
  /** What the path names after the collections. */
  readonly ids: readonly string[]
}

type Answer = (call: Call) => Reply

/** Answers a request below `/admin/realms/<realm>`; `path` is the rest, with its first slash. */
export function answerAdmin(request: KeycloakRequest, realm: Realm, client: Client, path: string): Reply {
  for (const [pattern, methods] of ROUTES) {
    const match = pattern.exec(path)
    if (match === null) continue
    const answer = methods[request.method]
    if (answer !== undefined) return answer({ request, realm, client, ids: match.slice(1) })
  }
  return refusal(404)
}

const ROUTES: readonly (readonly [RegExp, Readonly<Record<string, Answer>>])[] = [
  [/^\/groups$/, { GET: listGroups }],
  [/^\/groups\/count$/, { GET: countGroups }],
  [/^\/groups\/([^/]+)$/, { GET: withGroup(readGroup), PUT: withGroup(changeGroup), DELETE: withGroup(deleteGroup) }],
  [/^\/groups\/([^/]+)\/children$/, { GET: withGroup(listChildren) }],
  [/^\/groups\/([^/]+)\/members$/, { GET: withGroup(listMembers) }],
  [/^\/users\/([^/]+)$/, { PUT: withUser(changeUser) }],
  [/^\/users\/([^/]+)\/groups\/([^/]+)$/, { PUT: withUser(joinGroup), DELETE: withUser(leaveGroup) }],
]

/** A page without an end. */
const ALL = -1

const mayView = ({ roles }: Client) => roles.has('view-users') || roles.has('manage-users')
const mayQuery = (client: Client) => client.roles.has('query-groups') || mayView(client)
const mayManage = ({ roles }: Client) => roles.has('manage-users')

function listGroups(call: Call): Reply {
  const { request, realm, client } = call
  if (!mayQuery(client)) return refusal(403)
  // Who may only query is told that there are none.
  if (!mayView(client)) return found([])
  const isFull = request.query.get('briefRepresentation') === 'false'
  const search = request.query.get('search')?.trim() ?? ''
  if (search === '') return paged(call, realm.top, ALL, page => page.map(group => groupOf(group, client, isFull)))
  const matching = matchesOf(realm, search, request.query.get('exact') === 'true')
  return paged(call, matching, ALL, page => hierarchyOf(page, client, isFull))
}

function countGroups({ realm, client }: Call): Reply {
  return mayQuery(client) ? found({ count: realm.groups.size }) : refusal(403)
}

function readGroup({ client }: Call, group: Group): Reply {
  return mayView(client) ? found(groupOf(group, client, true)) : refusal(403)
}

function listChildren(call: Call, { children }: Group): Reply {
  const { request, client } = call
  if (!mayView(client)) return refusal(403)
  const isFull = request.query.get('briefRepresentation') !== 'true'
  return paged(call, children, 10, page => page.map(group => groupOf(group, client, isFull)))
}

function listMembers(call: Call, group: Group): Reply {
  const { request, realm, client } = call
  if (!mayView(client)) return refusal(403)
  const isBrief = request.query.get('briefRepresentation') === 'true'
  return paged(call, membersOf(realm, group), 100, page => page.map(user => userOf(user, isBrief)))
}

function changeGroup({ request, realm, client }: Call, group: Group): Reply {
  if (!mayManage(client)) return refusal(403)
  const { name } = bodyOf(request)
  if (typeof name !== 'string' || name.trim() === '') return refusedChange(400, 'Group name is missing')
  if (siblingsOf(realm, group).some(one => one !== group && one.name === name))
    return refusedChange(409, `Sibling group named '${name}' already exists.`)
  rename(realm, group, name)
  return done()
}

function deleteGroup({ realm, client }: Call, group: Group): Reply {
  if (!mayManage(client)) return refusal(403)
  removeGroup(realm, group)
  return done()
}

function changeUser({ request, client }: Call, user: User): Reply {
  if (!mayManage(client)) return refusal(403)
  const { enabled } = bodyOf(request)
  if (typeof enabled === 'boolean') user.enabled = enabled
  return done()
}

function joinGroup(call: Call, user: User): Reply {
  return changeMembership(call, group => user.groups.add(group))
}

function leaveGroup(call: Call, user: User): Reply {
  return changeMembership(call, group => user.groups.delete(group))
}

function changeMembership({ realm, client, ids }: Call, change: (group: Group) => unknown): Reply {
  const group = realm.groups.get(ids[1] ?? '')
  if (group === undefined) return refusal(404, 'Group not found')
  if (!mayManage(client)) return refusal(403)
  change(group)
  return done({ 'cache-control': 'no-cache' })
}

function withGroup(answer: (call: Call, group: Group) => Reply): Answer {
  return call => {
    const group = call.realm.groups.get(call.ids[0] ?? '')
    return group === undefined ? refusal(404, 'Could not find group by id') : answer(call, group)
  }
}

function withUser(answer: (call: Call, user: User) => Reply): Answer {
  return call => {
    const user = call.realm.users.get(call.ids[0] ?? '')
    if (user !== undefined) return answer(call, user)
    return mayView(call.client) || call.client.roles.has('query-users') ? refusal(404, 'User not found') : refusal(403)
  }
}

/** @throws SyntaxError – it is no JSON object */
function bodyOf({ body }: KeycloakRequest): Record<string, unknown> {
  const parsed = JSON.parse(body) as unknown
  if (typeof parsed !== 'object' || parsed === null) throw new SyntaxError('not an object')
  return parsed as Record<string, unknown>
}

/**
 * The page of a list that the query names by `first` and `max`. One that is no number is 404, as there; a negative one is as good
 * as none.
 */
function paged<T>(
  { request: { query } }: Call,
  list: readonly T[],
  fallback: number,
  toBody: (page: T[]) => unknown,
): Reply {
  const [first, max] = ['first', 'max'].map(name => query.get(name) ?? undefined)
  if ([first, max].some(value => value !== undefined && !/^-?\d{1,9}$/.test(value))) return refusal(404)
  const from = Math.max(0, Number(first ?? 0))
  const most = max === undefined ? fallback : Number(max)
  return found(toBody(list.slice(from, most < 0 ? undefined : from + most)))
}
