// Our clock against the API server's. A clock that runs behind only acts late; one that runs ahead would end people's
// access early, so past a bound nothing is judged by it at all.

import { PermanentError } from '../errors.ts'
import type { Log } from '../telemetry/log.ts'
import { describeMs, MINUTE_MS, SECOND_MS } from '../time.ts'

/** From which difference on a warning is logged, ms. */
export const WARN_SKEW_MS = 5 * SECOND_MS
/** How far our clock may be ahead of the API server's before nothing is judged by it, ms. */
export const MAX_AHEAD_MS = MINUTE_MS

/**
 * Looks at the difference between the clocks.
 *
 * @param skewMs the API server's clock minus ours; undefined while unknown.
 * @throws PermanentError – InvalidConfiguration, when ours is more than `MAX_AHEAD_MS` ahead.
 */
export function watchSkew(skewMs: number | undefined, log: Log): void {
  if (skewMs === undefined || Math.abs(skewMs) <= WARN_SKEW_MS) return
  if (-skewMs > MAX_AHEAD_MS)
    throw new PermanentError(
      'InvalidConfiguration',
      `this machine's clock is ${describeMs(skewMs)} ahead of the API server's, more than ${describeMs(MAX_AHEAD_MS)}: nothing is expired by it; set the clock right`,
    )
  log.warn('clocks differ', { skewMs, limitMs: WARN_SKEW_MS })
}
