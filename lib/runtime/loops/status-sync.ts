// The status-sync loop as the runtime knows it.

import { createStatusSync } from '../../reconcilers/status-sync/index.ts'
import type { Loop } from '../loop.ts'

/** Writes the members of approver groups, as identity providers have them, into escalations. */
export const statusSync: Loop = {
  name: 'status-sync',
  periodMs: config => config.ESCALATION_STATUS_UPDATE_INTERVAL,
  isEnabled: config => config.ENABLE_STATUS_SYNC,
  reconciler: ({ api, log, metrics, clock, config }) =>
    createStatusSync({
      api,
      log,
      metrics,
      clock,
      settings: { emptyGroups: config.EMPTY_GROUPS, disabledUsers: config.DISABLED_USERS },
    }),
}
