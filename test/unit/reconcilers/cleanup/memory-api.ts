// The smallest API server that observe and apply can be tried on: lists with selector, limit and continue, reads, bound
// merge patches and deletes, Events. `before` runs ahead of each request, so that a test can change an object or fail.

import type { ApiRequest, KubernetesApi, RawObject } from '../../../../lib/kubernetes/api.ts'
import { keyOf } from '../../../../lib/kubernetes/api.ts'

export interface MemoryApi extends KubernetesApi {
  /** Every request, e.g. `GET breakglasssessions status.state=Approved`, `PATCH team/a`. */
  readonly requests: string[]
  readonly events: Record<string, unknown>[]
  before: (what: string, request: ApiRequest) => void
  /** Objects per list page; default 500. */
  pageSize: number
  get(key: string): RawObject | undefined
  /** Changes an object as another writer would. */
  put(raw: RawObject): void
  remove(key: string): void
}

export function createMemoryApi(raws: readonly RawObject[]): MemoryApi {
  const objects = new Map<string, RawObject>()
  let version = 100
  const put = (raw: RawObject) => {
    const stored = { ...raw, metadata: { ...raw.metadata, resourceVersion: String(++version) } }
    objects.set(keyOf(stored), stored)
    return stored
  }
  for (const raw of raws) put(raw)

  const memory: MemoryApi = {
    requests: [],
    events: [],
    before: () => {},
    pageSize: 500,
    get: key => objects.get(key),
    put,
    remove: key => objects.delete(key),
    clockSkewMs: () => undefined,
    close: () => {},
    async request(request) {
      const [namespace, plural, name] = placeOf(request.path)
      const key = name && `${namespace}/${name}`
      const what = `${request.method} ${key ?? plural} ${request.query?.fieldSelector ?? ''}`.trim()
      memory.requests.push(what)
      memory.before(what, request)
      const { status, body } = answer(request, { namespace, plural, key })
      return { status, body: structuredClone(body), repeated: false }
    },
  }

  function answer(request: ApiRequest, { namespace, plural, key }: Record<string, string | undefined>) {
    if (plural === 'events') {
      memory.events.push(request.body as Record<string, unknown>)
      return { status: 201, body: request.body }
    }
    if (key === undefined) return { status: 200, body: list(request, plural, namespace) }
    const stored = objects.get(key)
    if (!stored) return { status: 404, body: undefined }
    if (request.method === 'GET') return { status: 200, body: stored }
    const body = request.body as { metadata?: object; preconditions?: object; status?: object }
    const bound = Object.entries(body.metadata ?? body.preconditions ?? {})
    if (bound.some(([field, value]) => stored.metadata[field] !== value)) return { status: 409, body: undefined }
    if (request.method === 'DELETE') return { status: objects.delete(key) ? 200 : 404, body: undefined }
    return { status: 200, body: put({ ...stored, status: { ...(stored.status as object), ...body.status } }) }
  }

  function list(request: ApiRequest, plural: string | undefined, namespace: string | undefined) {
    const state = request.query?.fieldSelector?.split('=')[1]
    const start = Number(request.query?.continue ?? 0)
    const all = [...objects.values()]
      .filter(raw => `${raw.kind}s`.toLowerCase() === plural)
      .filter(raw => namespace === undefined || raw.metadata.namespace === namespace)
      .filter(raw => state === undefined || (raw.status as { state: string }).state === state)
      .sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
    const end = start + memory.pageSize
    const metadata = end < all.length ? { continue: String(end) } : {}
    return { metadata, items: all.slice(start, end) }
  }

  return memory
}

function placeOf(path: string): [namespace: string | undefined, plural: string | undefined, name: string | undefined] {
  const steps = path.split('/').slice(4)
  return steps[0] === 'namespaces' ? [steps[1], steps[2], steps[3]] : [undefined, steps[0], steps[1]]
}
