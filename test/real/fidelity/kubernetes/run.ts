// One run of the comparison: a namespace and a group of its own on both servers, all rows on both, and what differs.

import { randomBytes } from 'node:crypto'
import { type KubernetesApi, startKubernetesApi } from '../../../../infra/local/kubernetes/server.ts'
import { openUpstream } from '../../proxy/upstream.ts'
import { openAdministrator } from '../../world/administrator.ts'
import { differences } from './compare.ts'
import { pathsOf, type Row } from './row.ts'
import { PREPARATION, ROWS } from './rows.ts'
import { type Server, sendRows } from './send.ts'

const TOKEN = 'administrator'
const SERVED_WITHIN_MS = 20_000

/** A row with what differed: paths in the answer, the embedded API's value first. */
export interface Compared {
  readonly row: Row
  readonly found: ReadonlyMap<string, readonly [unknown, unknown]>
}

/** The two servers of a run. */
export interface Pair {
  readonly embedded: Server
  readonly real: Server
  /** Makes every resourceVersion of the embedded one too old. */
  compact(): void
  close(): Promise<void>
}

/** Starts the embedded API and connects to the real one. */
export async function openPair(kubeconfig: string): Promise<Pair> {
  const api: KubernetesApi = await startKubernetesApi({ tokens: { [TOKEN]: TOKEN } })
  const administrator = await openAdministrator(kubeconfig)
  const upstream = openUpstream(new URL(api.url))
  return {
    embedded: { upstream, headers: async () => ({ authorization: `Bearer ${TOKEN}` }) },
    real: { upstream: administrator.upstream, headers: () => administrator.connection.headers() },
    compact: () => api.compact(),
    async close() {
      upstream.close()
      administrator.close()
      await api.close()
    },
  }
}

/** Sends all rows to both servers; what was made on the real one is deleted again. */
export async function compareServers({ embedded, real }: Pair): Promise<Compared[]> {
  const suffix = randomBytes(4).toString('hex')
  const words = pathsOf(`fidelity-${suffix}`, `f${suffix}.fencepost.test`)
  const all = async (server: Server) => {
    const first = await sendRows(server, PREPARATION, words)
    const refused = first.find(({ status }) => status !== 201)
    if (refused) throw new Error(`the comparison can't be prepared: ${JSON.stringify(refused.body)}`)
    await untilServed(server, [words.widgets as string, words.widgets2 as string, words.gadgets as string])
    return [...first, ...(await sendRows(server, ROWS, words))]
  }
  try {
    const [ones, others] = await Promise.all([all(embedded), all(real)])
    return [...PREPARATION, ...ROWS].map((row, at) => {
      const [one, other] = [ones[at], others[at]]
      if (one === undefined || other === undefined) throw new Error(`no answer to «${row.title}»`)
      return { row, found: differences(row, one, other) }
    })
  } finally {
    const remove = (path: string) => ({ title: path, send: `DELETE ${path}` })
    const gone = [`{crds}/widgets.{group}`, `{crds}/gadgets.{group}`, `{namespaces}/{ns}`, `{namespaces}/{ns}-a`]
    await sendRows(real, gone.map(remove), words)
  }
}

/** A definition is served some time after it was created. */
async function untilServed(server: Server, paths: readonly string[]): Promise<void> {
  const endsAtMs = performance.now() + SERVED_WITHIN_MS
  const look = paths.map(path => ({ title: path, send: `GET ${path}` }))
  for (;;) {
    const answers = await sendRows(server, look, {})
    if (answers.every(({ status }) => status === 200)) return
    if (performance.now() > endsAtMs)
      throw new Error(`${paths.join(', ')} are not served after ${SERVED_WITHIN_MS / 1000} s`)
  }
}
