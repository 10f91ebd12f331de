// What the product relies on of a Keycloak: its endpoints told in HTTP alone, and lookups through the product's client. The same
// suite runs over the embedded Keycloak and over a real one, on a realm of its own.

import { afterAll, beforeAll, describe } from 'vitest'
import { describeChanges } from './keycloak/changes.ts'
import { describeGroups } from './keycloak/groups.ts'
import { describeLookups } from './keycloak/lookups.ts'
import { openSuite } from './keycloak/suite.ts'
import { describeTokens } from './keycloak/tokens.ts'

/** A server with a realm made by `contractRealm`. */
export interface OpenedKeycloak {
  /** Without a slash at its end. */
  readonly url: string
  readonly realm: string
  close(): Promise<void>
}

/** Runs the suite over the server that `open` gives. */
export function describeKeycloak(name: string, open: () => Promise<OpenedKeycloak>): void {
  describe(`the Keycloak of ${name}`, () => {
    let opened: OpenedKeycloak
    beforeAll(async () => {
      opened = await open()
    })
    afterAll(() => opened.close())
    const suite = openSuite(() => opened)
    describeTokens(suite)
    describeGroups(suite)
    describeLookups(suite)
    describeChanges(suite)
  })
}
