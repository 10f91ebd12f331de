// Events, Secrets, ConfigMaps, Namespaces.

import { event, JSON_PATCH, MERGE, type Row, STRATEGIC, TABLE } from '../row.ts'

const refused = (what: string, more: object): Row => ({
  title: `an Event with ${what}`,
  send: 'POST {events}',
  body: event(more),
})
const core = (more: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Event',
  metadata: { name: 'old-form' },
  involvedObject: { kind: 'Pod', namespace: '{ns}', name: 'p' },
  reason: 'Killing',
  message: 'said so',
  source: { component: 'kubelet' },
  firstTimestamp: '2020-11-21T07:05:00Z',
  lastTimestamp: '2020-11-21T07:05:00Z',
  count: 1,
  type: 'Normal',
  ...more,
})

/** Events in both forms. */
export const EVENTS: readonly Row[] = [
  { title: 'an Event is created with a drawn name', send: 'POST {events}', body: event(), as: 'event' },
  { title: 'an Event is seen by the core API', send: 'GET {coreEvents}/{event.name}' },
  { title: 'an Event in the old form', send: 'POST {coreEvents}', body: core(), as: 'coreEvent' },
  { title: 'an Event of the old form is seen by the new API', send: 'GET {events}/old-form' },
  {
    title: 'an Event counts its series',
    send: 'PATCH {events}/{event.name}',
    body: { series: { count: 2, lastObservedTime: '2020-11-21T07:06:00.000000Z' } },
    headers: MERGE,
  },
  {
    title: 'an Event of the new form can’t be rewritten',
    send: 'PATCH {events}/{event.name}',
    body: { note: 'other' },
    headers: MERGE,
  },
  { title: 'an Event is created by a PUT', send: 'PUT {events}/by-put', body: event({ metadata: { name: 'by-put' } }) },
  {
    title: 'an Event of the old form is overwritten without a resourceVersion',
    send: 'PUT {coreEvents}/old-form',
    body: core({ count: 2 }),
  },
  {
    title: 'Events about an object',
    send: 'GET {events}?fieldSelector=regarding.name%3Dprod-admin-x7f2,reason%3DExpiredByTime',
    part: body => body.items.length,
  },
  { title: 'core Events by their source', send: 'GET {coreEvents}?fieldSelector=source%3Dkubelet,type%3DNormal' },
  { title: 'Events by a field that nobody knows', send: 'GET {events}?fieldSelector=note%3Dx' },
  {
    title: 'core Events as a table',
    send: 'GET {coreEvents}?fieldSelector=source%3Dkubelet',
    headers: TABLE,
    part: body => [body.columnDefinitions, body.rows.map((row: { cells: unknown[] }) => row.cells.slice(1))],
  },
  refused('no eventTime', { eventTime: null }),
  refused('no action', { action: '' }),
  refused('no reason, controller and instance', { reason: '', reportingController: '', reportingInstance: '' }),
  refused('a controller that is no qualified name', { reportingController: 'a b' }),
  refused('a type of its own', { type: 'Info' }),
  refused('a note of 1 025 characters', { note: 'x'.repeat(1025) }),
  refused('a reason of 129 characters', { reason: 'x'.repeat(129) }),
  refused('milliseconds in eventTime', { eventTime: '2020-11-21T07:05:00.000Z' }),
  refused('a regarded object elsewhere', { regarding: { kind: 'X', namespace: 'elsewhere', name: 'x' } }),
  refused('a regarded object in no namespace', { regarding: { kind: 'X', name: 'x' } }),
  refused('a series of one', { series: { count: 1, lastObservedTime: '2020-11-21T07:06:00.000000Z' } }),
  refused('a count of the old form', { deprecatedCount: 1 }),
  refused('an unknown field', { bogus: 1 }),
]

const secret = (name: string, more: object = {}) => ({ apiVersion: 'v1', kind: 'Secret', metadata: { name }, ...more })

/** Secrets and ConfigMaps. */
export const DATA: readonly Row[] = [
  {
    title: 'a Secret takes stringData into data',
    send: 'POST {secrets}',
    body: secret('s1', { data: { a: 'aGk=' }, stringData: { b: 'x', a: 'over' } }),
    as: 's1',
  },
  { title: 'a Secret with data that is no base64', send: 'POST {secrets}', body: secret('s', { data: { a: '!!' } }) },
  { title: 'a Secret with data that is a number', send: 'POST {secrets}', body: secret('s', { data: { a: 1 } }) },
  {
    title: 'a Secret with a key that is no file name',
    send: 'POST {secrets}',
    body: secret('s', { data: { 'a b': 'aGk=' } }),
  },
  {
    title: 'a Secret with an empty value',
    send: 'POST {secrets}?dryRun=All',
    body: secret('s', { data: { a: '' }, stringData: { b: '' } }),
  },
  {
    title: 'a Secret of a certificate without its key',
    send: 'POST {secrets}',
    body: secret('s', { type: 'kubernetes.io/tls', data: { 'tls.crt': '' } }),
  },
  { title: 'a Secret changes its type', send: 'PATCH {secrets}/s1', body: { type: 'other' }, headers: MERGE },
  {
    title: 'a Secret is overwritten without a resourceVersion',
    send: 'PUT {secrets}/s1',
    body: secret('s1', { data: { c: 'aGk=' } }),
  },
  { title: 'a Secret becomes immutable', send: 'PATCH {secrets}/s1', body: { immutable: true }, headers: MERGE },
  {
    title: 'an immutable Secret is changed',
    send: 'PATCH {secrets}/s1',
    body: { data: { c: 'eA==' } },
    headers: MERGE,
  },
  {
    title: 'an immutable Secret becomes mutable',
    send: 'PATCH {secrets}/s1',
    body: { immutable: null },
    headers: MERGE,
  },
  { title: 'a Secret as a table', send: 'GET {secrets}/s1', headers: TABLE },
  {
    title: 'a ConfigMap is created',
    send: 'POST {configmaps}',
    body: { metadata: { name: 'c1', finalizers: ['a.test/1'] }, data: { a: '1', b: '2' } },
    as: 'c1',
  },
  { title: 'a ConfigMap with a number', send: 'POST {configmaps}', body: { metadata: { name: 'c' }, data: { a: 1 } } },
  {
    title: 'a ConfigMap with a key in both maps',
    send: 'POST {configmaps}',
    body: { metadata: { name: 'c' }, data: { a: '1' }, binaryData: { a: 'aGk=' } },
  },
  {
    title: 'a strategic merge patch of data and finalizers',
    send: 'PATCH {configmaps}/c1',
    body: { data: { a: null, c: '3' }, metadata: { finalizers: ['a.test/2'] } },
    headers: STRATEGIC,
  },
  {
    title: 'a strategic merge patch with a directive',
    send: 'PATCH {configmaps}/c1',
    body: {
      metadata: { '$deleteFromPrimitiveList/finalizers': ['a.test/1', 'a.test/2'] },
      data: { $patch: 'replace', z: '9' },
    },
    headers: STRATEGIC,
  },
  { title: 'a strategic merge patch that is a list', send: 'PATCH {configmaps}/c1', body: [], headers: STRATEGIC },
  {
    title: 'a strategic merge patch with a number for a text',
    send: 'PATCH {configmaps}/c1',
    body: { data: { a: 1 } },
    headers: STRATEGIC,
  },
  {
    title: 'a JSON patch of a ConfigMap',
    send: 'PATCH {configmaps}/c1',
    body: [{ op: 'add', path: '/data/y', value: '8' }],
    headers: JSON_PATCH,
  },
  {
    title: 'a patch of a ConfigMap in a form that nobody knows',
    send: 'PATCH {configmaps}/c1',
    body: 'x',
    headers: { 'content-type': 'text/plain' },
  },
]

/** Namespaces other than the run's own; they stay Terminating. */
export const NAMESPACES: readonly Row[] = [
  {
    title: 'a Namespace is created',
    send: 'POST {namespaces}',
    body: { metadata: { name: '{ns}-a', labels: { run: '{ns}' } } },
    as: 'namespace',
  },
  { title: 'a Namespace is created again', send: 'POST {namespaces}', body: { metadata: { name: '{ns}-a' } } },
  { title: 'a Namespace with a dot in its name', send: 'POST {namespaces}', body: { metadata: { name: 'a.b' } } },
  { title: 'a Namespace of a long name', send: 'POST {namespaces}', body: { metadata: { name: 'x'.repeat(64) } } },
  { title: 'a Namespace is read', send: 'GET {namespaces}/{ns}-a' },
  { title: 'Namespaces by label', send: 'GET {namespaces}?labelSelector=run%3D{ns}' },
  { title: 'Namespaces as a table', send: 'GET {namespaces}?labelSelector=run%3D{ns}', headers: TABLE },
  {
    title: 'a Namespace gets a label',
    send: 'PATCH {namespaces}/{ns}-a',
    body: { metadata: { labels: { more: 'x' } } },
    headers: MERGE,
  },
  {
    title: 'a Namespace keeps its name’s label',
    send: 'PATCH {namespaces}/{ns}-a',
    body: { metadata: { labels: { 'kubernetes.io/metadata.name': null } } },
    headers: MERGE,
  },
  {
    title: 'a Namespace gets another phase',
    send: 'PATCH {namespaces}/{ns}-a/status',
    body: { status: { phase: 'Terminating' } },
    headers: MERGE,
  },
  { title: 'all Namespaces can’t be deleted at once', send: 'DELETE {namespaces}' },
  { title: 'a Namespace that may not be deleted', send: 'DELETE {namespaces}/default' },
  { title: 'a Namespace is deleted dry', send: 'DELETE {namespaces}/{ns}-a', body: { dryRun: ['All'] } },
  { title: 'a Namespace is deleted', send: 'DELETE {namespaces}/{ns}-a' },
  {
    title: 'nothing new comes into a Namespace that ends',
    send: 'POST {namespaces}/{ns}-a/configmaps',
    body: { metadata: { name: 'late' } },
  },
  { title: 'a missing Namespace is deleted', send: 'DELETE {namespaces}/{ns}-nowhere' },
]
