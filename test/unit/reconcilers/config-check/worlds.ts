// Clusters that are reached with a token of an issuer, each in order, for tests that break what they are about.

import { CLIENT, type Issuer, startIssuer } from '../../../support/oidc-server.ts'
import { CA, clusterConfig, type Spoke, secret, startSpoke } from '../../../support/spoke.ts'
import { ending, startHub } from './harness.ts'

/** A reference to a Secret in namespace `team`. */
export const ref = (name: string, key?: string) => ({ namespace: 'team', name, ...(key !== undefined && { key }) })

/** What the issuer gives out, and the spoke knows. */
export const ACCESS_TOKEN = 'access-token-of-the-issuer'
/** What the issuer exchanges. */
export const SUBJECT_TOKEN = 'subject-token'

/** A cluster, its issuer, and the Secrets `client` and `ca` that lead there. */
export interface OidcWorld {
  readonly spoke: Spoke
  readonly issuer: Issuer
  readonly secrets: readonly object[]
  /** `spec.oidcAuth` with changes. */
  direct(changes?: object): object
  /** `spec.oidcFromIdentityProvider` with changes. */
  byProvider(changes?: object): object
  /** An IdentityProvider named `ops` with changes of its spec. */
  provider(changes?: object): object
}

/** Starts both servers; they end with the test. */
export async function startOidcWorld(): Promise<OidcWorld> {
  const spoke = ending(await startSpoke({ [ACCESS_TOKEN]: 'system:serviceaccount:breakglass' }))
  const issuer = ending(await startIssuer(ACCESS_TOKEN, [SUBJECT_TOKEN]))
  return {
    spoke,
    issuer,
    secrets: [secret('client', { value: CLIENT.secret }), secret('ca', { 'ca.crt': CA })],
    direct: changes => ({
      issuerURL: issuer.url,
      clientID: CLIENT.id,
      server: spoke.url,
      clientSecretRef: ref('client'),
      certificateAuthority: CA,
      caSecretRef: ref('ca'),
      ...changes,
    }),
    byProvider: changes => ({ name: 'ops', server: spoke.url, caSecretRef: ref('ca'), ...changes }),
    provider: changes => ({
      apiVersion: 'breakglass.t-caas.telekom.com/v1alpha1',
      kind: 'IdentityProvider',
      metadata: { name: 'ops' },
      spec: {
        oidc: { authority: issuer.url, clientID: 'of-people', expectedAudience: 'x', certificateAuthority: CA },
        groupSyncProvider: 'Keycloak',
        keycloak: {
          baseURL: 'https://127.0.0.1',
          realm: 'ops',
          clientID: CLIENT.id,
          clientSecretRef: ref('client'),
        },
        ...changes,
      },
    }),
  }
}

/** What a first pass makes of a cluster with this OIDC part: its Ready condition, and its message. */
export async function lookAtOidc(
  world: OidcWorld,
  oidc: { oidcAuth: object } | { oidcFromIdentityProvider: object },
  objects: readonly object[] = [],
) {
  const hub = await startHub([...world.secrets, ...objects, clusterConfig('a', { authType: 'OIDC', ...oidc })])
  const pass = await hub.pass()
  return { hub, pass, ready: await hub.ready('a'), message: (await hub.condition('a'))?.message }
}
