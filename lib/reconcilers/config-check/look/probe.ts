// Whether a cluster answers and knows us: it is asked who we are, which every authenticated user may ask and which changes nothing.
// Its version would prove less, since most clusters tell that to anybody. One try: the next tick is the next one.

import * as z from 'zod'
import { type Exchange, openExchange } from '../../../http/exchange.ts'
import type { Connection } from '../../../kubernetes/connection.ts'
import type { Clock } from '../../../time.ts'
import { type Failure, failed, type Look, untried } from '../rules/look.ts'
import { describeBreak, isUntrusted, LOOK_MS } from './breaks.ts'

/** The longest answer that is read, bytes. */
const LONGEST_ANSWER = 256 * 1_024
const ANONYMOUS = 'system:anonymous'

/** Since Kubernetes 1.28. */
const WHO_AM_I = {
  path: '/apis/authentication.k8s.io/v1/selfsubjectreviews',
  body: { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
}
/** Before that: what we may do, which is not for anonymous users to ask. */
const WHAT_MAY_I = {
  path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
  body: {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectAccessReview',
    spec: { nonResourceAttributes: { path: '/version', verb: 'get' } },
  },
}

const review = z.object({
  kind: z.enum(['SelfSubjectReview', 'SelfSubjectAccessReview']),
  status: z.object({ userInfo: z.object({ username: z.string() }).optional() }),
})

/** How a cluster is probed. */
export interface Probing {
  readonly clock: Clock
  readonly signal: AbortSignal
  /** A certificate that isn't trusted leaves the cluster untried. */
  readonly allowsTrustOnFirstUse: boolean
}

/** Probes a cluster; undefined when it answers and knows us. */
export async function probe(connection: Connection, probing: Probing): Promise<Look | undefined> {
  const { clock, signal, allowsTrustOnFirstUse } = probing
  const exchange = openExchange({ ...connection, longestBody: LONGEST_ANSWER }, clock)
  try {
    const credentials = await connection.headers()
    const prefix = connection.server.pathname.replace(/\/$/, '')
    const ask = ({ path, body }: typeof WHO_AM_I) => send(exchange, `${prefix}${path}`, body, credentials, signal)
    const answer = await ask(WHO_AM_I)
    return judge(answer.status === 404 ? await ask(WHAT_MAY_I) : answer)
  } catch (error) {
    if (allowsTrustOnFirstUse && isUntrusted(error) && !signal.aborted) return untried('trust-on-first-use')
    return unreachable(`can't be reached: ${describeBreak(error, signal)}`)
  } finally {
    exchange.close()
  }
}

async function send(
  exchange: Exchange,
  path: string,
  body: object,
  credentials: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<{ status: number; body: unknown }> {
  return await exchange.send({
    method: 'POST',
    path,
    headers: {
      accept: 'application/json',
      'content-type': 'application/json',
      'user-agent': 'fencepost',
      ...credentials,
    },
    payload: JSON.stringify(body),
    limitMs: LOOK_MS,
    signal,
  })
}

function judge({ status, body }: { status: number; body: unknown }): Failure | undefined {
  if (status === 401) return unreachable('refuses its credentials (HTTP 401)')
  if (status === 403)
    return unreachable('refuses its credentials, or gives them no right to ask who they are (HTTP 403)')
  if (status >= 300 && status < 400)
    return unreachable(`can't be reached: it answers with a redirect (HTTP ${status}), which is not followed`)
  if (status !== 200 && status !== 201) return unreachable(`can't be reached: it answers HTTP ${status}`)
  const read = review.safeParse(body)
  if (!read.success) return unreachable("can't be reached: what answers is no Kubernetes API")
  return read.data.status.userInfo?.username === ANONYMOUS
    ? unreachable('takes its credentials for nobody (system:anonymous)')
    : undefined
}

function unreachable(what: string): Failure {
  return failed('ClusterUnreachable', `The cluster ${what}.`)
}
