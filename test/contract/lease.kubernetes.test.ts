import { startKubernetesApi } from '../../infra/local/kubernetes/server.ts'
import { openTransport } from '../../lib/kubernetes/transport.ts'
import { systemClock } from '../../lib/time.ts'
import { kubernetesBackend } from './lease.backends.ts'
import { describeLease } from './lease.contract.ts'

describeLease('in Kubernetes', async () => {
  const server = await startKubernetesApi()
  const api = openTransport({ server: new URL(server.url), tls: {}, headers: async () => ({}) }, { clock: systemClock })
  const namespace = 'default'
  return kubernetesBackend({
    api,
    namespace,
    prefix: 'fencepost',
    create: async name =>
      server.load([{ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name, namespace } }]),
    server,
    async close() {
      api.close()
      await server.close()
    },
  })
})
