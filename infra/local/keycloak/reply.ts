// Requests as they were read, and answers before they are sent.

/** A request; `body` is the text as it came. */
export interface KeycloakRequest {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
  /** Scheme, host and port as the client wrote them. */
  readonly origin: string
}

/** An answer; without `body` it has none. */
export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

const JSON_TYPE = { 'content-type': 'application/json' }

/** A refusal, in the form of the admin API. */
export function refusal(status: number, error = HTTP[status] ?? `HTTP ${status}`): Reply {
  return { status, headers: JSON_TYPE, body: JSON.stringify({ error }) }
}

/** A refused change, in the other form of the admin API. */
export function refusedChange(status: number, errorMessage: string): Reply {
  return { status, headers: JSON_TYPE, body: JSON.stringify({ errorMessage }) }
}

/** A body is no JSON of the kind that is wanted. */
export function unparsable(): Reply {
  const body = { error: 'unknown_error', error_description: 'Cannot parse the JSON' }
  return { status: 400, headers: JSON_TYPE, body: JSON.stringify(body) }
}

/** An answer of the admin API. */
export function found(body: unknown): Reply {
  const headers = { 'content-type': 'application/json;charset=UTF-8', 'cache-control': 'no-cache' }
  return { status: 200, headers, body: JSON.stringify(body) }
}

/** A change was made. */
export function done(headers: Readonly<Record<string, string>> = {}): Reply {
  return { status: 204, headers }
}

/** An answer of the OpenID Connect endpoints. */
export function answered(status: number, cacheControl: string, body: unknown): Reply {
  return { status, headers: { ...JSON_TYPE, 'cache-control': cacheControl }, body: JSON.stringify(body) }
}

const HTTP: Readonly<Record<number, string>> = {
  400: 'HTTP 400 Bad Request',
  401: 'HTTP 401 Unauthorized',
  403: 'HTTP 403 Forbidden',
  404: 'HTTP 404 Not Found',
  405: 'HTTP 405 Method Not Allowed',
}
