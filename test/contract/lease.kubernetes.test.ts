import { startKubernetesApi } from '../../infra/local/kubernetes/server.ts'
import { type KubernetesApi, pathOf, type RawObject } from '../../lib/kubernetes/api.ts'
import { readObject } from '../../lib/kubernetes/pages.ts'
import { openTransport } from '../../lib/kubernetes/transport.ts'
import { fromLease, kubernetesStore, LEASE, toLease } from '../../lib/lease/kubernetes.ts'
import { systemClock } from '../../lib/time.ts'
import { describeLease } from './lease.contract.ts'

const NAMESPACE = 'default'
const { signal } = new AbortController()

describeLease('in Kubernetes', async () => {
  const server = await startKubernetesApi()
  const connection = { server: new URL(server.url), tls: {}, headers: async () => ({}) }
  const api: KubernetesApi = openTransport(connection, { clock: systemClock })
  let count = 0

  const leaseOf = async (name: string) =>
    (await readObject(api, LEASE, { namespace: NAMESPACE, name }, signal)) as RawObject
  async function create(name: string): Promise<void> {
    const body = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name, namespace: NAMESPACE } }
    await api.request({ method: 'POST', path: pathOf(LEASE, { namespace: NAMESPACE }), body, repeat: 'bound' })
  }
  async function replace(name: string, body: RawObject): Promise<void> {
    await api.request({ method: 'PUT', path: pathOf(LEASE, { namespace: NAMESPACE, name }), body, repeat: 'bound' })
  }

  return {
    async fresh() {
      const name = `fencepost-${count++}`
      await create(name)
      return { store: kubernetesStore(api, { namespace: NAMESPACE, name }), name }
    },
    async plant(name, fields) {
      const lease = await leaseOf(name)
      await replace(name, toLease(lease, { ...fromLease(lease, name), ...fields }))
    },
    async remove(name) {
      await api.request({ method: 'DELETE', path: pathOf(LEASE, { namespace: NAMESPACE, name }), repeat: 'bound' })
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
