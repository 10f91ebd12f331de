// What the product asks of Keycloak, and what Keycloak refuses: requests on the realm of the contract, one after the other.

import { idOf, SECRET } from '../../../contract/keycloak/realm.ts'

/** One request that both servers get. */
export interface Row {
  /** Unique; known differences refer to it. */
  readonly title: string
  /** Method, a blank, path with query; `{admin}`, `{oidc}` and `{realm}` are those of the realm. */
  readonly send: string
  /** The client whose token is sent, or the header itself; null for none. Default `fencepost`. */
  readonly as?: string | null
  /** Sent as a form. */
  readonly form?: Readonly<Record<string, string>>
  /** Sent as JSON, a string as it is. */
  readonly body?: unknown
  /** The part of the answer's body that is compared; default all of it. */
  // biome-ignore lint/suspicious/noExplicitAny: bodies of many shapes
  readonly part?: (body: any) => unknown
}

const read = (title: string, path: string, as?: string | null): Row => ({
  title,
  send: `GET {admin}${path}`,
  ...(as !== undefined && { as }),
})
const change = (title: string, send: string, body?: unknown, as = 'administrator'): Row => ({
  title,
  send: send.replace(' ', ' {admin}'),
  as,
  ...(body !== undefined && { body }),
})
const token = (title: string, form: Record<string, string>, as: string | null = null): Row => ({
  title,
  send: 'POST {oidc}/token',
  as,
  form,
})
const client = (client_id: string, client_secret = SECRET) => ({
  grant_type: 'client_credentials',
  client_id,
  client_secret,
})
const basic = (id: string, secret: string) => `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`

const MANY = `/groups/${idOf('/many')}`
const PLATFORM = `/groups/${idOf('/platform')}`
const ONCALL = `/groups/${idOf('/platform/oncall')}`
const WIDE = `/groups/${idOf('/wide')}`
const NOTHING = `/groups/${idOf('nothing')}`
const CHANGING = `/groups/${idOf('/changing')}`
const RENAMED = `/groups/${idOf('/before-renaming')}`
const person = (name: string) => `/users/${idOf(`user ${name}`)}`
const search = (name: string, more = '&exact=true') => `/groups?search=${encodeURIComponent(name)}${more}`

const TOKENS: readonly Row[] = [
  token('a token by form', client('fencepost')),
  token('a token by Basic', { grant_type: 'client_credentials' }, basic('fencepost', SECRET)),
  token('a token by Basic with a wrong secret', { grant_type: 'client_credentials' }, basic('fencepost', 'wrong')),
  token('a token of one second', client('short-lived')),
  token('a token without roles', client('no-roles')),
  token('a wrong secret', client('fencepost', 'wrong')),
  token('an empty secret', client('fencepost', '')),
  token('no secret', { grant_type: 'client_credentials', client_id: 'fencepost' }),
  token('an unknown client', client('unknown')),
  token('a disabled client', client('disabled')),
  token('a disabled client with a wrong secret', client('disabled', 'wrong')),
  token('a public client', client('public')),
  token('a public client without a secret', { grant_type: 'client_credentials', client_id: 'public' }),
  token('a client without a service account', client('no-account')),
  token('a client without a service account, with a wrong secret', client('no-account', 'wrong')),
  token('no client', { grant_type: 'client_credentials' }),
  token('no grant type', { client_id: 'fencepost', client_secret: SECRET }),
  token('no grant type and a wrong secret', { client_id: 'fencepost', client_secret: 'wrong' }),
  token('an unknown grant type', { ...client('fencepost'), grant_type: 'magic' }),
  token('an unknown grant type and a wrong secret', { ...client('fencepost', 'wrong'), grant_type: 'magic' }),
  token('an empty form', {}),
  token('a password', { ...client('fencepost'), grant_type: 'password', username: 'ada', password: 'x' }),
  token('a refresh token', { ...client('fencepost'), grant_type: 'refresh_token', refresh_token: 'x' }),
  { title: 'a token by GET', send: 'GET {oidc}/token', as: null },
  {
    title: 'a token of no realm',
    send: 'POST /realms/nowhere/protocol/openid-connect/token',
    as: null,
    form: client('x'),
  },
  {
    title: 'the discovery document',
    send: 'GET /realms/{realm}/.well-known/openid-configuration',
    as: null,
    part: ({ issuer, authorization_endpoint, token_endpoint, jwks_uri, userinfo_endpoint, end_session_endpoint }) => ({
      issuer,
      endpoints: { authorization_endpoint, token_endpoint, jwks_uri, userinfo_endpoint, end_session_endpoint },
    }),
  },
  {
    title: 'what the discovery document supports',
    send: 'GET /realms/{realm}/.well-known/openid-configuration',
    as: null,
    part: ({ grant_types_supported }) => grant_types_supported.join(' '),
  },
  {
    title: 'the discovery document of no realm',
    send: 'GET /realms/nowhere/.well-known/openid-configuration',
    as: null,
  },
  { title: 'the keys', send: 'GET {oidc}/certs', as: null, part: ({ keys }) => keys.length > 0 },
  { title: 'an endpoint that is none', send: 'GET {oidc}/nothing', as: null },
  { title: 'a path that is none', send: 'GET /nothing', as: null },
]

const GROUPS: readonly Row[] = [
  read('all groups', '/groups'),
  read('all groups in full', '/groups?briefRepresentation=false'),
  read('a page of groups', '/groups?first=1&max=2'),
  read('a first group', '/groups?first=0&max=1'),
  read('a page past the end', '/groups?first=500&max=10'),
  read('a page of no size', '/groups?first=0&max=0'),
  read('a page from below nothing', '/groups?first=-1&max=2'),
  read('a page of a size that is no number', '/groups?max=x'),
  read('how many groups there are', '/groups/count'),
  read('a top group by its name', search('many')),
  read('a nested group by its name', search('oncall')),
  read('a group three levels deep', search('database')),
  read('a group three levels deep, in full', search('database', '&exact=true&briefRepresentation=false')),
  read('two groups of one name', search('admins')),
  read('a group that has others, by its name', search('platform')),
  read('a name in another case', search('MANY')),
  read('a name in another case, not exactly', search('MANY', '')),
  read('a part of a name', search('dat', '')),
  read('a part of a name, exactly', search('dat')),
  read('a part of many names', search('team-01', '')),
  read('a page of a part of many names', search('team-01', '&first=2&max=3')),
  read('a name with blanks around it', search(' many ')),
  read('a name of other letters', search('Ünïcode & co')),
  read('a name with a wildcard', search('%')),
  read('a path in place of a name', search('/platform/oncall')),
  read('an empty name', search('')),
  read('a name that nobody has', search('nobody')),
  read('a group', PLATFORM),
  read('a nested group', ONCALL),
  read('a group that is none', NOTHING),
  read('a group by an id that is none', '/groups/x'),
  read('children', `${PLATFORM}/children`),
  read('children in brief', `${PLATFORM}/children?briefRepresentation=true`),
  read('no children', `${MANY}/children`),
  read('the first ten children', `${WIDE}/children`),
  read('a page of children', `${WIDE}/children?first=99&max=100&briefRepresentation=true`),
  read('children of nothing', `${NOTHING}/children`),
  read('members', `${PLATFORM}/members`),
  read('members in brief', `${PLATFORM}/members?briefRepresentation=true`),
  read('a disabled member', `${ONCALL}/members?briefRepresentation=true`),
  read('no members', `/groups/${idOf('/empty')}/members`),
  read('the first hundred members', `${MANY}/members?briefRepresentation=true`),
  read('a second page of members', `${MANY}/members?first=99&max=100&briefRepresentation=true`),
  read('a last page of members', `${MANY}/members?first=198&max=100&briefRepresentation=true`),
  read('members past the end', `${MANY}/members?first=260&max=100`),
  read('all members', `${MANY}/members?max=1000&briefRepresentation=true`),
  read('members without a limit', `${MANY}/members?max=-1&briefRepresentation=true`),
  read('members of nothing', `${NOTHING}/members`),
  read('a part of a group that is none', `${MANY}/nothing`),
  read('a part of a realm that is none', '/nothing'),
]

const RIGHTS: readonly Row[] = [
  ...[search('many'), MANY, `${MANY}/members`, `${MANY}/children`, NOTHING, '/groups/count'].flatMap(path => [
    read(`without roles: ${path}`, path, 'no-roles'),
    read(`with query-groups alone: ${path}`, path, 'query-only'),
    read(`with manage-users alone: ${path}`, path, 'administrator'),
  ]),
  read('without a token', '/groups', null),
  read('without a token, of no realm', '/groups', null),
  read('with a token that is none', '/groups', 'Bearer nothing'),
  read('with another kind of credentials', '/groups', basic('fencepost', SECRET)),
  { title: 'in a realm that does not exist', send: 'GET /admin/realms/nowhere/groups' },
  { title: 'in a realm that does not exist, without a token', send: 'GET /admin/realms/nowhere/groups', as: null },
  change('a viewer renames a group', `PUT ${MANY}`, { name: 'mine' }, 'fencepost'),
  change('a viewer deletes a group', `DELETE ${MANY}`, undefined, 'fencepost'),
  change('a viewer adds a member', `PUT ${person('hal')}${CHANGING}`, undefined, 'fencepost'),
  change('a viewer disables a person', `PUT ${person('hal')}`, { enabled: false }, 'fencepost'),
]

const CHANGES: readonly Row[] = [
  change('a group is renamed', `PUT ${RENAMED}`, { name: 'after-renaming' }),
  read('the renamed group', RENAMED),
  read('its members', `${RENAMED}/members?briefRepresentation=true`),
  read('its new name', search('after-renaming')),
  read('its old name', search('before-renaming')),
  read('all groups in the order after it', '/groups'),
  change('a nested group is renamed', `PUT ${ONCALL}`, { name: 'standby' }),
  read('what is below the renamed group', search('database')),
  change('a group gets the name of a sibling', `PUT ${RENAMED}`, { name: 'many' }),
  change('a group gets its own name', `PUT ${RENAMED}`, { name: 'after-renaming' }),
  change('a group gets no name', `PUT ${RENAMED}`, { name: '' }),
  change('a group gets nothing', `PUT ${RENAMED}`, {}),
  change('nothing is renamed', `PUT ${NOTHING}`, { name: 'x' }),
  change('a person joins', `PUT ${person('hal')}${CHANGING}`),
  change('a person joins again', `PUT ${person('hal')}${CHANGING}`),
  read('who has joined', `${CHANGING}/members?briefRepresentation=true`),
  change('a person leaves', `DELETE ${person('gus')}${CHANGING}`),
  change('a person leaves again', `DELETE ${person('gus')}${CHANGING}`),
  read('who is left', `${CHANGING}/members?briefRepresentation=true`),
  change('a person joins nothing', `PUT ${person('hal')}${NOTHING}`),
  change('nobody joins', `PUT ${person('nobody')}${CHANGING}`),
  change('a person is disabled', `PUT ${person('hal')}`, { username: 'hal', email: 'hal@example.com', enabled: false }),
  change('nobody is disabled', `PUT ${person('nobody')}`, { enabled: false }),
  read('who is disabled', `${CHANGING}/members?briefRepresentation=true`),
  change('a person is enabled by that field alone', `PUT ${person('hal')}`, { enabled: true }),
  read('who is enabled', `${CHANGING}/members?briefRepresentation=true`),
  change('a change that is no JSON', `PUT ${RENAMED}`, 'x'),
  change('a group with members is deleted', `DELETE ${CHANGING}`),
  change('it is deleted again', `DELETE ${CHANGING}`),
  read('the deleted group', CHANGING),
  change('a group with children is deleted', `DELETE ${PLATFORM}`),
  read('a child of the deleted group', ONCALL),
  read('how many groups are left', '/groups/count'),
  change('a group is posted to', `POST ${MANY}`, {}),
]

/** In the order in which they are sent. */
export const ROWS: readonly Row[] = [...TOKENS, ...GROUPS, ...RIGHTS, ...CHANGES]
