// The manifests that a cluster gets, as far as the local world needs them: CRDs, and the installation's namespaces and leases.

import { readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { parseAllDocuments } from 'yaml'

const CRDS = fileURLToPath(new URL('../crds/', import.meta.url))
const INSTALLATION = fileURLToPath(new URL('../../kubernetes/', import.meta.url))

/** Where the leases are. */
export const LEASE_NAMESPACE = 'fencepost-system'

/** An object of a manifest. */
export interface Manifest {
  readonly kind: string
  readonly metadata: { readonly name: string; readonly namespace?: string }
}

/** The CustomResourceDefinitions to serve. */
export async function readCrds(): Promise<Manifest[]> {
  return await readManifests(CRDS)
}

/** Namespaces, then leases, as `kubectl apply -k infra/kubernetes` creates them. */
export async function readInstallation(): Promise<Manifest[]> {
  const manifests = await readManifests(INSTALLATION)
  return ['Namespace', 'Lease'].flatMap(kind => manifests.filter(manifest => manifest.kind === kind))
}

/** Names of the leases among some manifests. */
export function leaseNames(manifests: readonly Manifest[]): string[] {
  return manifests.filter(({ kind }) => kind === 'Lease').map(({ metadata }) => metadata.name)
}

/** Every object of every YAML file in a folder, by the files' names. */
async function readManifests(folder: string): Promise<Manifest[]> {
  const files = (await readdir(folder)).filter(name => name.endsWith('.yaml')).sort()
  const texts = await Promise.all(files.map(file => readFile(folder + file, 'utf8')))
  return texts.flatMap(text => parseAllDocuments(text).map(document => document.toJS() as Manifest))
}
