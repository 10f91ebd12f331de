// The contract of the Kubernetes API on a real kube-apiserver, with nothing in between: the measure of the embedded one.

import { text } from 'node:stream/consumers'
import { inject } from 'vitest'
import { type Answer, describeKubernetesApi, type Request } from '../contract/kubernetes-api.contract.ts'
import { openAdministrator } from './world/administrator.ts'
import { describeWith } from './world/left-out.ts'

function parsed(said: string): unknown {
  try {
    return JSON.parse(said)
  } catch {
    return said
  }
}

describeWith(inject('realServers').kubernetes, 'a real kube-apiserver', real => {
  describeKubernetesApi('it', async () => {
    const { upstream, connection, close } = await openAdministrator(real.kubeconfig)
    const request: Request = async (method, path, body, headers = {}) => {
      const sent = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body)
      const type: Record<string, string> = sent === '' ? {} : { 'content-type': 'application/json' }
      const own = { ...(await connection.headers()), ...type, ...headers }
      const answer = await upstream.send({ method, path, headers: own, body: sent })
      const said = await text(answer)
      return { status: answer.statusCode ?? 0, headers: answer.headers, body: parsed(said), text: said } as Answer
    }
    return { request, close: async () => close() }
  })
})
