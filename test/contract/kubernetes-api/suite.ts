// What the subjects of the contract share: a namespace and a kind of the suite's own, and short ways to make objects.

import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect } from 'vitest'
import { definition } from './definition.ts'
import type { Answer, OpenApi, Request } from './http.ts'

/** Media types of patches. */
export const MERGE = { 'content-type': 'application/merge-patch+json' }
/** @see MERGE */
export const JSON_PATCH = { 'content-type': 'application/json-patch+json' }
/** Why a stale resourceVersion is refused. */
export const STALE = 'the object has been modified; please apply your changes to the latest version and try again'

/** `<field> <reason>` of every cause of a refusal, sorted. */
export const causes = (answer: Answer): string[] =>
  (answer.body.details.causes as { field: string; reason: string }[])
    .map(({ field, reason }) => `${field} ${reason}`)
    .sort()

/** One run of the contract over one server. */
export interface Suite {
  readonly group: string
  readonly namespace: string
  /** Paths of collections in the suite's namespace. */
  readonly widgets: string
  readonly leases: string
  readonly events: string
  readonly secrets: string
  readonly crds: string
  readonly request: Request
  /** A name that no other object has. */
  fresh(): string
  lease(name: string, spec?: object): { metadata: { name: string }; spec: object; apiVersion: string; kind: string }
  widget(name: string, spec?: object, metadata?: object): object
  /** Creates an object and gives it as the server answers it. */
  // biome-ignore lint/suspicious/noExplicitAny: objects of many shapes
  made(path: string, object: object): Promise<any>
}

/** Makes namespace and kind before the tests around it, and takes them away after them. */
export function openSuite(open: () => Promise<OpenApi>): Suite {
  const suffix = randomBytes(4).toString('hex')
  const group = `g${suffix}.fencepost.test`
  const namespace = `contract-${suffix}`
  const widgets = `/apis/${group}/v1/namespaces/${namespace}/widgets`
  const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
  let server: OpenApi
  let count = 0
  const request: Request = (...given) => server.request(...given)

  beforeAll(async () => {
    server = await open()
    expect(await request('POST', '/api/v1/namespaces', { metadata: { name: namespace } })).toMatchObject({
      status: 201,
    })
    expect(await request('POST', crds, definition(group))).toMatchObject({ status: 201 })
    for (let status = 0; status !== 200; ) status = (await request('GET', widgets)).status
  })
  afterAll(async () => {
    await request('DELETE', `${crds}/widgets.${group}`)
    await request('DELETE', `/api/v1/namespaces/${namespace}`)
    await server.close()
  })

  return {
    group,
    namespace,
    widgets,
    leases: `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`,
    events: `/apis/events.k8s.io/v1/namespaces/${namespace}/events`,
    secrets: `/api/v1/namespaces/${namespace}/secrets`,
    crds,
    request,
    fresh: () => `o${(count++).toString().padStart(3, '0')}-${suffix}`,
    lease: (name, spec = {}) => ({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name }, spec }),
    widget: (name, spec = {}, metadata = {}) => ({
      apiVersion: `${group}/v1`,
      kind: 'Widget',
      metadata: { name, ...metadata },
      spec: { size: 1, ...spec },
    }),
    async made(path, object) {
      const answer = await request('POST', path, object)
      expect(answer, answer.text).toMatchObject({ status: 201 })
      return answer.body
    },
  }
}
