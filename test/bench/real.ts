// A real API server as parts of the benchmark use it, with an installation on it.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FUNCTION, type Installation, openInstallation } from './installation.ts'

/** Kubeconfig files of a real API server. */
export interface RealServer {
  readonly administrator: string
  /** The function's, with the rights that the manifests give and that of writing under its own name. */
  readonly function: string
  readonly installation: Installation
}

/** Starts one, with Lease, Fence and rights and without policies; does `work` with it and ends it. */
export async function withReal<T>(work: (server: RealServer) => Promise<T>): Promise<T> {
  const { kubernetesBinaries } = await import('../real/servers/kubernetes-binaries.ts')
  const { startKubernetes } = await import('../real/servers/kubernetes.ts')
  const server = await startKubernetes(await kubernetesBinaries(), [FUNCTION])
  const folder = await mkdtemp(join(tmpdir(), 'fencepost-bench-'))
  const installation = await openInstallation(server.kubeconfig)
  try {
    await installation.install()
    const kubeconfig = JSON.parse(await readFile(server.kubeconfig, 'utf8'))
    kubeconfig.users[0].user.token = server.tokens[FUNCTION]
    const file = join(folder, 'kubeconfig')
    await writeFile(file, JSON.stringify(kubeconfig))
    return await work({ administrator: server.kubeconfig, function: file, installation })
  } finally {
    installation.close()
    await server.stop()
    await rm(folder, { recursive: true })
  }
}
