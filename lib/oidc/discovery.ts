// Where an OIDC issuer gives out tokens, as its discovery document says. A client secret will be sent there, so that it has to be on
// the issuer's own origin: a document can't lead it elsewhere, and neither can a redirect.

import * as z from 'zod'
import type { Exchange } from '../http/exchange.ts'

/** The longest discovery document, or any other answer of an issuer, that is read, bytes. */
export const LONGEST_ANSWER = 256 * 1_024

/** An issuer answered, and nothing can be done with what it said; the message holds nothing that it sent. */
export class DiscoveryRefused extends Error {
  override readonly name = 'DiscoveryRefused'
}

const document = z.object({ token_endpoint: z.string().min(1) })

/**
 * Finds the token endpoint of an issuer.
 *
 * @param exchange leads to the issuer's origin.
 * @param issuer an `https:` URL; its path is a prefix.
 * @param limits `limitMs`: when the try ends without an answer.
 * @returns the endpoint's path, with the query, on the issuer's origin.
 * @throws DiscoveryRefused. Error – as `Exchange.send`.
 * @see https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfig
 */
export async function discoverTokenEndpoint(
  exchange: Exchange,
  issuer: URL,
  limits: { readonly limitMs: number; readonly signal: AbortSignal },
): Promise<string> {
  const { status, body } = await exchange.send({
    method: 'GET',
    path: `${issuer.pathname.replace(/\/$/, '')}/.well-known/openid-configuration`,
    headers: { accept: 'application/json', 'user-agent': 'fencepost' },
    payload: undefined,
    ...limits,
  })
  if (status !== 200)
    throw new DiscoveryRefused(`HTTP ${status}${status >= 300 && status < 400 ? '; redirects are not followed' : ''}`)
  const read = document.safeParse(body)
  if (!read.success || !URL.canParse(read.data.token_endpoint))
    throw new DiscoveryRefused('its discovery document names no token endpoint')
  const endpoint = new URL(read.data.token_endpoint)
  if (endpoint.protocol !== 'https:' || endpoint.origin !== issuer.origin)
    throw new DiscoveryRefused("its token endpoint is not on the issuer's own origin")
  return `${endpoint.pathname}${endpoint.search}`
}
