// Leases: created, swapped, bound to uid and resourceVersion, their times and numbers.

import { lease, MERGE, type Row } from '../row.ts'

const timed = (renewTime: unknown): object => lease('timed', { renewTime })

/** Run first: later rows name `held`. */
export const LEASES: readonly Row[] = [
  {
    title: 'a Lease without a spec is created',
    send: 'POST {leases}',
    body: { metadata: { name: 'bare' } },
    as: 'bare',
  },
  {
    title: 'a Lease with every field is created',
    send: 'POST {leases}',
    body: lease(
      'held',
      {
        holderIdentity: 'fencepost-cleanup/r1/n1',
        leaseDurationSeconds: 75,
        acquireTime: '2020-11-21T07:05:00.000000Z',
        renewTime: '2020-11-21T07:05:00.123456Z',
        leaseTransitions: 7,
      },
      { annotations: { 'fencepost.dev/tick': '2020-11-21T07:05:00Z' }, labels: { app: 'fencepost' } },
    ),
    as: 'held',
  },
  { title: 'a Lease is created a second time', send: 'POST {leases}', body: lease('held') },
  { title: 'a Lease is read', send: 'GET {leases}/held' },
  { title: 'a Lease is read with a query that nobody knows', send: 'GET {leases}/held?what=ever' },
  { title: 'a missing Lease is read', send: 'GET {leases}/missing' },
  {
    title: 'a Lease in a missing namespace is read',
    send: 'GET /apis/coordination.k8s.io/v1/namespaces/nowhere/leases/x',
  },
  {
    title: 'a Lease is created in a missing namespace',
    send: 'POST /apis/coordination.k8s.io/v1/namespaces/nowhere/leases',
    body: lease('x'),
  },
  {
    title: 'a Lease is created by a PUT, its resourceVersion counts for nothing',
    send: 'PUT {leases}/put',
    body: lease('put', { holderIdentity: 'a' }, { resourceVersion: '5' }),
    as: 'put',
  },
  { title: 'a PUT with a uid creates no Lease', send: 'PUT {leases}/other', body: lease('other', {}, { uid: 'gone' }) },
  {
    title: 'a PUT creates no Lease in a missing namespace',
    send: 'PUT /apis/coordination.k8s.io/v1/namespaces/nowhere/leases/x',
    body: lease('x'),
  },
  { title: 'a Lease is created by a dry PUT', send: 'PUT {leases}/dry?dryRun=All', body: lease('dry') },
  { title: 'the Lease of a dry PUT does not exist', send: 'GET {leases}/dry' },
  { title: 'a PUT of what was read changes nothing', send: 'PUT {leases}/held', from: 'held' },
  {
    title: 'a Lease is swapped under its uid and resourceVersion',
    send: 'PUT {leases}/held',
    from: 'held',
    body: { spec: { leaseTransitions: 8 }, metadata: { annotations: { 'fencepost.dev/drained': '7' } } },
    as: 'swapped',
  },
  {
    title: 'a Lease is swapped under an old resourceVersion',
    send: 'PUT {leases}/held',
    from: 'held',
    body: { spec: { leaseTransitions: 9 } },
  },
  { title: 'a Lease is swapped without a resourceVersion', send: 'PUT {leases}/held', body: lease('held') },
  {
    title: 'a Lease is swapped under resourceVersion 0',
    send: 'PUT {leases}/held',
    body: lease('held', {}, { resourceVersion: '0' }),
  },
  {
    title: 'a Lease is swapped under another uid',
    send: 'PUT {leases}/held',
    from: 'swapped',
    body: { metadata: { uid: 'other' } },
  },
  {
    title: 'a Lease is swapped under a resourceVersion that is no number',
    send: 'PUT {leases}/held',
    from: 'swapped',
    body: { metadata: { resourceVersion: 'x' } },
  },
  {
    title: 'a Lease is swapped under a resourceVersion of the future',
    send: 'PUT {leases}/held',
    from: 'swapped',
    body: { metadata: { resourceVersion: '999999999999' } },
  },
  { title: 'a PUT names another Lease than its path', send: 'PUT {leases}/held', from: 'bare' },
  { title: 'a PUT names no Lease', send: 'PUT {leases}/held', from: 'held', body: { metadata: { name: null } } },
  {
    title: 'a PUT names another namespace',
    send: 'PUT {leases}/held',
    from: 'swapped',
    body: { metadata: { namespace: 'default' } },
  },
  {
    title: 'a swap that changes a label alone',
    send: 'PUT {leases}/held',
    from: 'swapped',
    body: { metadata: { labels: { app: null, team: 'x' } } },
    as: 'labelled',
  },
  {
    title: 'a swap drops strategy and preferredHolder',
    send: 'PUT {leases}/held',
    from: 'labelled',
    body: { spec: { strategy: 'OldestEmulationVersion', preferredHolder: 'x' } },
  },
  {
    title: 'a merge patch takes a holder away',
    send: 'PATCH {leases}/held',
    body: { spec: { holderIdentity: null } },
    headers: MERGE,
  },
  {
    title: 'a merge patch is bound to an old resourceVersion',
    send: 'PATCH {leases}/held',
    body: { metadata: { resourceVersion: '{held.resourceVersion}' }, spec: { holderIdentity: 'x' } },
    headers: MERGE,
  },
  { title: 'a Lease has no status', send: 'PATCH {leases}/held/status', body: {}, headers: MERGE },
  {
    title: 'an empty holder and 0 transitions are kept',
    send: 'POST {leases}',
    body: lease('empty', { holderIdentity: '', leaseTransitions: 0 }),
  },
  {
    title: 'a MicroTime of another zone is printed in UTC',
    send: 'POST {leases}?dryRun=All',
    body: timed('2020-11-21T09:00:00.123456+02:00'),
  },
  {
    title: 'a MicroTime of a lower-case z',
    send: 'POST {leases}?dryRun=All',
    body: timed('2020-11-21T07:00:00.123456z'),
  },
  { title: 'a MicroTime without a fraction', send: 'POST {leases}?dryRun=All', body: timed('2020-11-21T07:00:00Z') },
  { title: 'a MicroTime with milliseconds', send: 'POST {leases}?dryRun=All', body: timed('2020-11-21T07:00:00.123Z') },
  {
    title: 'a MicroTime with nanoseconds',
    send: 'POST {leases}?dryRun=All',
    body: timed('2020-11-21T07:00:00.123456789Z'),
  },
  {
    title: 'a MicroTime of a day that is none',
    send: 'POST {leases}?dryRun=All',
    body: timed('2020-02-30T07:00:00.123456Z'),
  },
  { title: 'a MicroTime that is no text', send: 'POST {leases}?dryRun=All', body: timed(5) },
  { title: 'a MicroTime that is empty', send: 'POST {leases}?dryRun=All', body: timed('') },
  { title: 'a MicroTime of null', send: 'POST {leases}?dryRun=All', body: timed(null) },
  { title: 'a duration of 0', send: 'POST {leases}', body: lease('x', { leaseDurationSeconds: 0 }) },
  {
    title: 'negative transitions and a negative duration',
    send: 'POST {leases}',
    body: lease('x', { leaseDurationSeconds: -1, leaseTransitions: -1 }),
  },
  { title: 'transitions beyond 32 bits', send: 'POST {leases}', body: lease('x', { leaseTransitions: 2147483648 }) },
  { title: 'transitions as a text', send: 'POST {leases}', body: lease('x', { leaseTransitions: '1' }) },
  { title: 'transitions as a fraction', send: 'POST {leases}', body: lease('x', { leaseTransitions: 1.5 }) },
  { title: 'a holder that is a number', send: 'POST {leases}', body: lease('x', { holderIdentity: 1 }) },
  { title: 'a spec that is a list', send: 'POST {leases}', body: { ...lease('x'), spec: [] } },
  {
    title: 'an unknown field is dropped with a warning',
    send: 'POST {leases}',
    body: { ...lease('warned', { bogus: 1 }), extra: {} },
  },
  {
    title: 'an unknown field is refused when validation is strict',
    send: 'POST {leases}?fieldValidation=Strict',
    body: lease('strict', { bogus: 1 }),
  },
  {
    title: 'an unknown field is ignored on demand',
    send: 'POST {leases}?fieldValidation=Ignore',
    body: lease('ignored', { bogus: 1 }),
  },
]
