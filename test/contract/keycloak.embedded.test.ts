// The contract of Keycloak over the embedded one.

import { startKeycloak } from '../../infra/local/keycloak/server.ts'
import { contractRealm } from './keycloak/realm.ts'
import { describeKeycloak } from './keycloak.contract.ts'

describeKeycloak('the embedded server', async () => {
  const realm = 'contract'
  const { url, close } = await startKeycloak({ realms: [contractRealm(realm)] })
  return { url, realm, close }
})
