// What a term leaves behind in the cluster, made anew.

import { SESSIONS_NAMESPACE } from '../../../support/sessions.ts'
import { openAdministrator } from '../../world/administrator.ts'
import type { FenceCluster } from './cluster.ts'

/** The Fence, the Lease and the item are all of this name. */
export const NAME = 'fencepost-cleanup'
/** Path of the Fence. */
export const FENCE_PATH = `/apis/fencepost.dev/v1/fences/${NAME}`
/** Path of all sessions of the scenarios. */
export const SESSIONS_PATH = `/apis/breakglass.t-caas.telekom.com/v1alpha1/namespaces/${SESSIONS_NAMESPACE}/breakglasssessions`
const LEASES = '/apis/coordination.k8s.io/v1/namespaces/fencepost-system/leases'
/** Path of the Lease. */
export const LEASE_PATH = `${LEASES}/${NAME}`

/** Lease, Fence and sessions as they are after an installation, with `objects` as the only sessions. */
export async function reset(cluster: FenceCluster, objects: readonly object[]): Promise<void> {
  const allowed = { metadata: { annotations: { 'fencepost.dev/allow-deletion': 'true' } } }
  await cluster.ask({ method: 'PATCH', path: FENCE_PATH, body: allowed })
  for (const path of [FENCE_PATH, LEASE_PATH, SESSIONS_PATH]) await cluster.ask({ method: 'DELETE', path })
  const metadata = { name: NAME, namespace: 'fencepost-system', annotations: { 'fencepost.dev/drained': '0' } }
  await cluster.ask({ method: 'POST', path: LEASES, body: { metadata } })
  const fence = { apiVersion: 'fencepost.dev/v1', kind: 'Fence', metadata: { name: NAME } }
  await cluster.ask({ method: 'POST', path: '/apis/fencepost.dev/v1/fences', body: fence })
  await load(cluster, objects)
}

/** Creates objects, each with its status. @throws Error – with the server's refusal. */
export async function load({ server }: FenceCluster, objects: readonly object[]): Promise<void> {
  const administrator = await openAdministrator(server.kubeconfig)
  try {
    await administrator.create(objects)
  } finally {
    administrator.close()
  }
}
