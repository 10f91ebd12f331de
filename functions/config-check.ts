// One tick of the config-check loop, started by its schedule.

import { configCheck } from '../lib/runtime/loops/config-check.ts'
import { scheduled } from '../lib/runtime/scheduled.ts'

/** The function's entry point. */
export const handler = scheduled(configCheck)
