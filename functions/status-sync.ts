// One tick of the status-sync loop, started by its schedule.

import { statusSync } from '../lib/runtime/loops/status-sync.ts'
import { scheduled } from '../lib/runtime/scheduled.ts'

/** The function's entry point. */
export const handler = scheduled(statusSync)
