// A one-off reconcile of any loop, started by hand.

import { cleanup } from '../lib/runtime/loops/cleanup.ts'
import { configCheck } from '../lib/runtime/loops/config-check.ts'
import { statusSync } from '../lib/runtime/loops/status-sync.ts'
import { manual } from '../lib/runtime/manual.ts'

/** The function's entry point. */
export const handler = manual([cleanup, statusSync, configCheck])
