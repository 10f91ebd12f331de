// A real Kubernetes API under an administrator's hands: objects as the embedded API loads them, and single requests.

import { json, text } from 'node:stream/consumers'
import { type Connection, connectByKubeconfig } from '../../../lib/kubernetes/connection.ts'
import { KubeConfig } from '../../../lib/kubernetes/kubeconfig-library.ts'
import { openUpstream, type Upstream } from '../proxy/upstream.ts'

/** The part of an object that says where it goes. */
interface Addressed {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string; readonly namespace?: string }
  readonly status?: unknown
}

/** How many objects are created at once. */
const PARALLEL = 8

/** An administrator's way to an API server. */
export interface Administrator {
  readonly upstream: Upstream
  readonly connection: Connection
  /** Sends one request with JSON, as the administrator or with other credentials, and gives its status. */
  send(method: string, path: string, body?: object, headers?: Record<string, string>): Promise<number>
  /**
   * Creates objects in groups of one kind after the other, then their status.
   * @returns the paths of those that did not exist before.
   * @throws Error – with the server's refusal, also of one that exists, unless it is a namespace or a definition.
   */
  create(objects: readonly object[]): Promise<string[]>
  close(): void
}

/** Connects as a kubeconfig file says. */
export async function openAdministrator(kubeconfig: string): Promise<Administrator> {
  const connection = await connectByKubeconfig(KubeConfig, kubeconfig)
  const upstream = openUpstream(connection.server, connection.tls)
  const collections = new Map<string, Promise<string>>()

  async function ask(method: string, path: string, body?: object, headers: Record<string, string> = {}) {
    const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'
    return await upstream.send({
      method,
      path,
      headers: { ...(await connection.headers()), 'content-type': type, ...headers },
      body: body === undefined ? '' : JSON.stringify(body),
    })
  }

  /** `/api/v1` or `/apis/…`, and the kind's plural, as the server's own discovery tells. */
  function collectionOf({ apiVersion, kind }: Addressed): Promise<string> {
    const base = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
    const look = async () => {
      for (let tries = 0; tries < 100; tries++) {
        const { resources = [] } = (await json(await ask('GET', base))) as {
          resources?: { kind: string; name: string }[]
        }
        const found = resources.find(resource => resource.kind === kind && !resource.name.includes('/'))
        if (found) return `${base}\n${found.name}`
        await new Promise(resolve => setTimeout(resolve, 100))
      }
      throw new Error(`no kind ${kind} is served at ${apiVersion}`)
    }
    const known = collections.get(`${base} ${kind}`) ?? look()
    collections.set(`${base} ${kind}`, known)
    return known
  }

  async function createOne(object: Addressed): Promise<string[]> {
    const [base, plural] = (await collectionOf(object)).split('\n')
    const { name, namespace } = object.metadata
    const collection = `${base}${namespace ? `/namespaces/${namespace}` : ''}/${plural}`
    const answer = await ask('POST', collection, object)
    const said = await text(answer)
    const mayExist = object.kind === 'Namespace' || object.kind === 'CustomResourceDefinition'
    if (answer.statusCode === 409 && mayExist) return []
    if (answer.statusCode !== 201) throw new Error(`cannot create ${object.kind} ${name}: ${said}`)
    if (object.status !== undefined && object.kind !== 'CustomResourceDefinition') {
      const updated = await ask('PATCH', `${collection}/${name}/status`, { status: object.status })
      if (updated.statusCode !== 200) throw new Error(`cannot set the status of ${name}: ${await text(updated)}`)
      updated.resume()
    }
    return [`${collection}/${name}`]
  }

  return {
    upstream,
    connection,
    async send(method, path, body, headers) {
      const answer = await ask(method, path, body, headers)
      answer.resume()
      return answer.statusCode ?? 0
    },
    async create(objects) {
      const created: string[] = []
      const left = [...(objects as Addressed[])]
      while (left.length > 0) {
        const end = left.findIndex(({ kind }) => kind !== left[0]?.kind)
        const group = left.splice(0, Math.min(PARALLEL, end === -1 ? left.length : end))
        created.push(...(await Promise.all(group.map(createOne))).flat())
      }
      return created
    },
    close: () => upstream.close(),
  }
}
