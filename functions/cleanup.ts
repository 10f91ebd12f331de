// One tick of the cleanup loop, started by its schedule.

import { cleanup } from '../lib/runtime/loops/cleanup.ts'
import { scheduled } from '../lib/runtime/scheduled.ts'

/** The function's entry point. */
export const handler = scheduled(cleanup)
