// The part of a cluster that a run may use: a namespace of its own that gives its installation the name, upstream's CRDs, and
// the fence and the rights as the manifests give them. Whatever was not there before is taken away at the end.

import { randomBytes } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { parse } from 'yaml'
import { type Manifest, renderManifests } from '../../../infra/build/manifests.ts'
import { FENCE_DEFINITION, fencePolicies, fences } from '../../support/fence.ts'
import { SESSIONS_NAMESPACE } from '../../support/sessions.ts'
import { type Administrator, openAdministrator } from './administrator.ts'
import type { RealKubernetes } from './provided.ts'

const INFRA = new URL('../../../infra/', import.meta.url)
/** Who the functions are to the API server; the manifests bind their rights to it. */
export const FUNCTION_USER = 'fencepost:function:fencepost-cleanup'
/** Loops of the scenarios; one that is known to tests alone gets the rights of cleanup. */
const LOOPS = ['cleanup', 'contention']
const SESSIONS = '/apis/breakglass.t-caas.telekom.com/v1alpha1/breakglasssessions'

/** A cluster that is ready to be used. */
export interface PreparedCluster {
  readonly kubernetes: RealKubernetes
  /** Deletes what was created. */
  remove(): Promise<void>
}

/**
 * Prepares a cluster.
 *
 * @param functionToken of `FUNCTION_USER`; undefined for a cluster of other people's. Where those have sessions of their
 *   own, none are touched.
 */
export async function prepareCluster(kubeconfig: string, functionToken?: string): Promise<PreparedCluster> {
  const administrator = await openAdministrator(kubeconfig)
  const namespace = `fencepost-real-${randomBytes(4).toString('hex')}`
  const created: string[] = []
  const create = async (objects: readonly object[]) => void created.push(...(await administrator.create(objects)))
  const remove = async () => {
    for (const path of created.reverse()) await administrator.send('DELETE', path)
    administrator.close()
  }
  try {
    const crds = await definitions()
    const isTheirs = !(await areMissing(administrator, crds))
    await create([namespaceOf(namespace)])
    await create([deletable(FENCE_DEFINITION)])
    const names = LOOPS.map(loop => `${namespace}-${loop}`)
    await create([
      ...LOOPS.flatMap(loop => rights(namespace, loop)),
      ...fencePolicies({ installation: namespace, names }),
    ])
    if (!isTheirs) await create([...crds, namespaceOf(SESSIONS_NAMESPACE)])
    const token = functionToken === undefined ? {} : { functionToken }
    const sessions = !isTheirs || 'this cluster has BreakglassSessions of its own, which are not ours to expire'
    const kubernetes: RealKubernetes = { kubeconfig, namespace, sessions, ...token }
    await rightsGiven(administrator, kubernetes)
    for (const name of names) await fenceInForce(administrator, kubernetes, name)
    return { kubernetes, remove }
  } catch (error) {
    await remove()
    throw error
  }
}

/** Whether a cluster surely knows none of the definitions; anything but 404 counts as knowing one. */
async function areMissing(administrator: Administrator, crds: readonly Definition[]): Promise<boolean> {
  const collection = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
  const statuses = await Promise.all(
    crds.map(({ metadata }) => administrator.send('GET', `${collection}/${metadata.name}`)),
  )
  return statuses.every(status => status === 404)
}

/** Waits until the functions may do what their manifests say: the API server learns of rights a little later. */
async function rightsGiven(administrator: Administrator, kubernetes: RealKubernetes): Promise<void> {
  const { namespace } = kubernetes
  const lease = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/${namespace}-cleanup`
  const headers = await functionHeaders(administrator, kubernetes)
  await eventually(async () => {
    const statuses = [await administrator.send('GET', lease, undefined, headers)]
    if (kubernetes.sessions === true) statuses.push(await administrator.send('GET', SESSIONS, undefined, headers))
    return statuses.every(status => status === 404 || status === 200)
  })
}

/** Waits until writes through a Fence are judged by it; that Fence is gone afterwards. */
async function fenceInForce(administrator: Administrator, kubernetes: RealKubernetes, name: string): Promise<void> {
  const [path = ''] = await administrator.create(fences([name]))
  await administrator.send('PATCH', path, { spec: { token: 1, holder: name, lease: name } })
  const write = async (token: number, headers: Record<string, string>) => {
    const events = `/apis/events.k8s.io/v1/namespaces/${kubernetes.namespace}/events?dryRun=All`
    return await administrator.send('POST', events, eventIn(kubernetes.namespace), {
      ...headers,
      'impersonate-user': `fencepost:${name}`,
      'impersonate-extra-fencepost.dev%2ftoken': String(token),
      'impersonate-extra-fencepost.dev%2fholder': name,
    })
  }
  const headers = await functionHeaders(administrator, kubernetes)
  // Only rights can refuse a function, so that an administrator's refusal is the fence's.
  await eventually(
    async () =>
      (await write(2, { 'impersonate-group': 'system:masters' })) === 403 && (await write(1, headers)) === 201,
  )
  await administrator.send('DELETE', path)
}

const eventIn = (namespace: string) => ({
  metadata: { name: 'in-force', namespace },
  eventTime: '2026-01-01T00:00:00.000000Z',
  reportingController: 'fencepost.dev/test',
  reportingInstance: 'test',
  action: 'Look',
  reason: 'InForce',
  type: 'Normal',
  regarding: { kind: 'Namespace', namespace, name: namespace },
})

/** The headers that make a request one of the functions'. */
export async function functionHeaders(
  { connection }: Administrator,
  { functionToken }: RealKubernetes,
): Promise<Record<string, string>> {
  if (functionToken !== undefined) return { authorization: `Bearer ${functionToken}` }
  return { ...(await connection.headers()), 'impersonate-user': FUNCTION_USER }
}

const namespaceOf = (name: string) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })

interface Definition {
  readonly metadata: { readonly name: string }
}

async function definitions(): Promise<Definition[]> {
  const folder = new URL('local/crds/', INFRA)
  const files = (await readdir(folder)).filter(file => file.endsWith('.yaml'))
  return await Promise.all(files.map(async file => parse(await readFile(new URL(file, folder), 'utf8')) as Definition))
}

/** The rights of a loop as the manifests give those of the cleanup; `FUNCTION_USER` runs it. */
function rights(installation: string, loop: string): Manifest[] {
  return renderManifests({ installation, namespace: installation })
    .filter(({ apiVersion }) => apiVersion === 'rbac.authorization.k8s.io/v1')
    .filter(({ metadata }) => metadata.name.startsWith(`${installation}-cleanup`))
    .map(object =>
      JSON.parse(
        JSON.stringify(object)
          .replaceAll(`fencepost:function:${installation}-cleanup`, FUNCTION_USER)
          .replaceAll(`${installation}-cleanup`, `${installation}-${loop}`),
      ),
    )
}

/** The guard of the fence lets nothing else be deleted. */
function deletable<T extends { metadata: object }>(object: T): T {
  return { ...object, metadata: { ...object.metadata, annotations: { 'fencepost.dev/allow-deletion': 'true' } } }
}

async function eventually(isSo: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await isSo()); tries++) {
    if (tries === 300) throw new Error('the functions may not do what they may after 30 s')
    await new Promise(resolve => setTimeout(resolve, 100))
  }
}
