// One run of the comparison: a namespace and a group of its own on both servers, all rows on both, and what differs.

import { randomBytes } from 'node:crypto'
import { type KubernetesApi, startKubernetesApi } from '../../../../infra/local/kubernetes/server.ts'
import { openUpstream } from '../../proxy/upstream.ts'
import { openAdministrator } from '../../world/administrator.ts'
import { differences } from './compare.ts'
import { type Answer, pathsOf, type Row } from './row.ts'
import { FENCE_GONE, FENCE_OPEN, FENCE_SIGN, FENCED } from './rows/fence.ts'
import { PREPARATION, ROWS, UNFENCED } from './rows.ts'
import { type Server, sendRows } from './send.ts'

const TOKEN = 'administrator'
const WITHIN_MS = 20_000

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
    const served = ['{widgets}', '{widgets2}', '{gadgets}', '{fences}'].map(path => ({
      title: path,
      send: `GET ${path}`,
    }))
    await until(server, served, 200, words)
    const kept = new Map<string, Answer>()
    const middle = await sendRows(server, UNFENCED, words, kept)
    await until(server, [FENCE_SIGN], 403, words)
    await until(server, [FENCE_OPEN], 201, words)
    return [...first, ...middle, ...(await sendRows(server, FENCED, words, kept))]
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
    const gone = [
      ...FENCE_GONE,
      `{crds}/widgets.{group}`,
      `{crds}/gadgets.{group}`,
      `{namespaces}/{ns}`,
      `{namespaces}/{ns}-a`,
    ]
    await sendRows(real, gone.map(remove), words)
  }
}

/** A definition is served, and a policy in force, some time after it was created. */
async function until(
  server: Server,
  rows: readonly Row[],
  wanted: number,
  words: Readonly<Record<string, string>>,
): Promise<void> {
  const endsAtMs = performance.now() + WITHIN_MS
  for (;;) {
    const answers = await sendRows(server, rows, words)
    if (answers.every(({ status }) => status === wanted)) return
    if (performance.now() > endsAtMs)
      throw new Error(`${rows.map(({ title }) => title).join(', ')}: not ${wanted} after ${WITHIN_MS / 1000} s`)
  }
}
