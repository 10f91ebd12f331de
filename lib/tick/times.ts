// The times that a lease's term, its settle and the functions' timeouts are laid out by. Each is the sum of the bounds it
// is made of; for every loop, timeout + tail + skew ≤ period must hold, so that a crash costs at most one tick.

import { PARAMETER_LAG_MS } from '../fence/refusal.ts'
import { SERVER_TIMEOUT_MS } from '../kubernetes/api.ts'
import { SECOND_MS } from '../time.ts'

/** E: the longest that etcd may still commit a proposal after the API server gave up on it. */
export const ETCD_TAIL_MS = 7 * SECOND_MS
/** How long a term outlives its invocation: T (`SERVER_TIMEOUT_MS`) + E, and 3 s for a request that was on its way. */
export const TAIL_MS = SERVER_TIMEOUT_MS + ETCD_TAIL_MS + 3 * SECOND_MS
/** How long a successor waits after an unclean end, from its own raise: W (`PARAMETER_LAG_MS`) + T + E. */
export const SETTLE_MS = PARAMETER_LAG_MS + SERVER_TIMEOUT_MS + ETCD_TAIL_MS
/** The clock skew between two invocations that timeouts are laid out for. */
export const SKEW_MS = 5 * SECOND_MS
