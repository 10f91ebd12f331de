// The loops that a local run has, with their periods; the same as in serverless.yml.

const MINUTE_MS = 60_000

/** A loop, as far as it is delivered to here. */
export interface LocalLoop {
  /** The loop's name, which is its function's. */
  readonly name: string
  /** Its period, ms. */
  readonly periodMs: number
  /** The setting of its period, as `lib/config.ts` names it. */
  readonly setting: string
}

/** In the order in which their first ticks are delivered. */
export const LOOPS = [
  { name: 'cleanup', periodMs: 5 * MINUTE_MS, setting: 'CLEANUP_INTERVAL' },
  { name: 'status-sync', periodMs: 10 * MINUTE_MS, setting: 'ESCALATION_STATUS_UPDATE_INTERVAL' },
  { name: 'config-check', periodMs: 10 * MINUTE_MS, setting: 'CLUSTER_CONFIG_CHECK_INTERVAL' },
] as const satisfies readonly LocalLoop[]

/** The settings of all periods, e.g. `{CLEANUP_INTERVAL: '5m', …}`. */
export function intervals(): Record<string, string> {
  return Object.fromEntries(LOOPS.map(({ setting, periodMs }) => [setting, `${periodMs / MINUTE_MS}m`]))
}
