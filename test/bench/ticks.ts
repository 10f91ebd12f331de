// Cleanup ticks in fresh processes, from the bundle, against servers in another process.

import type { Bundles } from './bundled.ts'
import type { EmbeddedServers } from './embedded.ts'
import { runProcess } from './processes/run.ts'

/** What a tick tells of itself. */
export interface Tick {
  readonly kind: string
  readonly counts: { readonly observed: number; readonly changed: number }
  /** From the first line of the program to its outcome. */
  readonly tickMs: number
  readonly receivedBytes: number
  readonly peakBytes: number
}

/** A tick as it was seen from outside. */
export interface RanTick extends Tick {
  /** The whole process. */
  readonly wallMs: number
  /** Log lines and metrics. */
  readonly output: string
}

const PERIOD_MS = 300_000

/** Runs ticks one by one; every one is the first that its lease ever had, at the log level of a deployment. */
export function openTicks(bundles: Bundles, servers: EmbeddedServers, node = process.execPath) {
  return async (): Promise<RanTick> => {
    await servers.renew()
    const time = new Date(Math.floor(Date.now() / PERIOD_MS) * PERIOD_MS).toISOString()
    const { told, wallMs, output } = await runProcess<Tick>(node, ['tick.cjs', bundles.fileOf('cleanup'), time], {
      ...servers.environment('kubernetes'),
      LOG_LEVEL: 'INFO',
    })
    if (told.kind !== 'completed') throw new Error(`a tick ended ${told.kind}:\n${output}`)
    return { ...told, wallMs, output }
  }
}
