import { describe, expect, it } from 'vitest'
import { clientCredentialsForm, tokenExchangeForm } from '../../../lib/oidc/grants.ts'

const ASKING = { clientId: 'c', clientSecret: 's', audience: '', scopes: [] }
const EXCHANGING = {
  ...ASKING,
  subjectToken: 'subject',
  subjectTokenType: '',
  requestedTokenType: '',
  resource: '',
  actorToken: '',
  actorTokenType: '',
}
const ACCESS = 'urn:ietf:params:oauth:token-type:access_token'
const JWT = 'urn:ietf:params:oauth:token-type:jwt'

describe('the form of a client’s own token', () => {
  it.each<[string, object, object]>([
    ['asks for openid', {}, { scope: 'openid' }],
    ['asks for more', { scopes: ['a', 'b'] }, { scope: 'openid a b' }],
    ['says for whom', { audience: 'them' }, { scope: 'openid', audience: 'them' }],
  ])('%s', (_, changes, expected) => {
    const form = clientCredentialsForm({ ...ASKING, ...changes })
    expect(form).toEqual({ grant_type: 'client_credentials', client_id: 'c', client_secret: 's', ...expected })
  })

  it('has no empty secret', () => {
    expect(clientCredentialsForm({ ...ASKING, clientSecret: '' })).not.toHaveProperty('client_secret')
  })
})

describe('the form of an exchange', () => {
  const plain = {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    client_id: 'c',
    client_secret: 's',
    subject_token: 'subject',
    subject_token_type: ACCESS,
    requested_token_type: ACCESS,
  }
  it.each<[string, object, object]>([
    ['is of access tokens by default', {}, {}],
    [
      'says what the tokens are',
      { subjectTokenType: JWT, requestedTokenType: JWT },
      { subject_token_type: JWT, requested_token_type: JWT },
    ],
    ['says who acts', { actorToken: 'actor' }, { actor_token: 'actor', actor_token_type: ACCESS }],
    ['says nothing of an actor’s type without an actor', { actorTokenType: JWT }, {}],
    [
      'says for what',
      { resource: 'https://r', audience: 'them', scopes: ['a', 'b'] },
      { resource: 'https://r', audience: 'them', scope: 'a b' },
    ],
  ])('%s', (_, changes, expected) => {
    expect(tokenExchangeForm({ ...EXCHANGING, ...changes })).toEqual({ ...plain, ...expected })
  })
})
