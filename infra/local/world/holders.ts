// Who holds a lease right now, which tells whether a tick is running that was not started from here.

import { ScanCommand } from '@aws-sdk/client-dynamodb'
import { openClient } from '../dynamodb/lease-table.ts'
import { LEASE_NAMESPACE } from './manifests.ts'
import { LEASE_TABLE, type World } from './world.ts'

/** The leases that somebody holds, each with its fencing token, e.g. `fencepost-cleanup (token 3)`. */
export async function heldLeases({ kubernetes, dynamodb }: Pick<World, 'kubernetes' | 'dynamodb'>): Promise<string[]> {
  return dynamodb ? await inDynamodb(dynamodb.url) : await inKubernetes(kubernetes.url)
}

interface LeaseObject {
  readonly metadata: { readonly name: string }
  readonly spec?: { readonly holderIdentity?: string; readonly leaseTransitions?: number }
}

async function inKubernetes(url: string): Promise<string[]> {
  const answer = await fetch(`${url}/apis/coordination.k8s.io/v1/namespaces/${LEASE_NAMESPACE}/leases`)
  const { items } = (await answer.json()) as { items: LeaseObject[] }
  return items
    .filter(({ spec }) => spec?.holderIdentity)
    .map(({ metadata, spec }) => `${metadata.name} (token ${spec?.leaseTransitions})`)
}

async function inDynamodb(url: string): Promise<string[]> {
  const client = openClient(url)
  try {
    const { Items = [] } = await client.send(new ScanCommand({ TableName: LEASE_TABLE, ConsistentRead: true }))
    return Items.filter(item => item.holderIdentity).map(item => `${item.lease?.S} (token ${item.fencingToken?.N})`)
  } finally {
    client.destroy()
  }
}
