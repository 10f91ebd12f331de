// The realm of the contract, as a realm export: groups three deep, one with more members than three pages hold, one name twice,
// people without e-mail or disabled, and clients of all rights that are told apart. The ids are part of it, so that two servers
// that were given it answer with the same ones.

import { createHash } from 'node:crypto'

/** A group of an export. */
export interface GroupExport {
  readonly id: string
  readonly name: string
  readonly path: string
  readonly subGroups: readonly GroupExport[]
}

/** How many members the group `many` has. */
export const MANY = 260
/** The secret of every client that has one. */
export const SECRET = 'contract-client-secret'

/** A uuid that depends on `text` alone. */
export function idOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  )
}

function group(path: string, subGroups: readonly GroupExport[] = []): GroupExport {
  return { id: idOf(path), name: path.slice(path.lastIndexOf('/') + 1), path, subGroups }
}

const wide = Array.from({ length: 120 }, (_, at) => group(`/wide/team-${String(at).padStart(3, '0')}`))

const groups = [
  group('/many'),
  group('/platform', [group('/platform/oncall', [group('/platform/oncall/database')]), group('/platform/reserve')]),
  group('/north', [group('/north/admins')]),
  group('/south', [group('/south/admins', [group('/south/admins/night')])]),
  group('/before-renaming'),
  group('/empty'),
  group('/changing'),
  group('/wide', wide),
  group('/Ünïcode & co'),
]

interface Person {
  readonly email?: string | undefined
  readonly enabled?: boolean
}

function user(
  username: string,
  paths: readonly string[],
  { email = `${username}@example.com`, enabled = true }: Person = {},
) {
  return { id: idOf(`user ${username}`), username, email, emailVerified: true, enabled, groups: paths }
}

const withoutEmail = { id: idOf('user no-mail'), username: 'no-mail', enabled: true, groups: ['/platform'] }

const users = [
  ...Array.from({ length: MANY }, (_, at) => user(`member-${String(at).padStart(3, '0')}`, ['/many'])),
  user('ada', ['/platform', '/before-renaming'], { email: 'Ada@Example.com' }),
  user('bob', ['/platform/oncall'], { enabled: false }),
  user('cleo', ['/platform/oncall/database', '/platform']),
  user('dora', ['/platform/reserve', '/north/admins']),
  user('emil', ['/south/admins', '/wide/team-119']),
  user('fay', ['/south/admins/night', '/Ünïcode & co']),
  user('gus', ['/changing']),
  user('hal', []),
  withoutEmail,
]

interface Rights {
  readonly roles?: readonly string[]
  readonly client?: object
}

const CLIENTS: Readonly<Record<string, Rights>> = {
  fencepost: { roles: ['query-groups', 'view-users'] },
  'query-only': { roles: ['query-groups'] },
  'no-roles': {},
  'short-lived': { roles: ['view-users'], client: { attributes: { 'access.token.lifespan': '1' } } },
  administrator: { roles: ['manage-users'] },
  'no-account': { client: { serviceAccountsEnabled: false } },
  public: { client: { serviceAccountsEnabled: false, publicClient: true, secret: undefined } },
  disabled: { roles: ['view-users'], client: { enabled: false } },
}

/** The realm, under a name of its own; ids are those of every other one. */
export function contractRealm(realm: string): object {
  const clients = Object.entries(CLIENTS).map(([clientId, { client }]) => ({
    id: idOf(`client ${clientId}`),
    clientId,
    enabled: true,
    protocol: 'openid-connect',
    clientAuthenticatorType: 'client-secret',
    secret: SECRET,
    publicClient: false,
    serviceAccountsEnabled: true,
    standardFlowEnabled: false,
    directAccessGrantsEnabled: false,
    ...client,
  }))
  const accounts = Object.entries(CLIENTS).flatMap(([clientId, { roles, client = {} }]) =>
    'serviceAccountsEnabled' in client
      ? []
      : {
          id: idOf(`account ${clientId}`),
          username: `service-account-${clientId}`,
          enabled: true,
          serviceAccountClientId: clientId,
          ...(roles && { clientRoles: { 'realm-management': roles } }),
        },
  )
  return {
    realm,
    enabled: true,
    sslRequired: 'none',
    accessTokenLifespan: 300,
    groups,
    clients,
    users: [...users, ...accounts],
  }
}
