// Identity providers, their realms and the escalations that name their groups, in namespace `team`.

import { CA } from './spoke.ts'

const GROUP = 'breakglass.t-caas.telekom.com/v1alpha1'

/** The secret of the clients; it may be found nowhere but in its Secret and in requests for a token. */
export const CLIENT_SECRET = 'canary-client-secret-7f3a'

/** Members by the path of their group. */
export type Directory = Readonly<Record<string, readonly (string | { name: string; enabled: boolean })[]>>

/** A realm in which `sync` may read everything. */
export function realm(name: string, directory: Directory): object {
  const people = new Map<string, { enabled: boolean; groups: string[] }>()
  for (const [path, members] of Object.entries(directory))
    for (const member of members) {
      const { name: username, enabled } = typeof member === 'string' ? { name: member, enabled: true } : member
      const person = people.get(username) ?? { enabled, groups: [] }
      people.set(username, { enabled, groups: [...person.groups, path] })
    }
  const serviceAccount = {
    username: 'service-account-sync',
    serviceAccountClientId: 'sync',
    enabled: true,
    clientRoles: { 'realm-management': ['query-groups', 'view-users'] },
  }
  return {
    realm: name,
    enabled: true,
    clients: [
      { clientId: 'sync', enabled: true, secret: CLIENT_SECRET, serviceAccountsEnabled: true, publicClient: false },
    ],
    groups: Object.keys(directory).map(path => ({ name: path.slice(1), path, subGroups: [] })),
    users: [
      serviceAccount,
      ...[...people].map(([username, { enabled, groups }]) => ({
        username,
        email: `${username}@example.test`,
        enabled,
        groups,
      })),
    ],
  }
}

/** An IdentityProvider whose Keycloak is at a URL. */
export function provider(name: string, baseURL: string, change: { spec?: object; keycloak?: object } = {}): object {
  return {
    apiVersion: GROUP,
    kind: 'IdentityProvider',
    metadata: { name },
    spec: {
      oidc: { authority: `${baseURL}/realms/${name}`, clientID: 'ui', expectedAudience: 'ui' },
      groupSyncProvider: 'Keycloak',
      keycloak: {
        baseURL,
        realm: name,
        clientID: 'sync',
        clientSecretRef: { name: 'sync', namespace: 'team', key: 'client-secret' },
        requestTimeout: '2s',
        certificateAuthority: CA,
        ...change.keycloak,
      },
      ...change.spec,
    },
  }
}

/** An escalation whose approvers are these groups. */
export function escalation(name: string, groups: readonly string[], spec: object = {}, status?: object): object {
  return {
    apiVersion: GROUP,
    kind: 'BreakglassEscalation',
    metadata: { name, namespace: 'team' },
    spec: {
      escalatedGroup: 'admins',
      allowed: { clusters: ['*'], groups: ['ops'] },
      approvers: { groups, users: ['lead@example.test'] },
      ...spec,
    },
    ...(status !== undefined && { status }),
  }
}

/** A Secret as it is written. */
export function secret(data: Readonly<Record<string, string>> = { 'client-secret': CLIENT_SECRET }): object {
  const encoded = Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')])
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'sync', namespace: 'team' },
    data: Object.fromEntries(encoded),
  }
}
