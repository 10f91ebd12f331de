// What kubectl 1.34 sends for get, create, apply, label, patch and delete, as recorded, with names of our own. It asks for
// tables and for discovery in one piece, names its field manager, validates strictly and deletes in the background.

import { JSON_PATCH, MERGE, type Row, STRATEGIC } from '../row.ts'

const TABLES = {
  accept:
    'application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json',
}
const AGGREGATED = {
  accept:
    'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json',
}
const APPLY = { 'content-type': 'application/apply-patch+yaml' }
const PROTOBUF = {
  accept: 'application/vnd.kubernetes.protobuf,application/json',
  'content-type': 'application/vnd.kubernetes.protobuf',
}
// In protobuf: runtime.Unknown with a Namespace of the name `by-hand`; every byte of it is ASCII.
const NAMESPACE =
  'k8s\0\n\u000f\n\u0002v1\u0012\tNamespace\u0012\u001f\n\u0017\n\u0007by-hand\u0012\0\u001a\0"\0*\u00002\u00008\0B\0\u0012\0\u001a\u0002\n\0\u001a\0"\0'
const LEASE =
  '{"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"annotations":{"x":"y"},"name":"by-hand","namespace":"{ns}"}}\n'
const applied = (a: string) =>
  `{"apiVersion":"v1","data":{"a":"${a}"},"kind":"ConfigMap","metadata":{"annotations":{},"name":"by-hand","namespace":"{ns}"}}\n`
const last = (a: string) => ({ 'kubectl.kubernetes.io/last-applied-configuration': applied(a) })
const BACKGROUND = '{"propagationPolicy":"Background"}\n'

/** In the order in which they were recorded. */
export const KUBECTL: readonly Row[] = [
  { title: 'kubectl asks for the core group', send: 'GET /api?timeout=32s', headers: AGGREGATED },
  { title: 'kubectl asks for all groups', send: 'GET /apis?timeout=32s', headers: AGGREGATED },
  { title: 'kubectl get namespace', send: 'GET {namespaces}/{ns}', headers: TABLES },
  { title: 'kubectl get leases', send: 'GET {leases}?limit=500&labelSelector=app', headers: TABLES },
  {
    title: 'kubectl create -f of a Lease',
    send: 'POST {leases}?fieldManager=kubectl-create&fieldValidation=Strict',
    body: LEASE,
  },
  {
    title: 'kubectl create -f of a Lease again',
    send: 'POST {leases}?fieldManager=kubectl-create&fieldValidation=Strict',
    body: LEASE,
  },
  { title: 'kubectl get -f -o yaml', send: 'GET {leases}/by-hand' },
  { title: 'kubectl apply looks for a ConfigMap', send: 'GET {configmaps}/by-hand' },
  {
    title: 'kubectl apply creates it',
    send: 'POST {configmaps}?fieldManager=kubectl-client-side-apply&fieldValidation=Strict',
    body: {
      apiVersion: 'v1',
      data: { a: '1' },
      kind: 'ConfigMap',
      metadata: { annotations: last('1'), name: 'by-hand', namespace: '{ns}' },
    },
  },
  {
    title: 'kubectl apply changes it',
    send: 'PATCH {configmaps}/by-hand?fieldManager=kubectl-client-side-apply&fieldValidation=Strict',
    body: { data: { a: '2' }, metadata: { annotations: last('2') } },
    headers: STRATEGIC,
  },
  {
    title: 'kubectl apply --dry-run=server',
    send: 'PATCH {configmaps}/by-hand?dryRun=All&fieldManager=kubectl-client-side-apply&fieldValidation=Strict',
    body: { data: { a: '3' }, metadata: { annotations: last('3') } },
    headers: STRATEGIC,
  },
  {
    title: 'kubectl apply --server-side',
    send: 'PATCH {configmaps}/by-hand?fieldManager=kubectl&fieldValidation=Strict&force=true',
    body: '{"apiVersion":"v1","data":{"a":"2"},"kind":"ConfigMap","metadata":{"name":"by-hand","namespace":"{ns}"}}\n',
    headers: APPLY,
  },
  {
    title: 'kubectl apply --server-side takes over managedFields',
    send: 'PATCH {configmaps}/by-hand?fieldManager=kubectl&fieldValidation=Strict',
    body: [{ op: 'replace', path: '/metadata/managedFields', value: [{}] }],
    headers: JSON_PATCH,
  },
  { title: 'kubectl delete -f', send: 'DELETE {configmaps}/by-hand', body: BACKGROUND },
  { title: 'kubectl waits until it is gone', send: 'GET {configmaps}/by-hand' },
  { title: 'kubectl delete lease', send: 'DELETE {leases}/by-hand', body: BACKGROUND },
  { title: 'kubectl delete of what is gone', send: 'DELETE {leases}/by-hand', body: BACKGROUND },
  {
    title: 'kubectl create namespace, in protobuf',
    send: 'POST {namespaces}?dryRun=All&fieldManager=kubectl-create&fieldValidation=Strict',
    body: NAMESPACE,
    headers: PROTOBUF,
  },
  {
    title: 'kubectl create of a Secret',
    send: 'POST {secrets}?fieldManager=kubectl-create&fieldValidation=Strict',
    body: '{"apiVersion":"v1","data":{"a":"Yg=="},"kind":"Secret","metadata":{"name":"by-hand"}}',
  },
  {
    title: 'kubectl label',
    send: 'PATCH {secrets}/by-hand?fieldManager=kubectl-label',
    body: { metadata: { labels: { a: 'b' } } },
    headers: MERGE,
  },
  {
    title: 'kubectl annotate',
    send: 'PATCH {secrets}/by-hand?fieldManager=kubectl-annotate',
    body: { metadata: { annotations: { a: 'b' } } },
    headers: MERGE,
  },
  {
    title: 'kubectl patch',
    send: 'PATCH {secrets}/by-hand?fieldManager=kubectl-patch',
    body: { data: { x: 'eA==' } },
    headers: STRATEGIC,
  },
  {
    title: 'kubectl patch --type merge',
    send: 'PATCH {secrets}/by-hand?fieldManager=kubectl-patch',
    body: { data: { x: null } },
    headers: MERGE,
  },
  { title: 'kubectl delete -l lists first', send: 'GET {secrets}?labelSelector=a%3Db' },
  { title: 'kubectl delete -l deletes one by one', send: 'DELETE {secrets}/by-hand', body: BACKGROUND },
]
