// The guide's loop as the platform calls it: its scheduled function and the manual one, on an embedded API.

import type { Context } from 'aws-lambda'
import { parse } from 'yaml'
import type { DryRun } from '../../../lib/runtime/dry-run.ts'
import { manual } from '../../../lib/runtime/manual.ts'
import { scheduled } from '../../../lib/runtime/scheduled.ts'
import { openWiring, type Wiring } from '../../../lib/runtime/wiring.ts'
import type { TickOutcome } from '../../../lib/tick/outcome.ts'
import { MINUTE_MS, toInstant } from '../../../lib/time.ts'
import { type ScenarioClock, scenarioClock, T0 } from '../../support/clock.ts'
import { startWorld, type World } from '../../support/world.ts'
import { TTL_ANNOTATION } from './expire-configmaps/config-map.ts'
import { expireConfigmaps } from './expire-configmaps/loop.ts'
import { textAtPlace } from './quotes.ts'

// The library that writes metrics reads this; they would only fill the screen.
process.env.POWERTOOLS_METRICS_DISABLED = 'true'

/** The loop's period, ms. */
export const PERIOD_MS = 10 * MINUTE_MS
/** The first tick, a multiple of the period. */
export const FIRST_MS = Math.floor(T0 / PERIOD_MS) * PERIOD_MS

/** A cluster with ConfigMaps, and the loop's two functions. */
export interface Guide {
  readonly world: World
  readonly clock: ScenarioClock
  /** Creates ConfigMaps with this TTL (undefined: none), as if `ageMs` ago. */
  create(names: readonly string[], ttl: string | undefined, ageMs: number): Promise<void>
  /** Delivers the tick that is due by the clock. */
  tick(): Promise<TickOutcome>
  /** Calls the manual function for this loop. */
  reconcile<Answer = TickOutcome | DryRun>(event?: object): Promise<Answer>
  /** Names of the ConfigMaps that are there. */
  names(): Promise<string[]>
  /** Requests that changed something, as `method path`, without those to Lease and Fence and without dry runs. */
  writes(): string[]
  close(): Promise<void>
}

/** Starts a cluster without ConfigMaps. */
export async function startGuide(): Promise<Guide> {
  const clock = scenarioClock(FIRST_MS)
  let createdAtMs: number | undefined
  const world = await startWorld(
    ['expire-configmaps'],
    () => createdAtMs ?? clock.wallMs(),
    parse(textAtPlace('rule.yaml')),
  )
  await world.kubernetes.load([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team' } }])
  world.kubernetes.clearRequests()

  const opened: Wiring[] = []
  const open = () => {
    const wiring = openWiring({ ...world.environment('kubernetes'), LOG_LEVEL: 'ERROR' }, clock)
    opened.push(wiring)
    return { ...wiring, log: { ...wiring.log, error: () => {} } }
  }
  const functions = { scheduled: scheduled(expireConfigmaps, open), manual: manual([expireConfigmaps], open) }
  let calls = 0
  const context = () => {
    const endsAtMs = clock.monotonicMs() + 2 * MINUTE_MS
    return {
      awsRequestId: `request-${calls++}`,
      getRemainingTimeInMillis: () => endsAtMs - clock.monotonicMs(),
    } as Context
  }

  return {
    world,
    clock,
    async create(names, ttl, ageMs) {
      createdAtMs = clock.wallMs() - ageMs
      const annotations = ttl === undefined ? {} : { annotations: { [TTL_ANNOTATION]: ttl } }
      await world.kubernetes.load(
        names.map(name => ({
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { name, namespace: 'team', ...annotations },
          data: { key: 'value' },
        })),
      )
      createdAtMs = undefined
    },
    async tick() {
      const time = toInstant(Math.floor(clock.wallMs() / PERIOD_MS) * PERIOD_MS)
      return (await functions.scheduled({ time }, context())) as TickOutcome
    },
    reconcile: async <Answer>(event: object = {}) =>
      (await functions.manual({ loop: 'expire-configmaps', ...event }, context())) as Answer,
    async names() {
      const path = '/api/v1/namespaces/team/configmaps'
      const { body } = await world.api.request({ method: 'GET', path, repeat: 'read' })
      return (body as { items: { metadata: { name: string } }[] }).items.map(({ metadata }) => metadata.name)
    },
    writes: () =>
      world.kubernetes.requests
        .filter(
          ({ method, path, query }) =>
            method !== 'GET' && !/\/(leases|fences)\//.test(path) && !query.includes('dryRun'),
        )
        .map(({ method, path }) => `${method} ${path}`),
    async close() {
      for (const wiring of opened) (await wiring.api()).close()
      await world.close()
    },
  }
}
