// Access tokens: signed JWTs that end by the clock, or all at once when they are revoked. The key lives as long as the server.
import { generateKeyPairSync, type JsonWebKey, randomUUID, sign } from 'node:crypto'
import type { Client } from './realm.ts'

/** Who a token speaks for. */
export interface Bearer {
  readonly realm: string
  readonly clientId: string
}

/** Issues and reads tokens. */
export interface Tokens {
  issue(bearer: Bearer, client: Client, issuer: string): string
  /** Undefined for a header without a token of ours, or with one that has ended or was revoked. */
  read(authorization: string | undefined): Bearer | undefined
  /** Ends every token that was issued until now. */
  revoke(): void
  /** The public key, as a JWKS has it. */
  readonly key: JsonWebKey
}

/** Makes a key. @param clock ms since the epoch */
export function openTokens(clock: () => number): Tokens {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const kid = randomUUID()
  const live = new Map<string, { bearer: Bearer; endsAtMs: number }>()
  return {
    key: { ...publicKey.export({ format: 'jwk' }), kid, alg: 'EdDSA', use: 'sig' },
    issue(bearer, client, issuer) {
      for (const [token, { endsAtMs }] of live) if (endsAtMs <= clock()) live.delete(token)
      const issuedAt = Math.floor(clock() / 1_000)
      const claims = claimsOf(client, issuer, issuedAt)
      const signed = `${encoded({ alg: 'EdDSA', typ: 'JWT', kid })}.${encoded(claims)}`
      const token = `${signed}.${sign(null, Buffer.from(signed), privateKey).toString('base64url')}`
      live.set(token, { bearer, endsAtMs: claims.exp * 1_000 })
      return token
    },
    read(authorization) {
      const known = live.get(/^bearer (.+)$/i.exec(authorization ?? '')?.[1] ?? '')
      return known !== undefined && known.endsAtMs > clock() ? known.bearer : undefined
    },
    revoke: () => live.clear(),
  }
}

function claimsOf({ clientId, accountId, roles, tokenLifeSeconds }: Client, iss: string, iat: number) {
  const access = { aud: 'realm-management', resource_access: { 'realm-management': { roles: [...roles] } } }
  return {
    exp: iat + tokenLifeSeconds,
    iat,
    jti: randomUUID(),
    iss,
    ...(roles.size > 0 && access),
    sub: accountId,
    typ: 'Bearer',
    azp: clientId,
    acr: '1',
    scope: 'profile email',
    email_verified: false,
    preferred_username: `service-account-${clientId}`,
  }
}

function encoded(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url')
}
