// A realm export, as Keycloak's admin console and `kc.sh export` write it: what of it the embedded Keycloak understands. Everything
// else in it is ignored.

/** A group with those below it. `path` is ignored: it follows from the names. */
export interface GroupExport {
  id?: string
  name: string
  subGroups?: GroupExport[]
}

/** A person, or the service account of a client. `groups` are paths; of the roles those of `realm-management` count. */
export interface UserExport {
  id?: string
  username: string
  email?: string
  emailVerified?: boolean
  enabled?: boolean
  groups?: string[]
  clientRoles?: Record<string, string[]>
  serviceAccountClientId?: string
}

/** A client. A secret that was masked in the export is taken as it is written. */
export interface ClientExport {
  clientId: string
  secret?: string
  enabled?: boolean
  publicClient?: boolean
  serviceAccountsEnabled?: boolean
  /** `access.token.lifespan`: seconds, before the realm's. */
  attributes?: Record<string, string>
}

/** A realm. `accessTokenLifespan` is seconds, default 300. */
export interface RealmExport {
  realm: string
  enabled?: boolean
  accessTokenLifespan?: number
  groups?: GroupExport[]
  users?: UserExport[]
  clients?: ClientExport[]
}
