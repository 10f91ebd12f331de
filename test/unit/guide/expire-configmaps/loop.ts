// The loop that expires ConfigMaps, as the runtime knows it.

import type { Loop } from '../../../../lib/runtime/loop.ts'
import { MINUTE_MS } from '../../../../lib/time.ts'
import { createExpireConfigmaps } from './index.ts'

/** Deletes ConfigMaps whose time to live is over. */
export const expireConfigmaps: Loop = {
  name: 'expire-configmaps',
  periodMs: () => 10 * MINUTE_MS,
  isEnabled: () => true,
  reconciler: ({ api, metrics }) => createExpireConfigmaps({ api, metrics }),
}
