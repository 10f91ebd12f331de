// The names of the simulated installation, as the manifests and lib spell them, and the labels of what is awaited.

/** The Fence's name and the lease's. */
export const NAME = 'fencepost-cleanup'
/** What the API server knows writes of work objects by. */
export const VIRTUAL_USER = `fencepost:${NAME}`
/** The function's own user. */
export const FUNCTION_USER = `fencepost:function:${NAME}`
/** Where the Lease is. */
export const LEASE_NAMESPACE = 'fencepost-system'
/** Where the work objects are. */
export const WORK_NAMESPACE = 'work'

/** Paths of the objects that there is one of. */
export const LEASE_PATH = `/apis/coordination.k8s.io/v1/namespaces/${LEASE_NAMESPACE}/leases/${NAME}`
export const FENCE_PATH = `/apis/fencepost.dev/v1/fences/${NAME}`
/** Key of the lease item in the log. */
export const ITEM_KEY = `item/${NAME}`

const GROUP = '/apis/breakglass.t-caas.telekom.com/v1alpha1'
/** Collections; an object's key is its collection, a slash and its name. */
export const SESSIONS_PATH = `${GROUP}/namespaces/${WORK_NAMESPACE}/breakglasssessions`
export const RECEIPTS_PATH = `${GROUP}/namespaces/${WORK_NAMESPACE}/debugsessions`
export const EVENTS_PATH = `/apis/events.k8s.io/v1/namespaces/${WORK_NAMESPACE}/events`

/** W: by how much an API server's copy of the Fence and of the policies may be behind, ms. */
export const LAG_MS = 3_000
/** T: the longest that a server works on a request, ms. */
export const SERVER_MS = 5_000
/** E: how long after that the store may still commit what was proposed, ms. */
export const STORE_TAIL_MS = 7_000

/** Requests to an API server, by what is awaited. */
export const REQUESTS = [
  'lease GET',
  'acquire PUT',
  'advance PUT',
  'complete PUT',
  'fence PATCH',
  'fence GET',
  'list',
  'session GET',
  'canary',
  'status PATCH',
  'session DELETE',
  'receipt POST',
  'event POST',
] as const
/** Commands to the table. */
export const COMMANDS = ['item acquire', 'item advance', 'item end', 'item read'] as const
/** Sleeps. */
export const SLEEPS = ['settle', 'retry pause', 'time limit'] as const

/** What an attempt can be waiting for. */
export type Label = (typeof REQUESTS)[number] | (typeof COMMANDS)[number] | (typeof SLEEPS)[number]
