// The contract of Keycloak on a real one, with nothing in between: the measure of the embedded one.

import { randomBytes } from 'node:crypto'
import { inject } from 'vitest'
import { contractRealm } from '../../contract/keycloak/realm.ts'
import { describeKeycloak } from '../../contract/keycloak.contract.ts'
import { describeWith } from '../world/left-out.ts'
import { importRealm } from './realms.ts'

describeWith(inject('realServers').keycloak, 'a real Keycloak', real => {
  describeKeycloak('it', async () => {
    const realm = `contract-${randomBytes(4).toString('hex')}`
    const { remove } = await importRealm(real, contractRealm(realm))
    return { url: real.url, realm, close: remove }
  })
})
