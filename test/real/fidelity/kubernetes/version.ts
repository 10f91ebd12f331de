// Which kube-apiserver it is.

import { json } from 'node:stream/consumers'
import { openAdministrator } from '../../world/administrator.ts'

/** The version that the embedded API follows. */
export const MEASURE = 'v1.34.'

/** The server's own word, e.g. `v1.34.4`. */
export async function versionOf(kubeconfig: string): Promise<string> {
  const { upstream, connection, close } = await openAdministrator(kubeconfig)
  try {
    const headers = await connection.headers()
    const answer = await upstream.send({ method: 'GET', path: '/version', headers, body: '' })
    return ((await json(answer)) as { gitVersion: string }).gitVersion
  } finally {
    close()
  }
}
