// What is asked of a token endpoint, as forms: a token for a client itself, or for one that a subject's token is exchanged for. Refresh
// tokens have no form here: most are good for one use.

/** Who asks, and for what; texts are '' when unset. */
export interface Asking {
  readonly clientId: string
  readonly clientSecret: string
  readonly audience: string
  readonly scopes: readonly string[]
}

/** The tokens of an exchange, and what they are; texts are '' when unset. */
export interface Exchanging extends Asking {
  readonly subjectToken: string
  /** Default: an access token; so for the types below. */
  readonly subjectTokenType: string
  readonly requestedTokenType: string
  readonly resource: string
  readonly actorToken: string
  readonly actorTokenType: string
}

/** The form of a client's own token. @see https://www.rfc-editor.org/rfc/rfc6749#section-4.4 */
export function clientCredentialsForm({ scopes, ...asking }: Asking): Record<string, string> {
  return { grant_type: 'client_credentials', ...client(asking), scope: ['openid', ...scopes].join(' ') }
}

const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'

/** The form of an exchange. @see https://www.rfc-editor.org/rfc/rfc8693#section-2.1 */
export function tokenExchangeForm({ scopes, ...exchanging }: Exchanging): Record<string, string> {
  const { subjectToken, subjectTokenType, requestedTokenType, resource, actorToken, actorTokenType } = exchanging
  return {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    ...client(exchanging),
    subject_token: subjectToken,
    subject_token_type: subjectTokenType || ACCESS_TOKEN,
    requested_token_type: requestedTokenType || ACCESS_TOKEN,
    ...(actorToken && { actor_token: actorToken, actor_token_type: actorTokenType || ACCESS_TOKEN }),
    ...(resource && { resource }),
    ...(scopes.length > 0 && { scope: scopes.join(' ') }),
  }
}

function client({ clientId, clientSecret, audience }: Omit<Asking, 'scopes'>): Record<string, string> {
  return {
    client_id: clientId,
    ...(clientSecret && { client_secret: clientSecret }),
    ...(audience && { audience }),
  }
}
