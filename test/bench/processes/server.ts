// The embedded servers in a process of their own, so that they take no processor from what is measured. Answers messages
// one by one.

import { pathOf } from '../../../lib/kubernetes/api.ts'
import { listPages } from '../../../lib/kubernetes/pages.ts'
import { BREAKGLASS_SESSIONS } from '../../../lib/kubernetes/resources/breakglass-session.ts'
import { LOOP } from '../installation.ts'
import { type Fate, sessions } from '../sessions.ts'
import { startWorld } from '../world.ts'

/** What the servers are told to do. */
export type Order =
  | { readonly load: Fate; readonly count: number; readonly prefix: string }
  /** Deletes the sessions whose names begin so. */
  | { readonly drop: string }
  /** Makes Lease and Fence anew. */
  | { readonly renew: true }

const world = await startWorld([LOOP])
const { signal } = new AbortController()

async function obey(order: Order): Promise<void> {
  if ('load' in order) return world.kubernetes.load(sessions(order.load, order.count, order.prefix, Date.now()))
  if ('renew' in order) return await world.renew(LOOP)
  for await (const page of listPages(world.api, BREAKGLASS_SESSIONS, { signal }))
    for (const { metadata } of page) if (metadata.name.startsWith(order.drop)) await drop(metadata)
  world.kubernetes.clearRequests()
}

async function drop({ name, namespace = '' }: { name: string; namespace?: string }): Promise<void> {
  const path = pathOf(BREAKGLASS_SESSIONS, { namespace, name })
  await world.api.request({ method: 'DELETE', path, repeat: 'bound', signal }, [404])
}

process.on('message', async (order: Order) => {
  await obey(order)
  process.send?.('done')
})
const end = () => void world.close().finally(() => process.exit(0))
process.once('disconnect', end)
process.once('SIGTERM', end)
process.send?.({ kubernetes: world.environment('kubernetes'), dynamodb: world.environment('dynamodb') })
