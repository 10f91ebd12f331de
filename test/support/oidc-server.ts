// A small OIDC issuer over TLS: a discovery document, and tokens by client credentials and by exchange. What it answers can be bent.

import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { SERVER_TLS } from './spoke.ts'

/** An answer of the issuer. */
export interface IssuerAnswer {
  readonly status: number
  /** Sent as JSON, or as it is when it is a text. */
  readonly body: unknown
  readonly headers?: Record<string, string>
}

/** A running issuer. */
export interface Issuer {
  /** `https://127.0.0.1:<port>/realms/ops`. */
  readonly url: string
  /** Every form that came to the token endpoint, in order. */
  readonly forms: Record<string, string>[]
  /** How often the discovery document was asked for. */
  discoveries(): number
  /** Answers in place of the document; `hang` never answers. */
  discovery: (() => IssuerAnswer | 'hang') | undefined
  /** Answers in place of the token endpoint; `hang` never answers. */
  token: ((form: Record<string, string>) => IssuerAnswer | 'hang') | undefined
  /** Resolves once a request was left hanging. */
  readonly hanging: Promise<void>
  close(): Promise<void>
}

/** The one client an issuer knows by default. */
export const CLIENT = { id: 'breakglass', secret: 'secret-of-the-client' }
const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'

/**
 * Starts an issuer.
 *
 * @param accessToken what it gives out.
 * @param subjectTokens what it exchanges.
 */
export async function startIssuer(accessToken: string, subjectTokens: readonly string[] = []): Promise<Issuer> {
  let discoveries = 0
  let tellHanging = () => {}
  const hanging = new Promise<void>(resolve => {
    tellHanging = resolve
  })
  const server = createServer(SERVER_TLS, async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const form = Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString()))
    const answer = answerTo(request.url ?? '', form)
    if (answer === 'hang') return tellHanging()
    response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers })
    response.end(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body))
  })
  server.on('tlsClientError', () => {})
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/realms/ops`

  function answerTo(path: string, form: Record<string, string>): IssuerAnswer | 'hang' {
    if (path === '/realms/ops/.well-known/openid-configuration') {
      discoveries++
      return issuer.discovery?.() ?? { status: 200, body: { issuer: url, token_endpoint: `${url}/token` } }
    }
    if (path !== '/realms/ops/token') return { status: 404, body: {} }
    issuer.forms.push(form)
    return issuer.token?.(form) ?? grant(form)
  }

  function grant(form: Record<string, string>): IssuerAnswer {
    if (form.client_id !== CLIENT.id || form.client_secret !== CLIENT.secret)
      return { status: 401, body: { error: 'invalid_client', error_description: `bad secret ${form.client_secret}` } }
    if (form.grant_type === EXCHANGE && !subjectTokens.includes(form.subject_token ?? ''))
      return { status: 400, body: { error: 'invalid_grant', error_description: `bad token ${form.subject_token}` } }
    return { status: 200, body: { access_token: accessToken, token_type: 'Bearer', expires_in: 60 } }
  }

  const issuer: Issuer = {
    url,
    forms: [],
    discoveries: () => discoveries,
    discovery: undefined,
    token: undefined,
    hanging,
    async close() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
  return issuer
}
