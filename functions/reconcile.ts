// A one-off reconcile of any loop, started by hand.

import { cleanup } from '../lib/runtime/loops/cleanup.ts'
import { manual } from '../lib/runtime/manual.ts'

/** The function's entry point. */
export const handler = manual([cleanup])
