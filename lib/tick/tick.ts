// A tick as its parts know it: what it is asked to do, and what it works with.

import type { Fence } from '../fence/fence.ts'
import type { ObjectWriter } from '../fence/writer.ts'
import type { Grant, Lease, TickIdentity } from '../lease/lease.ts'
import type { Log } from '../telemetry/log.ts'
import type { Clock } from '../time.ts'
import type { Budget } from './budget.ts'
import type { Scope } from './reconciler.ts'
import type { ShutdownHandler } from './shutdown.ts'

/** What one tick is asked to do. */
export interface TickRequest {
  readonly tick: TickIdentity
  /** The loop's period, ms. */
  readonly periodMs: number
  readonly requestId: string
  /** What a manual run is narrowed to; a scheduled one takes the whole loop. */
  readonly scope: Scope
  readonly budget: Budget
}

/** What a tick works with. */
export interface TickTools {
  readonly lease: Lease
  readonly fence: Pick<Fence, 'raise'>
  readonly openWriter: (grant: Grant) => ObjectWriter
  /** The API server's clock minus ours, ms; undefined before its first answer. */
  readonly clockSkewMs: () => number | undefined
  readonly handlers: readonly ShutdownHandler[]
  /** How many actions are applied at a time. */
  readonly workers: number
  readonly clock: Clock
  readonly log: Log
}
