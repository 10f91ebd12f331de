// What the subjects of the contract share: tokens, and short ways to ask.

import type { OpenedKeycloak } from '../keycloak.contract.ts'
import { SECRET } from './realm.ts'

/** An answer; `body` is parsed JSON, or undefined where there is none. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: bodies of many shapes, looked at field by field
  readonly body: any
}

/** One run of the contract over one server. */
export interface Suite {
  server(): OpenedKeycloak
  /** Sends a request to a path of the server. */
  send(path: string, options?: RequestInit): Promise<Answer>
  /** Asks for a token of the realm by form. */
  askToken(form: Readonly<Record<string, string>>, headers?: Readonly<Record<string, string>>): Promise<Answer>
  /** Asks below `/admin/realms/<realm>` as the service account of a client; as nobody for undefined. */
  ask(clientId: string | undefined, path: string, options?: RequestInit): Promise<Answer>
}

/** Makes the ways to the server that `opened` gives once the tests run. */
export function openSuite(opened: () => OpenedKeycloak): Suite {
  const tokens = new Map<string, string>()

  const send: Suite['send'] = async (path, options = {}) => {
    const response = await fetch(opened().url + path, options)
    const text = await response.text()
    return { status: response.status, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) }
  }
  const askToken: Suite['askToken'] = (form, headers = {}) =>
    send(`/realms/${opened().realm}/protocol/openid-connect/token`, {
      method: 'POST',
      headers,
      body: new URLSearchParams(form),
    })
  const tokenOf = async (clientId: string) => {
    const form = { grant_type: 'client_credentials', client_id: clientId, client_secret: SECRET }
    const token = tokens.get(clientId) ?? ((await askToken(form)).body.access_token as string)
    tokens.set(clientId, token)
    return token
  }
  return {
    server: opened,
    send,
    askToken,
    async ask(clientId, path, options = {}) {
      const headers: Record<string, string> = { 'content-type': 'application/json' }
      if (clientId !== undefined) headers.authorization = `Bearer ${await tokenOf(clientId)}`
      return await send(`/admin/realms/${opened().realm}${path}`, { headers, ...options })
    },
  }
}
