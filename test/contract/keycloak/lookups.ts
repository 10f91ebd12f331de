// Lookups through the product's client.

import { describe, expect, it } from 'vitest'
import { openExchange } from '../../../lib/http/exchange.ts'
import { type KeycloakOptions, openKeycloak } from '../../../lib/keycloak/client.ts'
import { type GroupLookup, membersOf } from '../../../lib/keycloak/groups.ts'
import { systemClock } from '../../../lib/time.ts'
import { MANY, SECRET } from './realm.ts'
import type { Suite } from './suite.ts'

/** What a lookup says in short: identifiers, a star after those who are disabled. */
export function told(lookup: GroupLookup): string[] | 'missing' {
  if (lookup.kind === 'missing') return 'missing'
  return lookup.members.map(({ identifier, isEnabled }) => `${identifier}${isEnabled ? '' : '*'}`)
}

/** Groups of all forms, and clients without rights. */
export function describeLookups({ server }: Suite): void {
  const lookUp = async (group: string, options: Partial<KeycloakOptions> = {}) => {
    const baseUrl = new URL(server().url)
    const keycloak = openKeycloak({
      provider: 'corporate',
      baseUrl,
      realm: server().realm,
      clientId: 'fencepost',
      clientSecret: SECRET,
      requestTimeoutMs: 10_000,
      deadlineMs: 30_000,
      exchange: openExchange({ server: baseUrl, tls: {} }, systemClock),
      clock: systemClock,
      ...options,
    })
    try {
      return { lookup: await membersOf(keycloak, group, new AbortController().signal), calls: keycloak.calls() }
    } finally {
      keycloak.close()
    }
  }

  describe('a lookup', () => {
    it(`finds all ${MANY} members of a group in 6 calls`, async () => {
      const { lookup, calls } = await lookUp('many')
      expect(told(lookup)).toEqual(
        Array.from({ length: MANY }, (_, at) => `member-${String(at).padStart(3, '0')}@example.com`),
      )
      // A token, the search, three pages of members, one of children.
      expect(calls).toBe(6)
    })

    it.each<[string, string, string[] | 'missing']>([
      [
        'three levels deep, each person once',
        'platform',
        ['ada@example.com', 'bob@example.com*', 'cleo@example.com', 'dora@example.com', 'no-mail'],
      ],
      ['below another group', 'oncall', ['bob@example.com*', 'cleo@example.com']],
      ['by its path', '/south/admins', ['emil@example.com', 'fay@example.com']],
      ['with nobody in it', 'empty', []],
      ['with 120 groups below it', 'wide', ['emil@example.com']],
      ['of other letters', 'Ünïcode & co', ['fay@example.com']],
      ['that does not exist', 'nobody', 'missing'],
      ['by a path that leads elsewhere', '/east/admins', 'missing'],
    ])('of a group %s', async (_which, group, expected) => {
      expect(told((await lookUp(group)).lookup)).toEqual(expected)
    })

    it('fails when two groups have the name, and says which', async () => {
      await expect(lookUp('admins')).rejects.toMatchObject({
        code: 'InvalidResource',
        message: expect.stringContaining('2 groups are named admins: /north/admins, /south/admins'),
      })
    })

    it.each<[string, Partial<KeycloakOptions>, string]>([
      ['the secret is wrong', { clientSecret: 'wrong' }, 'Unauthorized'],
      ['the client is unknown', { clientId: 'unknown' }, 'Unauthorized'],
      ['the client has no service account', { clientId: 'no-account' }, 'Unauthorized'],
      ['the account has no role', { clientId: 'no-roles' }, 'Forbidden'],
      ['the account may only query, so that every group looks gone', { clientId: 'query-only' }, 'Forbidden'],
      ['the realm does not exist', { realm: 'nowhere' }, 'InvalidConfiguration'],
    ])('fails for good when %s', async (_why, options, code) => {
      await expect(lookUp('many', options)).rejects.toMatchObject({ name: 'PermanentError', code })
    })
  })
}
