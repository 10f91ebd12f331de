// The OpenID Connect endpoints of a realm: discovery, keys, and tokens for service accounts. Refusals come in Keycloak's order:
// first the form, then the client, then what it may do.
import type { Client, Realm } from './realm.ts'
import { answered, type KeycloakRequest, type Reply, refusal } from './reply.ts'
import type { Tokens } from './tokens.ts'

/** Answers a request below `/realms/<realm>`; `path` is the rest, without its first slash. */
export function answerOidc(request: KeycloakRequest, realm: Realm, path: string, tokens: Tokens): Reply {
  const endpoint = ENDPOINTS[path]
  if (endpoint === undefined) return refusal(404)
  if (request.method !== endpoint.method) return refusal(405)
  return endpoint.answer(request, realm, tokens)
}

interface Endpoint {
  readonly method: string
  readonly answer: (request: KeycloakRequest, realm: Realm, tokens: Tokens) => Reply
}

const ENDPOINTS: Readonly<Record<string, Endpoint>> = {
  '.well-known/openid-configuration': {
    method: 'GET',
    answer: ({ origin }, realm) =>
      answered(200, 'no-cache, must-revalidate, no-transform, no-store', discovery(origin, realm)),
  },
  'protocol/openid-connect/certs': {
    method: 'GET',
    answer: (_request, _realm, tokens) => answered(200, 'no-cache', { keys: [tokens.key] }),
  },
  'protocol/openid-connect/token': { method: 'POST', answer: answerToken },
}

const issuerOf = (origin: string, { name }: Realm) => `${origin}/realms/${encodeURIComponent(name)}`

function discovery(origin: string, realm: Realm): object {
  const issuer = issuerOf(origin, realm)
  const protocol = `${issuer}/protocol/openid-connect`
  return {
    issuer,
    authorization_endpoint: `${protocol}/auth`,
    token_endpoint: `${protocol}/token`,
    introspection_endpoint: `${protocol}/token/introspect`,
    userinfo_endpoint: `${protocol}/userinfo`,
    end_session_endpoint: `${protocol}/logout`,
    jwks_uri: `${protocol}/certs`,
    grant_types_supported: ['client_credentials'],
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['EdDSA'],
    token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
    scopes_supported: ['openid', 'profile', 'email'],
  }
}

const INVALID_CREDENTIALS = 'Invalid client or Invalid client credentials'

function answerToken(request: KeycloakRequest, realm: Realm, tokens: Tokens): Reply {
  const form = new URLSearchParams(request.body)
  const grant = form.get('grant_type')
  if (grant === null) return refused(400, 'invalid_request', 'Missing form parameter: grant_type')
  if (grant !== 'client_credentials') return refused(400, 'unsupported_grant_type', 'Unsupported grant_type')
  const { id, secret } = credentialsOf(request, form)
  const client = realm.clients.get(id)
  if (!client?.isEnabled) return refused(401, 'invalid_client', INVALID_CREDENTIALS)
  if (!client.isPublic && (secret === null || secret !== client.secret))
    return refused(401, 'unauthorized_client', INVALID_CREDENTIALS)
  if (client.isPublic)
    return refused(401, 'unauthorized_client', 'Public client not allowed to retrieve service account')
  if (!client.hasServiceAccount)
    return refused(401, 'unauthorized_client', 'Client not enabled to retrieve service account')
  return granted(request.origin, realm, client, tokens)
}

/** From the form, or as HTTP Basic. */
function credentialsOf({ headers }: KeycloakRequest, form: URLSearchParams): { id: string; secret: string | null } {
  const basic = /^basic (.+)$/i.exec(String(headers.authorization ?? ''))?.[1]
  if (basic === undefined) return { id: form.get('client_id') ?? '', secret: form.get('client_secret') }
  const [id = '', secret = ''] = Buffer.from(basic, 'base64').toString().split(/:(.*)/s)
  return { id: decodeURIComponent(id), secret: decodeURIComponent(secret) }
}

function granted(origin: string, realm: Realm, client: Client, tokens: Tokens): Reply {
  const bearer = { realm: realm.name, clientId: client.clientId }
  return answered(200, 'no-store', {
    access_token: tokens.issue(bearer, client, issuerOf(origin, realm)),
    expires_in: client.tokenLifeSeconds,
    refresh_expires_in: 0,
    token_type: 'Bearer',
    'not-before-policy': 0,
    scope: 'profile email',
  })
}

function refused(status: number, error: string, description: string): Reply {
  return answered(status, 'no-store', { error, error_description: description })
}
