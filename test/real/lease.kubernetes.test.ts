// The lease contract on Leases of a real kube-apiserver.

import { inject } from 'vitest'
import { type KubernetesApi, pathOf, type RawObject } from '../../lib/kubernetes/api.ts'
import { readObject } from '../../lib/kubernetes/pages.ts'
import { openTransport } from '../../lib/kubernetes/transport.ts'
import { fromLease, kubernetesStore, LEASE, toLease } from '../../lib/lease/kubernetes.ts'
import { systemClock } from '../../lib/time.ts'
import { describeLease } from '../contract/lease.contract.ts'
import { describeWith } from './world/left-out.ts'
import { ADMINISTRATOR_TOKEN, openRealKubernetes } from './world/servers.ts'

const { signal } = new AbortController()

describeWith(inject('realServers').kubernetes, 'a real kube-apiserver', real => {
  describeLease('in Kubernetes', async () => {
    const server = await openRealKubernetes(real)
    const headers = async () => ({ authorization: `Bearer ${ADMINISTRATOR_TOKEN}` })
    const api: KubernetesApi = openTransport({ server: new URL(server.url), tls: {}, headers }, { clock: systemClock })
    const at = (name: string) => ({ namespace: real.namespace, name })
    let count = 0

    const leaseOf = async (name: string) => (await readObject(api, LEASE, at(name), signal)) as RawObject
    const create = async (name: string) =>
      server.load([{ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: at(name) }])
    async function replace(name: string, body: RawObject): Promise<void> {
      await api.request({ method: 'PUT', path: pathOf(LEASE, at(name)), body, repeat: 'bound' })
    }

    return {
      async fresh() {
        const name = `${real.namespace}-${count++}`
        await create(name)
        return { store: kubernetesStore(api, at(name)), name }
      },
      async plant(name, fields) {
        const lease = await leaseOf(name)
        await replace(name, toLease(lease, { ...fromLease(lease, name), ...fields }))
      },
      async remove(name) {
        await api.request({ method: 'DELETE', path: pathOf(LEASE, at(name)), repeat: 'bound' })
      },
      recreate: create,
      loseNextAnswer() {
        server.intercept = ({ method }) => {
          if (method !== 'PUT') return undefined
          server.intercept = undefined
          return 'reset-after-commit'
        }
      },
      async addForeign(name) {
        const lease = await leaseOf(name)
        const annotations = { ...(lease.metadata.annotations as object), 'team.example/owner': 'platform' }
        await replace(name, { ...lease, metadata: { ...lease.metadata, annotations, labels: { app: 'x' } } })
      },
      async readForeign(name) {
        const { labels, annotations = {} } = (await leaseOf(name)).metadata
        return { labels, owner: (annotations as Record<string, string>)['team.example/owner'] }
      },
      async close() {
        api.close()
        await server.close()
      },
    }
  })
})
