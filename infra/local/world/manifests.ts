// The manifests that a cluster gets, as far as the local world needs them: definitions, and the installation's namespaces, leases
// and fences with their policies. Rights are left out: the embedded API checks none.

import { readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { parse, parseAllDocuments } from 'yaml'

const CRDS = fileURLToPath(new URL('../crds/', import.meta.url))
const INSTALLATION = fileURLToPath(new URL('../../kubernetes/', import.meta.url))

/** Where the leases are. */
export const LEASE_NAMESPACE = 'fencepost-system'

/** An object of a manifest. */
export interface Manifest {
  readonly kind: string
  readonly metadata: { readonly name: string; readonly namespace?: string }
}

/** The CustomResourceDefinitions to serve: those of the controllers, and a Fence's. */
export async function readCrds(): Promise<Manifest[]> {
  const files = (await readdir(CRDS)).filter(name => name.endsWith('.yaml')).sort()
  const definitions = ofKinds(['CustomResourceDefinition'], await readBase())
  return [...(await readManifests(files.map(file => CRDS + file))), ...definitions]
}

const LOADED = ['Namespace', 'Lease', 'Fence', 'ValidatingAdmissionPolicy', 'ValidatingAdmissionPolicyBinding']

/** Namespaces, leases, fences, then policies and their bindings, as `kubectl apply -k infra/kubernetes` creates them. */
export async function readInstallation(): Promise<Manifest[]> {
  return ofKinds(LOADED, await readBase())
}

function ofKinds(kinds: readonly string[], manifests: readonly Manifest[]): Manifest[] {
  return kinds.flatMap(kind => manifests.filter(manifest => manifest.kind === kind))
}

/** Every object of the kustomize base. */
async function readBase(): Promise<Manifest[]> {
  const { resources } = parse(await readFile(`${INSTALLATION}kustomization.yaml`, 'utf8')) as { resources: string[] }
  return await readManifests(resources.map(file => INSTALLATION + file))
}

/** Names of the leases among some manifests. */
export function leaseNames(manifests: readonly Manifest[]): string[] {
  return manifests.filter(({ kind }) => kind === 'Lease').map(({ metadata }) => metadata.name)
}

async function readManifests(files: readonly string[]): Promise<Manifest[]> {
  const texts = await Promise.all(files.map(file => readFile(file, 'utf8')))
  return texts.flatMap(text => parseAllDocuments(text).map(document => document.toJS() as Manifest))
}
