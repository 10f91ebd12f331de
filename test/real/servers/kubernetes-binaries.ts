// Where the Kubernetes servers come from: built from their sources as one program, or the user's own.

import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cached } from './cache.ts'
import { runTool } from './tools.ts'

const VERSION = '1.34.4'
const SOURCE = fileURLToPath(new URL('go/', import.meta.url))
const NAMES = ['kube-apiserver', 'etcd', 'kubectl'] as const

/** The folder with `kube-apiserver`, `etcd` and `kubectl`: KUBEBUILDER_ASSETS, else our own, built once. */
export async function kubernetesBinaries(): Promise<string> {
  if (process.env.KUBEBUILDER_ASSETS) return process.env.KUBEBUILDER_ASSETS
  return await cached({
    name: `kubernetes-${VERSION}`,
    doing: `building kube-apiserver, etcd and kubectl ${VERSION}, once (some 5 min on 2 cores)`,
    sources: ['main.go', 'go.mod', 'go.sum'].map(name => join(SOURCE, name)),
    async fill(folder) {
      const [first, ...others] = NAMES
      const versions = ['component-base/version', 'client-go/pkg/version']
        .map(name => `-X k8s.io/${name}.gitVersion=v${VERSION}`)
        .join(' ')
      const args = ['build', '-trimpath', '-mod=readonly', '-buildvcs=false', '-ldflags', `-s -w ${versions}`]
      await runTool('go', [...args, '-o', join(folder, first), '.'], { cwd: SOURCE, environment: { CGO_ENABLED: '0' } })
      for (const name of others) await symlink(first, join(folder, name))
    },
  })
}
