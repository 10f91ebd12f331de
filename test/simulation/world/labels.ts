// What an attempt is waiting for, told from the request itself.

import type { Attempt } from './attempt.ts'
import { FENCE_PATH, type Label, LEASE_PATH, RECEIPTS_PATH, SESSIONS_PATH } from './names.ts'
import type { Asked } from './verbs.ts'

/** The label of a request to an API server. */
export function labelOf({ method, path, query, body, isDryRun }: Asked, attempt: Attempt): Label {
  if (path === LEASE_PATH) return method === 'GET' ? 'lease GET' : leaseWrite(body, attempt)
  if (path === FENCE_PATH) return method === 'GET' ? 'fence GET' : 'fence PATCH'
  if (method === 'GET') return query.has('limit') ? 'list' : 'session GET'
  if (isDryRun) return 'canary'
  if (method === 'PATCH') return 'status PATCH'
  if (method === 'DELETE') return 'session DELETE'
  if (path === SESSIONS_PATH) throw new Error('nobody creates sessions by a request')
  return path === RECEIPTS_PATH ? 'receipt POST' : 'event POST'
}

function leaseWrite(body: { spec?: { holderIdentity?: string } }, attempt: Attempt): Label {
  if (!body.spec?.holderIdentity) return 'complete PUT'
  return attempt.hasRaised ? 'advance PUT' : 'acquire PUT'
}
