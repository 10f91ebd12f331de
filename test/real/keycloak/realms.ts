// Realms of a real Keycloak: imported by its administrator, and deleted again.

import type { RealKeycloak } from '../world/provided.ts'

/** A realm that was imported. */
export interface ImportedRealm {
  /** Deletes it. */
  remove(): Promise<void>
}

/** Imports a realm export. @throws Error – with what Keycloak says against it. */
export async function importRealm(keycloak: RealKeycloak, realm: object): Promise<ImportedRealm> {
  const send = async (method: string, path: string, body?: object) => {
    const headers = {
      authorization: `Bearer ${await administratorToken(keycloak)}`,
      'content-type': 'application/json',
    }
    return await fetch(`${keycloak.url}/admin/realms${path}`, {
      method,
      headers,
      ...(body && { body: JSON.stringify(body) }),
    })
  }
  const answer = await send('POST', '', realm)
  if (answer.status !== 201) throw new Error(`the realm is refused with ${answer.status}: ${await answer.text()}`)
  return { remove: async () => void (await send('DELETE', `/${(realm as { realm: string }).realm}`)) }
}

/** It lives for a minute. */
async function administratorToken({ url, password }: RealKeycloak): Promise<string> {
  const form = { grant_type: 'password', client_id: 'admin-cli', username: 'administrator', password }
  const answer = await fetch(`${url}/realms/master/protocol/openid-connect/token`, {
    method: 'POST',
    body: new URLSearchParams(form),
  })
  return ((await answer.json()) as { access_token: string }).access_token
}
