// All rows, in the order in which they are sent: definitions first, since custom objects need them.

import type { Row } from './row.ts'
import { BODIES } from './rows/bodies.ts'
import { DATA, EVENTS, NAMESPACES } from './rows/builtins.ts'
import { CUSTOM } from './rows/custom.ts'
import { DEFINED, DEFINITIONS, DISCOVERY } from './rows/definitions.ts'
import { DELETES } from './rows/deletes.ts'
import { KUBECTL } from './rows/kubectl.ts'
import { LEASES } from './rows/leases.ts'
import { LISTS } from './rows/lists.ts'

/** Makes the namespace and the definitions; between this and the rest both servers serve the new kinds. */
export const PREPARATION: readonly Row[] = [
  { title: 'the run’s own Namespace is created', send: 'POST {namespaces}', body: { metadata: { name: '{ns}' } } },
  ...DEFINED,
]

/** What follows it. */
export const ROWS: readonly Row[] = [
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
]
