// Lists: order, pages, snapshots, selectors, tables, metadata alone; and watches that end by themselves.

import { lease, METADATA, METADATA_LIST, type Row, TABLE, widget } from '../row.ts'

const made = ['c', 'a', 'e', 'b', 'd'].map(
  (letter, at): Row => ({
    title: `the widget list-${letter} is there to be listed`,
    send: 'POST {widgets}',
    body: widget(
      `list-${letter}`,
      { color: at % 2 === 0 ? 'even' : 'odd' },
      { labels: { lists: 'yes', at: String(at) } },
    ),
    as: `list${letter.toUpperCase()}`,
  }),
)
const list = (query: string) => `GET {widgets}?${query}`
const labels = (selector: string): Row => ({
  title: `widgets by the labels «${selector}»`,
  send: list(`labelSelector=${encodeURIComponent(selector)}`),
})
const fields = (selector: string, resource = '{widgets}'): Row => ({
  title: `${resource} by the fields «${selector}»`,
  send: `GET ${resource}?fieldSelector=${encodeURIComponent(selector)}`,
})
const watch = (title: string, query: string, more: Partial<Row> = {}): Row => ({
  title,
  send: `GET {widgets}?watch=1&timeoutSeconds=1&${query}`,
  ...more,
})

/** Needs the definition; its widgets are the only ones in the namespace when it begins. */
export const LISTS: readonly Row[] = [
  { title: 'an empty list of widgets', send: 'GET {widgets}' },
  { title: 'an empty list of Secrets', send: 'GET {secrets}?labelSelector=none' },
  ...made,
  { title: 'all widgets, in the order of names', send: 'GET {widgets}', as: 'all' },
  { title: 'the first page of two', send: list('limit=2'), as: 'page1' },
  {
    title: 'a widget comes between the pages',
    send: 'POST {widgets}',
    body: widget('list-bb', {}, { labels: { lists: 'late' } }),
  },
  { title: 'a widget goes between the pages', send: 'DELETE {widgets}/list-d' },
  { title: 'the second page is of the same snapshot', send: list('limit=2&continue={page1.continue}'), as: 'page2' },
  { title: 'the last page ends the list', send: list('limit=2&continue={page2.continue}') },
  { title: 'a page goes on with another limit', send: list('limit=50&continue={page1.continue}') },
  { title: 'a page goes on with a selector', send: list('limit=1&labelSelector=lists&continue={page1.continue}') },
  {
    title: 'a token in another namespace',
    send: 'GET /apis/{group}/v1/namespaces/default/widgets?limit=2&continue={page1.continue}',
  },
  { title: 'a page of a selection tells no remainder', send: list('limit=1&labelSelector=lists') },
  { title: 'a page of exactly all', send: list('limit=5') },
  { title: 'a limit of 0', send: list('limit=0') },
  { title: 'a limit below 0', send: list('limit=-1') },
  { title: 'a limit that is no number', send: list('limit=x') },
  { title: 'a token that is none', send: list('limit=2&continue=abc') },
  {
    title: 'a token that is broken JSON',
    send: list(`limit=2&continue=${Buffer.from('{"v":').toString('base64url')}`),
  },
  {
    title: 'a token of another version',
    send: list(`limit=2&continue=${Buffer.from('{"v":"meta.k8s.io/v9","rv":1,"start":"a"}').toString('base64url')}`),
  },
  {
    title: 'a token without a start',
    send: list(`limit=2&continue=${Buffer.from('{"v":"meta.k8s.io/v1","rv":1}').toString('base64url')}`),
  },
  {
    title: 'a token that reaches up',
    send: list(`limit=2&continue=${Buffer.from('{"v":"meta.k8s.io/v1","rv":1,"start":"../x"}').toString('base64url')}`),
  },
  { title: 'a token beside a resourceVersion', send: list('limit=2&resourceVersion=1&continue={page1.continue}') },
  { title: 'a token beside resourceVersion 0', send: list('limit=2&resourceVersion=0&continue={page1.continue}') },
  {
    title: 'the snapshot of a resourceVersion',
    send: list('resourceVersion={page1.resourceVersion}&resourceVersionMatch=Exact'),
  },
  {
    title: 'a page of the snapshot of a resourceVersion',
    send: list('limit=2&resourceVersion={page1.resourceVersion}&resourceVersionMatch=Exact'),
  },
  {
    title: 'not older than a resourceVersion',
    send: list('resourceVersion={page1.resourceVersion}&resourceVersionMatch=NotOlderThan'),
  },
  {
    title: 'a limit beside resourceVersion 0',
    send: list('limit=2&resourceVersion=0&resourceVersionMatch=NotOlderThan'),
  },
  { title: 'a match without a resourceVersion', send: list('resourceVersionMatch=Exact') },
  { title: 'an exact match of 0', send: list('resourceVersion=0&resourceVersionMatch=Exact') },
  { title: 'a match that nobody knows', send: list('resourceVersion=1&resourceVersionMatch=About') },
  {
    title: 'a match beside a token',
    send: list('resourceVersionMatch=Exact&resourceVersion=1&continue={page1.continue}'),
  },
  { title: 'a resourceVersion that is no number', send: list('resourceVersion=x') },
  { title: 'an object at a resourceVersion that is no number', send: 'GET {leases}/held?resourceVersion=x' },
  {
    title: 'an object not older than one of the past',
    send: 'GET {leases}/held?resourceVersion={held.resourceVersion}',
  },
  ...[
    'at=1',
    'at==1',
    'lists,at!=1',
    'at in (0,2)',
    'lists,at notin (0, 2)',
    'lists,!gone',
    'gone',
    'at>2',
    'at<2',
    'lists=',
    ',',
  ].map(labels),
  ...['a b', 'k in low', '-bad=x', 'k=v,', 'k in (', 'k in ()', 'at>x', '=v', 'k=-', '!'].map(labels),
  ...[
    'spec.color=even',
    'spec.color!=even',
    'spec.color=',
    'metadata.name=list-a',
    'metadata.name!=list-a,spec.color=even',
  ].map(selector => fields(selector)),
  ...['metadata.namespace={ns}', 'spec.size=1', 'spec.color', 'spec.color=a=b', 'status.state=x'].map(selector =>
    fields(selector),
  ),
  fields('metadata.name=held', '{leases}'),
  fields('metadata.namespace={ns},metadata.name=held', '{leases}'),
  fields('spec.holderIdentity=a', '{leases}'),
  fields('type=Opaque', '{secrets}'),
  fields('data=x', '{secrets}'),
  fields('status.phase=Terminating,metadata.name=nobody', '{namespaces}'),
  { title: 'widgets of all namespaces', send: 'GET /apis/{group}/v1/widgets?labelSelector=lists' },
  {
    title: 'Leases of all namespaces, by name',
    send: 'GET /apis/coordination.k8s.io/v1/leases?fieldSelector=metadata.namespace={ns},metadata.name=bare',
  },
  { title: 'widgets of a missing namespace', send: 'GET /apis/{group}/v1/namespaces/nowhere/widgets' },
  { title: 'Leases of a missing namespace', send: 'GET /apis/coordination.k8s.io/v1/namespaces/nowhere/leases' },
  { title: 'widgets as a table', send: 'GET {widgets}?labelSelector=lists', headers: TABLE },
  {
    title: 'widgets as a table of whole objects',
    send: 'GET {widgets}?labelSelector=at%3D1&includeObject=Object',
    headers: TABLE,
  },
  {
    title: 'widgets as a table without objects',
    send: 'GET {widgets}?labelSelector=at%3D1&includeObject=None',
    headers: TABLE,
  },
  { title: 'one widget as a table', send: 'GET {widgets}/list-a', headers: TABLE },
  { title: 'Leases as a table', send: 'GET {leases}?fieldSelector=metadata.name%3Dheld', headers: TABLE },
  { title: 'a page as a table', send: 'GET {widgets}?limit=1', headers: TABLE },
  { title: 'a missing widget as a table', send: 'GET {widgets}/missing', headers: TABLE },
  { title: 'one widget’s metadata alone', send: 'GET {widgets}/list-a', headers: METADATA },
  { title: 'the metadata of a list alone', send: 'GET {widgets}?labelSelector=at%3D1', headers: METADATA_LIST },
  { title: 'a list in YAML', send: 'GET {widgets}?labelSelector=at%3D1', headers: { accept: 'application/yaml' } },
  { title: 'a Lease is there to be watched', send: 'POST {leases}', body: lease('watched') },
  watch('a watch since the first page', 'resourceVersion={page1.resourceVersion}'),
  watch(
    'a watch of a selection since the first page',
    'resourceVersion={page1.resourceVersion}&labelSelector=lists%3Dyes',
  ),
  watch('a watch that begins with what is there', 'labelSelector=lists%3Dyes'),
  watch('a watch of one name', 'resourceVersion={page1.resourceVersion}&fieldSelector=metadata.name%3Dlist-d'),
  watch(
    'a watch with initial events',
    'sendInitialEvents=true&resourceVersionMatch=NotOlderThan&labelSelector=at%3D1&allowWatchBookmarks=true',
  ),
  watch('a watch with initial events and no match', 'sendInitialEvents=true'),
  watch('a watch from no number', 'resourceVersion=x'),
  watch('a watch of a field that nobody knows', 'fieldSelector=spec.size%3D1'),
  watch('a watch of metadata alone', 'labelSelector=at%3D1', { headers: METADATA }),
  {
    title: 'a watch by its old path',
    send: 'GET /apis/coordination.k8s.io/v1/watch/namespaces/{ns}/leases/watched?timeoutSeconds=1',
  },
]
