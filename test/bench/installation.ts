// The installation that is measured, under an administrator's hands: what infra/kubernetes gives a real API server, and
// the policies of its fence, which come into force and go as a measurement needs them.

import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { parseAllDocuments } from 'yaml'
import { readCrds } from '../../infra/local/world/manifests.ts'
import { openAdministrator } from '../real/world/administrator.ts'
import { fencePolicies, fences } from '../support/fence.ts'
import { SESSIONS_NAMESPACE } from '../support/sessions.ts'

/** The name of Lease and Fence. */
export const LOOP = 'fencepost-cleanup'
/** Where the Lease is. */
export const LEASES = 'fencepost-system'
/** The function, as a real API server knows it. */
export const FUNCTION = `fencepost:function:${LOOP}`

const MANIFESTS = fileURLToPath(new URL('../../infra/kubernetes/', import.meta.url))
const POLICIES = fencePolicies({ installation: 'fencepost', names: [LOOP] }) as {
  kind: string
  metadata: { name: string }
}[]
/** How long policies may take to be in force, or to be gone, ms. */
const PATIENCE_MS = 60_000

/** An installation that can be changed. */
export interface Installation {
  /** Makes an empty API server ready: upstream's kinds, namespaces, Lease, Fence and rights; no policies yet. */
  install(): Promise<void>
  /** Creates the policies, or deletes them, and waits until the API server judges so; nothing where it does already. */
  enforce(isEnforced: boolean): Promise<void>
  close(): void
}

/** Opens the installation of the API server of an administrator's kubeconfig. */
export async function openInstallation(kubeconfig: string | undefined): Promise<Installation> {
  const administrator = await openAdministrator(kubeconfig as string)
  const { send, create } = administrator

  async function isEnforced(): Promise<boolean> {
    const headers = {
      ...(await administrator.connection.headers()),
      'content-type': 'application/json',
      'impersonate-user': `fencepost:${LOOP}`,
      'impersonate-extra-fencepost.dev%2ftoken': '0',
      'impersonate-extra-fencepost.dev%2fholder': 'nobody',
    }
    const path = `/apis/events.k8s.io/v1/namespaces/${SESSIONS_NAMESPACE}/events?dryRun=All`
    const answer = await administrator.upstream.send({ method: 'POST', path, headers, body: JSON.stringify(PROBE) })
    const said = await text(answer)
    if (said.includes('fencepost fence-token: ')) return true
    if (answer.statusCode === 201) return false
    throw new Error(`no word about the fence: ${said}`)
  }

  return {
    async install() {
      const namespaces = [LEASES, SESSIONS_NAMESPACE].map(name => ({
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name },
      }))
      const metadata = { name: LOOP, namespace: LEASES, annotations: { 'fencepost.dev/drained': '0' } }
      const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata }
      await create([...(await readCrds()), ...namespaces, lease, ...(await rights()), ...fences([LOOP])])
    },
    async enforce(wanted) {
      if ((await isEnforced()) === wanted) return
      if (wanted) await create(POLICIES)
      else for (const policy of POLICIES.toReversed()) await send('DELETE', pathOf(policy))
      const endsAtMs = performance.now() + PATIENCE_MS
      while ((await isEnforced()) !== wanted) {
        if (performance.now() > endsAtMs) throw new Error(`the policies are not ${wanted ? 'in force' : 'gone'} yet`)
        await new Promise(resolve => setTimeout(resolve, 20))
      }
    },
    close: () => administrator.close(),
  }
}

function pathOf({ kind, metadata: { name } }: (typeof POLICIES)[number]): string {
  const plural = kind.endsWith('Policy') ? 'validatingadmissionpolicies' : 'validatingadmissionpolicybindings'
  return `/apis/admissionregistration.k8s.io/v1/${plural}/${name}`
}

/** What the manifests let function and virtual user do; and the same writes for the function under its own name. */
async function rights(): Promise<object[]> {
  const texts = await Promise.all(
    ['cleanup.yaml', 'fence/cleanup.yaml'].map(file => readFile(MANIFESTS + file, 'utf8')),
  )
  const given = texts
    .flatMap(text => parseAllDocuments(text).map(document => document.toJS() as { apiVersion: string }))
    .filter(({ apiVersion }) => apiVersion.startsWith('rbac.'))
  return [
    ...given,
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: 'bare-writer' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: `${LOOP}-writer` },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: FUNCTION }],
    },
  ]
}

/** An Event that is whole: objects of built-in kinds are validated before any policy is asked. */
const PROBE = {
  metadata: { name: 'probe', namespace: SESSIONS_NAMESPACE },
  eventTime: '2026-11-21T07:05:00.000000Z',
  reportingController: 'fencepost.test/bench',
  reportingInstance: 'bench',
  action: 'Probing',
  reason: 'Probe',
  type: 'Normal',
  regarding: { kind: 'Namespace', apiVersion: 'v1', name: SESSIONS_NAMESPACE, namespace: SESSIONS_NAMESPACE },
}
