import { UpdateItemCommand } from '@aws-sdk/client-dynamodb'
import { describe, expect, it } from 'vitest'
import { startDynamodb } from '../../../../infra/local/dynamodb/dynamodb.ts'
import { openClient } from '../../../../infra/local/dynamodb/lease-table.ts'
import { startKubernetesApi } from '../../../../infra/local/kubernetes/server.ts'
import { heldLeases } from '../../../../infra/local/world/holders.ts'
import { LEASE_NAMESPACE, leaseNames, readCrds, readInstallation } from '../../../../infra/local/world/manifests.ts'
import { LEASE_TABLE } from '../../../../infra/local/world/world.ts'

describe('the installation’s manifests', () => {
  it('have the lease of the cleanup loop, after its namespace, and are loaded as they are', async () => {
    const installation = await readInstallation()
    const kubernetes = await startKubernetesApi({ crds: await readCrds() })

    kubernetes.load(installation)
    await kubernetes.close()

    expect(leaseNames(installation)).toContain('fencepost-cleanup')
    expect(installation[0]).toMatchObject({ kind: 'Namespace', metadata: { name: LEASE_NAMESPACE } })
  })
})

describe('held leases', () => {
  it('are the Leases with a holder', async () => {
    const kubernetes = await startKubernetesApi()
    kubernetes.load([
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: LEASE_NAMESPACE } },
      leaseObject('fencepost-cleanup', { holderIdentity: 'fencepost-cleanup/r1/n1', leaseTransitions: 3 }),
      leaseObject('fencepost-released', { holderIdentity: '', leaseTransitions: 7 }),
      leaseObject('fencepost-new', undefined),
    ])

    const held = await heldLeases({ kubernetes, dynamodb: undefined })
    await kubernetes.close()

    expect(held).toEqual(['fencepost-cleanup (token 3)'])
  })

  it('are the lease items with a holder, where leases live in DynamoDB', async () => {
    const kubernetes = await startKubernetesApi()
    const dynamodb = await startDynamodb()
    const client = openClient(dynamodb.url)
    await dynamodb.createLeaseTable(LEASE_TABLE)
    await dynamodb.createLeaseItem(LEASE_TABLE, 'fencepost-cleanup')
    await dynamodb.createLeaseItem(LEASE_TABLE, 'fencepost-new')
    await client.send(
      new UpdateItemCommand({
        TableName: LEASE_TABLE,
        Key: { lease: { S: 'fencepost-cleanup' } },
        UpdateExpression: 'SET holderIdentity = :holder, fencingToken = :token',
        ExpressionAttributeValues: { ':holder': { S: 'fencepost-cleanup/r1/n1' }, ':token': { N: '3' } },
      }),
    )

    const held = await heldLeases({ kubernetes, dynamodb })
    client.destroy()
    await dynamodb.close()
    await kubernetes.close()

    expect(held).toEqual(['fencepost-cleanup (token 3)'])
  })
})

function leaseObject(name: string, spec: object | undefined): object {
  return { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name, namespace: LEASE_NAMESPACE }, spec }
}
