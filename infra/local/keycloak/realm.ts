// A realm in memory, made from its export: groups as a tree, people with their memberships, clients with the roles of their
// service accounts. Names are unique among siblings and people, as Keycloak keeps them, and upper case is lost as there.
import { randomUUID } from 'node:crypto'
import type { ClientExport, GroupExport, RealmExport, UserExport } from './export.ts'

/** A group; `children` by name. */
export interface Group {
  readonly id: string
  name: string
  readonly parent: Group | undefined
  children: Group[]
}

/** A person. */
export interface User {
  readonly id: string
  readonly username: string
  readonly email: string | undefined
  readonly emailVerified: boolean
  enabled: boolean
  readonly groups: Set<Group>
}

/** A client, with what its service account may do in `realm-management`. */
export interface Client {
  readonly clientId: string
  readonly secret: string | undefined
  readonly isEnabled: boolean
  readonly isPublic: boolean
  readonly hasServiceAccount: boolean
  readonly accountId: string
  readonly roles: ReadonlySet<string>
  readonly tokenLifeSeconds: number
}

/** A realm. */
export interface Realm {
  readonly name: string
  readonly top: Group[]
  readonly groups: Map<string, Group>
  readonly users: Map<string, User>
  readonly clients: ReadonlyMap<string, Client>
}

/** Which roles bring others with them; `realm-admin` brings all. */
const BROUGHT: Readonly<Record<string, readonly string[]>> = {
  'view-users': ['query-groups', 'query-users'],
  'realm-admin': ['view-users', 'manage-users', 'query-groups', 'query-users'],
}
const DEFAULT_TOKEN_LIFE_SECONDS = 300

/** Makes a realm. @throws Error – naming realm and entry: no name, a name twice, or a group that nobody defines */
export function toRealm(given: object): Realm {
  const exported = given as RealmExport
  const name = named(exported.realm, 'a realm export without "realm"')
  const realm: Realm = { name, top: [], groups: new Map(), users: new Map(), clients: clientsOf(exported) }
  addGroups(realm, exported.groups ?? [], undefined)
  addUsers(
    realm,
    (exported.users ?? []).filter(({ serviceAccountClientId }) => serviceAccountClientId === undefined),
  )
  return realm
}

/** The names from the top, each after a slash. */
export function pathOf({ name, parent }: Group): string {
  return `${parent === undefined ? '' : pathOf(parent)}/${name}`
}

/** The groups beside and including one, in their order. */
export function siblingsOf(realm: Realm, { parent }: Pick<Group, 'parent'>): Group[] {
  return parent === undefined ? realm.top : parent.children
}

/** Who is directly in a group, by user name. */
export function membersOf(realm: Realm, group: Group): User[] {
  return [...realm.users.values()].filter(({ groups }) => groups.has(group)).sort(by(user => user.username))
}

/** The groups with this name, or with a name that contains it whatever its case, by name. */
export function matchesOf(realm: Realm, search: string, isExact: boolean): Group[] {
  const matches = ({ name }: Group) => (isExact ? name === search : name.toLowerCase().includes(search.toLowerCase()))
  return [...realm.groups.values()].filter(matches).sort(by(group => group.name))
}

/** Gives a group another name. */
export function rename(realm: Realm, group: Group, name: string): void {
  group.name = name
  siblingsOf(realm, group).sort(by(one => one.name))
}

/** Takes a group away, with all below it and their memberships. */
export function removeGroup(realm: Realm, group: Group): void {
  for (const child of [...group.children]) removeGroup(realm, child)
  const siblings = siblingsOf(realm, group)
  siblings.splice(siblings.indexOf(group), 1)
  realm.groups.delete(group.id)
  for (const { groups } of realm.users.values()) groups.delete(group)
}

/** Orders by a text, letter by letter. */
export function by<T>(text: (of: T) => string): (one: T, other: T) => number {
  return (one, other) => (text(one) < text(other) ? -1 : text(one) > text(other) ? 1 : 0)
}

function addGroups(realm: Realm, exported: readonly GroupExport[], parent: Group | undefined): void {
  for (const { id = randomUUID(), name, subGroups = [] } of exported) {
    const group: Group = { id, name: named(name, `realm ${realm.name}: a group without "name"`), parent, children: [] }
    const siblings = siblingsOf(realm, group)
    if (siblings.some(one => one.name === name)) throw new Error(`realm ${realm.name}: ${pathOf(group)} is there twice`)
    if (realm.groups.has(id)) throw new Error(`realm ${realm.name}: the group id ${id} is there twice`)
    siblings.push(group)
    realm.groups.set(id, group)
    addGroups(realm, subGroups, group)
  }
  siblingsOf(realm, { parent }).sort(by(group => group.name))
}

function addUsers(realm: Realm, exported: readonly UserExport[]): void {
  const byPath = new Map([...realm.groups.values()].map(group => [pathOf(group), group]))
  const taken = new Set<string>()
  for (const user of exported) {
    const username = named(user.username, `realm ${realm.name}: a user without "username"`).toLowerCase()
    const { id = randomUUID(), emailVerified = false, enabled = false } = user
    const email = user.email?.toLowerCase()
    for (const key of [`id ${id}`, `name ${username}`, `e-mail ${email ?? id}`]) {
      if (taken.has(key)) throw new Error(`realm ${realm.name}: user ${username}: its ${key} is there twice`)
      taken.add(key)
    }
    const groups = (user.groups ?? []).map(path => {
      const group = byPath.get(path)
      if (group === undefined) throw new Error(`realm ${realm.name}: user ${username} is in ${path}, which is no group`)
      return group
    })
    realm.users.set(id, { id, username, email, emailVerified, enabled, groups: new Set(groups) })
  }
}

function clientsOf({ realm, clients = [], users = [], accessTokenLifespan }: RealmExport): Map<string, Client> {
  return new Map(
    clients.map((client: ClientExport) => {
      const clientId = named(client.clientId, `realm ${realm}: a client without "clientId"`)
      const account = users.find(({ serviceAccountClientId }) => serviceAccountClientId === clientId)
      const roles = account?.clientRoles?.['realm-management'] ?? []
      const ownLifeSeconds = Number(client.attributes?.['access.token.lifespan'])
      return [
        clientId,
        {
          clientId,
          secret: client.secret,
          isEnabled: client.enabled ?? false,
          isPublic: client.publicClient ?? false,
          hasServiceAccount: client.serviceAccountsEnabled ?? false,
          accountId: account?.id ?? randomUUID(),
          roles: new Set(roles.flatMap(role => [role, ...(BROUGHT[role] ?? [])])),
          tokenLifeSeconds: ownLifeSeconds || accessTokenLifespan || DEFAULT_TOKEN_LIFE_SECONDS,
        },
      ]
    }),
  )
}

function named(name: unknown, otherwise: string): string {
  if (typeof name !== 'string' || name === '') throw new Error(otherwise)
  return name
}
