// The lease contract on Leases of a real kube-apiserver.

import { inject } from 'vitest'
import { openTransport } from '../../lib/kubernetes/transport.ts'
import { systemClock } from '../../lib/time.ts'
import { kubernetesBackend } from '../contract/lease.backends.ts'
import { describeLease } from '../contract/lease.contract.ts'
import { describeWith } from './world/left-out.ts'
import { ADMINISTRATOR_TOKEN, openRealKubernetes } from './world/servers.ts'

describeWith(inject('realServers').kubernetes, 'a real kube-apiserver', ({ namespace, ...real }) => {
  describeLease('in Kubernetes', async () => {
    const server = await openRealKubernetes({ namespace, ...real })
    const headers = async () => ({ authorization: `Bearer ${ADMINISTRATOR_TOKEN}` })
    const api = openTransport({ server: new URL(server.url), tls: {}, headers }, { clock: systemClock })
    return kubernetesBackend({
      api,
      namespace,
      prefix: namespace,
      create: async name =>
        await server.load([{ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name, namespace } }]),
      server,
      async close() {
        api.close()
        await server.close()
      },
    })
  })
})
