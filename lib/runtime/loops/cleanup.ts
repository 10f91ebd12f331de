// The cleanup loop as the runtime knows it.

import { createCleanup } from '../../reconcilers/cleanup/index.ts'
import type { Loop } from '../loop.ts'

/** Moves breakglass sessions through their life cycle. */
export const cleanup: Loop = {
  name: 'cleanup',
  periodMs: config => config.CLEANUP_INTERVAL,
  isEnabled: config => config.ENABLE_CLEANUP,
  reconciler: ({ api, log, metrics, config }) =>
    createCleanup({
      api,
      log,
      metrics,
      settings: {
        debugRetentionMs: config.DEBUG_SESSION_RETENTION_PERIOD,
        debugApprovalTimeoutMs: config.DEBUG_SESSION_APPROVAL_TIMEOUT,
        expireDebugSessions: config.EXPIRE_DEBUG_SESSIONS,
      },
    }),
}
