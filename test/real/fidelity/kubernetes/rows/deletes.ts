// Deletes: preconditions in the body and in the query, dry runs, finalizers, policies, collections.

import { lease, MERGE, type Row, widget } from '../row.ts'

const made = (name: string, metadata: object = {}): Row => ({
  title: `the widget ${name} is there to be deleted`,
  send: 'POST {widgets}',
  body: widget(name, {}, metadata),
  as: name.replaceAll('-', ''),
})
const remove = (title: string, body?: unknown, path = '{widgets}/gone'): Row => ({
  title,
  send: `DELETE ${path}`,
  body,
})

/** Needs the definition. */
export const DELETES: readonly Row[] = [
  made('gone', { labels: { going: 'yes' } }),
  remove('a delete under another uid', { preconditions: { uid: 'other' } }),
  remove('a delete under an old resourceVersion', { preconditions: { resourceVersion: '1' } }),
  remove('a delete under the right uid and an old resourceVersion', {
    preconditions: { uid: '{gone.uid}', resourceVersion: '1' },
  }),
  remove('a delete that is dry by its body', { dryRun: ['All'] }),
  remove('a delete that is dry by its query', undefined, '{widgets}/gone?dryRun=All'),
  remove('a dry delete under another uid', { dryRun: ['All'], preconditions: { uid: 'other' } }),
  remove('a delete that is dry in a way nobody knows', { dryRun: ['Some'] }),
  remove('a delete with a policy that nobody knows', { propagationPolicy: 'Sideways' }),
  remove('a delete with two policies', { propagationPolicy: 'Background', orphanDependents: true }),
  remove('a delete with a body that is cut off', '{"preconditions":'),
  remove('a delete with a body of another kind', { kind: 'Pod', apiVersion: 'v1' }),
  remove('a delete with a precondition that is a text', { preconditions: 'x' }),
  remove('a delete with a negative grace period', { gracePeriodSeconds: -1, dryRun: ['All'] }),
  remove('a delete of the right kind and version', { kind: 'DeleteOptions', apiVersion: 'v1', dryRun: ['All'] }),
  remove(
    'a delete of the kind’s own version',
    { kind: 'DeleteOptions', apiVersion: 'coordination.k8s.io/v1', dryRun: ['All'] },
    '{leases}/bare',
  ),
  { title: 'after all these the widget is still there', send: 'GET {widgets}/gone' },
  remove('a delete in the right state', {
    preconditions: { uid: '{gone.uid}', resourceVersion: '{gone.resourceVersion}' },
  }),
  remove('a delete of what is gone'),
  remove('a delete of what is gone, under a uid', { preconditions: { uid: '{gone.uid}' } }),
  made('query'),
  remove('a delete under another uid in the query', undefined, '{widgets}/query?uid=other'),
  remove('a delete under an old resourceVersion in the query', undefined, '{widgets}/query?resourceVersion=1'),
  remove('beside a body a uid in the query counts for nothing', { dryRun: ['All'] }, '{widgets}/query?uid=other'),
  remove('a precondition by its long name in the query', undefined, '{widgets}/query?preconditions.uid=other'),
  made('beside'),
  remove(
    'beside a body a dry run in the query counts for nothing',
    { propagationPolicy: 'Background' },
    '{widgets}/beside?dryRun=All',
  ),
  made('policy'),
  remove('a policy in the query', undefined, '{widgets}/policy?propagationPolicy=Background'),
  made('foreground'),
  remove('a foreground delete waits for its finalizer', { propagationPolicy: 'Foreground' }, '{widgets}/foreground'),
  {
    title: 'a foreground delete ends with its finalizer',
    send: 'PATCH {widgets}/foreground',
    body: { metadata: { finalizers: null } },
    headers: MERGE,
  },
  made('orphan'),
  remove('an orphaning delete waits for its finalizer', { orphanDependents: true }, '{widgets}/orphan'),
  made('held-back', { finalizers: ['fencepost.test/hold'] }),
  remove('a delete waits for a finalizer', undefined, '{widgets}/held-back'),
  remove('a second delete changes nothing', undefined, '{widgets}/held-back'),
  {
    title: 'no finalizer comes to what is going',
    send: 'PATCH {widgets}/held-back',
    body: { metadata: { finalizers: ['fencepost.test/hold', 'fencepost.test/more'] } },
    headers: MERGE,
  },
  {
    title: 'what is going can be changed',
    send: 'PATCH {widgets}/held-back',
    body: { spec: { size: 5 } },
    headers: MERGE,
  },
  {
    title: 'the last finalizer goes dry',
    send: 'PATCH {widgets}/held-back?dryRun=All',
    body: { metadata: { finalizers: null } },
    headers: MERGE,
  },
  {
    title: 'the last finalizer goes',
    send: 'PATCH {widgets}/held-back',
    body: { metadata: { finalizers: null } },
    headers: MERGE,
  },
  { title: 'and the widget with it', send: 'GET {widgets}/held-back' },
  made('sweep-a', { labels: { sweep: 'yes' } }),
  made('sweep-b', { labels: { sweep: 'no' } }),
  remove('a dry delete of a collection', { dryRun: ['All'] }, '{widgets}?labelSelector=sweep'),
  remove('a delete of a selection', undefined, '{widgets}?labelSelector=sweep%3Dyes'),
  { title: 'what was not selected stays', send: 'GET {widgets}?labelSelector=sweep' },
  remove('a delete of a collection by a bad selector', undefined, '{widgets}?labelSelector=a+b'),
  { title: 'a Lease is there to be deleted', send: 'POST {leases}', body: lease('gone') },
  remove('a Lease is deleted dry', { dryRun: ['All'] }, '{leases}/gone'),
  remove('a Lease is deleted', undefined, '{leases}/gone'),
  remove('a missing Lease is deleted', undefined, '{leases}/gone'),
]
