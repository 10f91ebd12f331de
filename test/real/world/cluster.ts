// The part of a cluster that a run may use: a namespace of its own that gives its installation the name, upstream's CRDs, and
// the functions' rights as the manifests give them. Whatever was not there before is taken away at the end.

import { randomBytes } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { parse, parseAllDocuments } from 'yaml'
import { SESSIONS_NAMESPACE } from '../../support/sessions.ts'
import { type Administrator, openAdministrator } from './administrator.ts'
import type { RealKubernetes } from './provided.ts'

const INFRA = new URL('../../../infra/', import.meta.url)
/** Who the functions are to the API server; the manifests bind their rights to it. */
export const FUNCTION_USER = 'fencepost:function:cleanup'
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
  const isTheirs = (await administrator.send('GET', SESSIONS)) === 200
  const created: string[] = []
  const create = async (objects: readonly object[]) => void created.push(...(await administrator.create(objects)))

  await create([namespaceOf(namespace)])
  await create((await Promise.all(LOOPS.map(loop => rights(namespace, loop)))).flat())
  if (!isTheirs) await create([...(await definitions()), namespaceOf(SESSIONS_NAMESPACE)])
  const token = functionToken === undefined ? {} : { functionToken }
  const sessions = isTheirs ? 'this cluster has BreakglassSessions of its own, which are not ours to expire' : true
  const kubernetes: RealKubernetes = { kubeconfig, namespace, sessions, ...token }
  const headers = await functionHeaders(administrator, kubernetes)
  await eventually(async () => {
    const lease = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/${namespace}-cleanup`
    const statuses = [await administrator.send('GET', lease, undefined, headers)]
    if (sessions === true) statuses.push(await administrator.send('GET', SESSIONS, undefined, headers))
    return statuses.join() === (sessions === true ? '404,200' : '404')
  })
  return {
    kubernetes,
    async remove() {
      for (const path of created.reverse()) await administrator.send('DELETE', path)
      administrator.close()
    },
  }
}

/** The headers that make a request one of the functions'. */
export async function functionHeaders(
  { connection }: Administrator,
  { functionToken }: RealKubernetes,
): Promise<Record<string, string>> {
  if (functionToken !== undefined) return { authorization: `Bearer ${functionToken}` }
  return { ...(await connection.headers()), 'impersonate-user': FUNCTION_USER }
}

const namespaceOf = (name: string) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })

async function definitions(): Promise<object[]> {
  const folder = new URL('local/crds/', INFRA)
  const files = (await readdir(folder)).filter(file => file.endsWith('.yaml'))
  return await Promise.all(files.map(async file => parse(await readFile(new URL(file, folder), 'utf8')) as object))
}

/** The rights of a loop out of its manifest, for another installation. */
async function rights(installation: string, loop: string): Promise<object[]> {
  const folder = new URL('kubernetes/', INFRA)
  const files = await readdir(folder)
  const own = files.includes(`${loop}.yaml`) ? loop : 'cleanup'
  const text = (await readFile(new URL(`${own}.yaml`, folder), 'utf8'))
    .replaceAll('fencepost-system', installation)
    .replaceAll(`fencepost-${own}`, `${installation}-${loop}`)
  return parseAllDocuments(text)
    .map(document => document.toJS() as { apiVersion: string })
    .filter(({ apiVersion }) => apiVersion === 'rbac.authorization.k8s.io/v1')
}

async function eventually(isSo: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await isSo()); tries++) {
    if (tries === 300) throw new Error('the functions have no rights 30 s after they were given some')
    await new Promise(resolve => setTimeout(resolve, 100))
  }
}
