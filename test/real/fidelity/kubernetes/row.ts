// One request of the comparison, as data. Strings in it may name what is known when it is sent: `{leases}` and the like for
// paths, `{a.uid}` for a field of the metadata in the answer of the earlier row that was kept as `a`.

/** A request that both servers get, and how their answers are named. */
export interface Row {
  /** Unique; known differences refer to it. */
  readonly title: string
  /** Method, a blank, path with query. */
  readonly send: string
  /** Sent as JSON, a string as it is. */
  readonly body?: unknown
  /** Sends the body of the answer that was kept under this name, with `body` merged into it (null removes). */
  readonly from?: string
  /** Added to `content-type: application/json`. */
  readonly headers?: Readonly<Record<string, string>>
  /** Keeps the answer under this name. */
  readonly as?: string
  /** The part of the answer's body that is compared; default all of it. */
  // biome-ignore lint/suspicious/noExplicitAny: bodies of many shapes
  readonly part?: (body: any) => unknown
}

/** An answer; `body` is parsed where it is JSON, YAML or lines of JSON. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: unknown
}

/** Media types of patches. */
export const MERGE = { 'content-type': 'application/merge-patch+json' }
/** @see MERGE */
export const JSON_PATCH = { 'content-type': 'application/json-patch+json' }
/** @see MERGE */
export const STRATEGIC = { 'content-type': 'application/strategic-merge-patch+json' }
/** Asks for a table, as kubectl does. */
export const TABLE = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json' }
/** Asks for metadata alone, as informers of metadata do. */
export const METADATA = { accept: 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io,application/json' }
/** @see METADATA */
export const METADATA_LIST = { accept: 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io' }

/** The paths that rows name. */
export function pathsOf(namespace: string, group: string): Readonly<Record<string, string>> {
  const inside = (prefix: string, plural: string) => `${prefix}/namespaces/${namespace}/${plural}`
  return {
    ns: namespace,
    group,
    namespaces: '/api/v1/namespaces',
    crds: '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
    leases: inside('/apis/coordination.k8s.io/v1', 'leases'),
    secrets: inside('/api/v1', 'secrets'),
    configmaps: inside('/api/v1', 'configmaps'),
    events: inside('/apis/events.k8s.io/v1', 'events'),
    coreEvents: inside('/api/v1', 'events'),
    widgets: inside(`/apis/${group}/v1`, 'widgets'),
    widgets2: inside(`/apis/${group}/v2`, 'widgets'),
    gadgets: `/apis/${group}/v1/gadgets`,
    fences: `/apis/fence.${group}/v1/fences`,
    policies: '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies',
    bindings: '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings',
  }
}

/** A Lease. */
export const lease = (name: string, spec: object = {}, metadata: object = {}): object => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: { name, ...metadata },
  spec,
})

/** A custom object of the definition in `definition.ts`. */
export const widget = (name: string, spec: object = {}, metadata: object = {}): object => ({
  apiVersion: '{group}/v1',
  kind: 'Widget',
  metadata: { name, ...metadata },
  spec: { size: 1, ...spec },
})

/** An Event of events.k8s.io; `null` takes a field out. */
export const event = (more: object = {}): object =>
  without({
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: { generateName: 'prod-admin-x7f2-' },
    eventTime: '2020-11-21T07:05:00.000000Z',
    reportingController: 'fencepost.dev/cleanup',
    reportingInstance: 'fencepost-cleanup',
    action: 'Expire',
    reason: 'ExpiredByTime',
    type: 'Normal',
    regarding: { kind: 'BreakglassSession', namespace: '{ns}', name: 'prod-admin-x7f2' },
    note: 'ended 3 min ago',
    ...more,
  })

const without = (object: object) => Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null))
