// The config-check loop as the runtime knows it.

import { createConfigCheck } from '../../reconcilers/config-check/index.ts'
import type { Loop } from '../loop.ts'

/** Tries whether clusters can be reached with what is configured for them, and says so in their conditions. */
export const configCheck: Loop = {
  name: 'config-check',
  periodMs: config => config.CLUSTER_CONFIG_CHECK_INTERVAL,
  isEnabled: config => config.ENABLE_CONFIG_CHECK,
  reconciler: ({ api, log, metrics, clock }) => createConfigCheck({ api, log, metrics, clock }),
}
