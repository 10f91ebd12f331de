// What processes sent to API servers and what came of it, seen from the proxy between them: a request counts here whether or not
// its process ever heard of the answer.

import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { Passed, Upstream } from '../../proxy/upstream.ts'
import type { Answer } from './cluster.ts'

/** A request that reached an API server, and what came of it, whether or not the process ever heard of it. */
export interface Sent {
  /** The process. */
  readonly by: string
  readonly method: string
  readonly path: string
  readonly isDryRun: boolean
  readonly isVirtual: boolean
  readonly status: number
  /** The server's refusal; else ''. */
  readonly message: string
}

/** Tells the proxy's two halves which process a request is of; no server sees it. */
export const BY = 'x-fencepost-test-process'

/** Passes a request on and keeps what came of it. */
export async function record(sent: Sent[], request: Passed, to: Upstream): ReturnType<Upstream['send']> {
  const { [BY]: by = '', ...headers } = request.headers
  const answer = await to.send({ ...request, headers })
  const said = await text(answer)
  const [path = '', query = ''] = request.path.split('?')
  const status = answer.statusCode ?? 0
  sent.push({
    by,
    method: request.method,
    path,
    isDryRun:
      query.includes('dryRun=All') || (request.method === 'DELETE' && String(request.body).includes('"dryRun"')),
    isVirtual: 'impersonate-user' in headers,
    status,
    message: status < 400 ? '' : messageOf(said),
  })
  return Object.assign(Readable.from([said]), { statusCode: status, headers: answer.headers }) as Awaited<
    ReturnType<Upstream['send']>
  >
}

/** What an answer says; a server answers plain text for a kind it does not know. */
function messageOf(said: string): string {
  return said.startsWith('{') ? ((JSON.parse(said) as Answer).message ?? '') : said
}

/** Writes to work objects that an API server accepted, dry runs left out. */
export function accepted({ sent }: { readonly sent: readonly Sent[] }, by?: string): Sent[] {
  return sent.filter(one => one.isVirtual && !one.isDryRun && one.status < 300 && (by === undefined || by === one.by))
}
