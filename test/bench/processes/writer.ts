// Changes sessions through the product and through a bare client, in turn, and tells how long each took for its writes: from
// the first that was sent to the last that was answered. The same process and so the same warmth for both.

import { subscribe } from 'node:diagnostics_channel'
import { type ClientRequest, Agent as HttpAgent, request as httpRequest } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import type { Context } from 'aws-lambda'
import { pathOf } from '../../../lib/kubernetes/api.ts'
import { type Connection, connectByKubeconfig } from '../../../lib/kubernetes/connection.ts'
import { KubeConfig } from '../../../lib/kubernetes/kubeconfig-library.ts'
import { BREAKGLASS_SESSIONS } from '../../../lib/kubernetes/resources/breakglass-session.ts'
import { EVENTS } from '../../../lib/kubernetes/resources/event.ts'
import { openTransport } from '../../../lib/kubernetes/transport.ts'
import { cleanup } from '../../../lib/runtime/loops/cleanup.ts'
import { manual } from '../../../lib/runtime/manual.ts'
import { openWiring } from '../../../lib/runtime/wiring.ts'
import { systemClock } from '../../../lib/time.ts'
import { isWork, readFence } from '../../support/requests.ts'
import { SESSIONS_NAMESPACE } from '../../support/sessions.ts'
import { LOOP } from '../installation.ts'
import { planWrites, type SessionWrites, storeSessions } from '../writes.ts'

/** One round: `sessions` sessions through each, one right after the other. */
export interface Round {
  /** At most 100. */
  readonly sessions: number
  readonly isBareFirst: boolean
}

/** How long the writes took, ms, and the processor time that this process spent meanwhile. */
export interface Writing {
  readonly ms: number
  readonly cpuMs: number
}

/** A round; `tickMs` is the product's whole tick with its lease and its lists. */
export interface RoundResult {
  readonly product: Writing
  readonly tickMs: number
  readonly bare: Writing
}

const LANES = 5
const AT = { namespace: SESSIONS_NAMESPACE }
const connection = await connectByKubeconfig(KubeConfig, process.env.KUBECONFIG)
const api = openTransport(connection, { clock: systemClock })
const handler = manual([cleanup], () => openWiring(process.env))
const sendBare = openBareClient(connection)
let rounds = 0

function contextOf(awsRequestId: string): Context {
  return { awsRequestId, getRemainingTimeInMillis: () => 120_000 } as Context
}

async function throughProduct(names: readonly string[]): Promise<number> {
  const startedMs = performance.now()
  await handler({ loop: 'cleanup', names }, contextOf(`round-${rounds}`))
  return performance.now() - startedMs
}

/** What makes a write that of the last term: the Fence stays where that has raised it. */
async function asLastTerm(): Promise<Record<string, string>> {
  const spec = await readFence(api, LOOP)
  if (!spec) throw new Error(`Fence ${LOOP} was never raised`)
  return {
    'impersonate-user': `fencepost:${LOOP}`,
    'impersonate-extra-fencepost.dev%2ftoken': String(spec.token),
    'impersonate-extra-fencepost.dev%2fholder': spec.holder,
  }
}

async function throughBareClient(writes: readonly SessionWrites[], own: Record<string, string>): Promise<void> {
  const queue = writes.values()
  const lane = async () => {
    for (const { name, patch, event } of queue) {
      const path = pathOf(BREAKGLASS_SESSIONS, { ...AT, name, subresource: 'status' })
      await sendBare('PATCH', path, { ...own, 'content-type': 'application/merge-patch+json' }, patch)
      await sendBare('POST', pathOf(EVENTS, AT), { ...own, 'content-type': 'application/json' }, event)
    }
  }
  await Promise.all(Array.from({ length: LANES }, lane))
}

/** The least that sends a request and takes its answer: kept-alive connections, and nothing that could be left out. */
function openBareClient({ server, tls, headers }: Connection) {
  const isTls = server.protocol === 'https:'
  const pool = { keepAlive: true, maxSockets: LANES }
  const agent = isTls ? new HttpsAgent({ ...pool, ...tls }) : new HttpAgent(pool)
  const request = isTls ? httpsRequest : httpRequest
  const { hostname, port } = server
  return async (method: string, path: string, own: Record<string, string>, body: object) => {
    const credentials = await headers()
    const payload = JSON.stringify(body)
    await new Promise<void>((resolve, reject) => {
      const length = Buffer.byteLength(payload)
      const sent = request({
        ...{ agent, method, hostname, port, path },
        headers: { ...credentials, ...own, 'content-length': length },
      })
      sent.on('error', reject)
      sent.on('response', response => {
        response.resume()
        response.on('end', () =>
          Number(response.statusCode) < 300
            ? resolve()
            : reject(new Error(`${method} ${path}: ${response.statusCode}`)),
        )
      })
      sent.end(payload)
    })
  }
}

/** Times the writes to sessions and Events that `work` sends. @throws Error – they are not two for each session */
async function timeWrites(sessions: number, work: () => Promise<unknown>): Promise<Writing> {
  watched = { writes: 2 * sessions, firstMs: 0, lastMs: 0, answered: 0, cpu: process.cpuUsage(), cpuMs: 0 }
  await work()
  const { firstMs, lastMs, answered, cpuMs } = watched
  if (answered !== 2 * sessions) throw new Error(`${answered} writes were answered for ${sessions} sessions`)
  return { ms: lastMs - firstMs, cpuMs }
}

let watched = { writes: 0, firstMs: 0, lastMs: 0, answered: 0, cpu: process.cpuUsage(), cpuMs: 0 }
const isWrite = ({ method, path: whole }: ClientRequest) => {
  const [path = '', query = ''] = whole.split('?')
  return isWork({ method, path, query })
}
subscribe('http.client.request.start', message => {
  const { request } = message as { request: ClientRequest }
  if (!isWrite(request) || watched.firstMs > 0) return
  watched.firstMs = performance.now()
  watched.cpu = process.cpuUsage()
})
subscribe('http.client.response.finish', message => {
  const { request } = message as { request: ClientRequest }
  // The clocks are looked at once: reading the processor's takes as long as some requests do.
  if (!isWrite(request) || ++watched.answered !== watched.writes) return
  const { user, system } = process.cpuUsage(watched.cpu)
  watched.lastMs = performance.now()
  watched.cpuMs = (user + system) / 1_000
})

async function play({ sessions, isBareFirst }: Round): Promise<RoundResult> {
  await storeSessions(api, 2 * sessions, `round-${rounds++}`)
  const writes = await planWrites(api)
  if (writes.length !== 2 * sessions) throw new Error(`${writes.length} sessions are due`)
  const [ours, theirs] = [writes.slice(0, sessions), writes.slice(sessions)]
  let tickMs = 0
  const product = () =>
    timeWrites(sessions, async () => {
      tickMs = await throughProduct(ours.map(({ name }) => name))
    })
  const bare = async () => {
    const own = await asLastTerm()
    return await timeWrites(sessions, () => throughBareClient(theirs, own))
  }
  if (isBareFirst) {
    const first = await bare()
    return { bare: first, product: await product(), tickMs }
  }
  return { product: await product(), bare: await bare(), tickMs }
}

// The bare client writes as the last term, so that there must have been one.
await storeSessions(api, 0, '')
await handler({ loop: 'cleanup' }, contextOf('first'))

process.on('message', async (round: Round) => {
  process.send?.(await play(round))
})
process.on('disconnect', () => process.exit(0))
process.send?.('ready')
