// The embedded servers in a process of their own, as parts of the benchmark use them.

import { startChild } from '../support/child.ts'
import type { Order } from './processes/server.ts'
import type { Fate } from './sessions.ts'
import type { LeaseKind } from './world.ts'

/** Servers in another process. */
export interface EmbeddedServers {
  /** The environment of a function that uses them. */
  environment(lease: LeaseKind): Record<string, string>
  load(fate: Fate, count: number, prefix: string): Promise<void>
  /** Deletes the sessions whose names begin so. */
  drop(prefix: string): Promise<void>
  /** Makes Lease and Fence of cleanup anew, so that every tick is the first one. */
  renew(): Promise<void>
}

/** Starts the servers, does `work` with them and ends them. */
export async function withEmbedded<T>(work: (servers: EmbeddedServers) => Promise<T>): Promise<T> {
  const child = startChild('../bench/processes/server.ts', {})
  const obeyed = async (order: Order) => {
    child.send(order)
    await child.next()
  }
  try {
    const environments = await child.next<Record<LeaseKind, Record<string, string>>>()
    return await work({
      environment: lease => environments[lease],
      load: (load, count, prefix) => obeyed({ load, count, prefix }),
      drop: prefix => obeyed({ drop: prefix }),
      renew: () => obeyed({ renew: true }),
    })
  } finally {
    await child.kill('SIGTERM')
  }
}
