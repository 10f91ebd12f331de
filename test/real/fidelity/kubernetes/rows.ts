// All rows, in the order in which they are sent: definitions first, since custom objects need them.

import type { Row } from './row.ts'
import { BODIES } from './rows/bodies.ts'
import { DATA, EVENTS, NAMESPACES } from './rows/builtins.ts'
import { CUSTOM } from './rows/custom.ts'
import { DEFINED, DEFINITIONS, DISCOVERY } from './rows/definitions.ts'
import { DELETES } from './rows/deletes.ts'
import { FENCE_DEFINED, FENCE_RAISED, FENCED } from './rows/fence.ts'
import { KUBECTL } from './rows/kubectl.ts'
import { LEASES } from './rows/leases.ts'
import { LISTS } from './rows/lists.ts'
import { POLICIES } from './rows/policies.ts'
import { REVIEWS } from './rows/reviews.ts'

/** Makes the namespace and the definitions; between this and the rest both servers serve the new kinds. */
export const PREPARATION: readonly Row[] = [
  { title: 'the run’s own Namespace is created', send: 'POST {namespaces}', body: { metadata: { name: '{ns}' } } },
  ...DEFINED,
  ...FENCE_DEFINED,
]

/** What follows it, but for what the fence refuses. */
export const UNFENCED: readonly Row[] = [
  ...FENCE_RAISED,
  ...LEASES,
  ...BODIES,
  ...LISTS,
  ...CUSTOM,
  ...DELETES,
  ...EVENTS,
  ...DATA,
  ...NAMESPACES,
  ...DEFINITIONS,
  ...DISCOVERY,
  ...KUBECTL,
  ...POLICIES,
  ...REVIEWS,
]

/** What follows the preparation. */
export const ROWS: readonly Row[] = [...UNFENCED, ...FENCED]
