// The fence of infra/kubernetes, in a group and under names of the run's own: how a Fence is raised, and which writes are refused.
// Refusals that two policies could give are left to the contract: which of them speaks is the server's choice.

import { FENCE_DEFINITION, fencePolicies, fences } from '../../../../support/fence.ts'
import { event, MERGE, type Row, widget } from '../row.ts'

const NAME = '{ns}-loop'
const moved = <T>(object: T): T =>
  JSON.parse(
    JSON.stringify(object)
      .replaceAll('"fencepost.dev/v1"', '"fence.{group}/v1"')
      .replaceAll('"fencepost.dev"', '"fence.{group}"')
      .replaceAll('"fences.fencepost.dev"', '"fences.fence.{group}"'),
  )
const RULES = [
  {
    apiGroups: ['{group}'],
    apiVersions: ['*'],
    resources: ['widgets', 'widgets/status'],
    operations: ['CREATE', 'UPDATE', 'DELETE'],
    scope: '*',
  },
]
const policies = moved(fencePolicies({ installation: '{ns}', names: [NAME], rules: RULES })) as {
  kind: string
  metadata: { name: string }
}[]
const collectionOf = ({ kind }: { kind: string }) => (kind.endsWith('Binding') ? '{bindings}' : '{policies}')

const HOLDER = 'fn/request-1/nonce-1'
const raise = (title: string, spec: object | null): Row => ({
  title: `a Fence: ${title}`,
  send: `PATCH {fences}/${NAME}`,
  body: { spec },
  headers: MERGE,
})
const FIRST = { token: 41, holder: HOLDER, lease: 'one' }

/** The definition, which is to be served before the rest. */
export const FENCE_DEFINED: readonly Row[] = [
  { title: 'the definition of a Fence is created', send: 'POST {crds}', body: moved(FENCE_DEFINITION) },
]

/** Raises, and the policies, which take a moment to be in force. */
export const FENCE_RAISED: readonly Row[] = [
  ...fences([NAME]).map((body): Row => ({ title: 'a Fence is created', send: 'POST {fences}', body: moved(body) })),
  ...policies.map(
    (body): Row => ({
      title: `the ${body.kind} ${body.metadata.name.replace('{ns}-', '')} is created`,
      send: `POST ${collectionOf(body)}`,
      body,
    }),
  ),
  raise('a spec without a token', { holder: HOLDER, lease: 'one' }),
  raise('raised for the first time', FIRST),
  raise('raised to the same again', FIRST),
  raise('another holder', { ...FIRST, holder: 'other' }),
  raise('a lower token', { ...FIRST, token: 40 }),
  raise('another lease without after', { token: 42, holder: HOLDER, lease: 'two' }),
  raise('another lease, wrong after', { token: 42, holder: HOLDER, lease: 'two', after: 'none' }),
  raise('another lease, lower token', { token: 40, holder: HOLDER, lease: 'two', after: 'one' }),
  raise('no spec', null),
  raise('a negative token', { token: -1 }),
  raise('a token of another type', { token: 'x' }),
  raise('two faults', { token: -1, holder: '' }),
  raise('a holder that is too long', { ...FIRST, token: 42, holder: 'x'.repeat(254) }),
  raise('an unknown field', { nothing: 1 }),
  raise('a higher token', { ...FIRST, token: 42 }),
  raise('another lease, right after, higher token', { token: 43, holder: HOLDER, lease: 'two', after: 'one' }),
  raise('the old lease once more', { ...FIRST, token: 99 }),
]

const as = (token?: string, holder?: string): Record<string, string> => ({
  'impersonate-user': `fencepost:${NAME}`,
  'impersonate-group': 'system:masters',
  ...(token !== undefined && { 'impersonate-extra-fencepost.dev%2ftoken': token }),
  ...(holder !== undefined && { 'impersonate-extra-fencepost.dev%2Fholder': holder }),
})
const create = (title: string, headers: Record<string, string>, body = widget('fenced')): Row => ({
  title: `a fenced create: ${title}`,
  send: 'POST {widgets}?dryRun=All',
  body,
  headers,
})
const old = as('42', HOLDER)
const mine = as('43', HOLDER)

/** A write that is refused as soon as the policies are in force, by the one that is the last to be. */
export const FENCE_SIGN: Row = create('a sign', as('7', HOLDER))
/** A write that is let through as soon as the raise is known. */
export const FENCE_OPEN: Row = create('another sign', mine)

/** Writes; the policies are in force. */
export const FENCED: readonly Row[] = [
  create('its own token', mine),
  create('an old token', old),
  create('a higher token', as('44', HOLDER)),
  create('another holder', as('43', 'other')),
  create('an invalid object, with an old token', old, widget('fenced', { size: 99 })),
  create('a random name, with an old token', old, widget('', {}, { name: undefined, generateName: 'fenced-' })),
  { title: 'a Widget to be fenced is created', send: 'POST {widgets}', body: widget('fenced'), as: 'fenced' },
  { ...create('one that is there, with an old token', old) },
  { ...create('one that is there, with its own token', mine) },
  {
    title: 'a fenced patch with an old token',
    send: 'PATCH {widgets}/fenced',
    body: { spec: { size: 2 } },
    headers: { ...MERGE, ...old },
  },
  {
    title: 'a fenced patch of the status with an old token',
    send: 'PATCH {widgets}/fenced/status',
    body: { status: { state: 'x' } },
    headers: { ...MERGE, ...old },
  },
  {
    title: 'a fenced patch of a stale object with an old token',
    send: 'PATCH {widgets}/fenced',
    body: { metadata: { resourceVersion: '1' } },
    headers: { ...MERGE, ...old },
  },
  { title: 'a fenced update with an old token', send: 'PUT {widgets}/fenced', from: 'fenced', headers: old },
  { title: 'a fenced delete that is bound to nothing', send: 'DELETE {widgets}/fenced', headers: mine },
  {
    title: 'a fenced delete that is bound to a uid alone',
    send: 'DELETE {widgets}/fenced',
    body: { preconditions: { uid: '{fenced.uid}', resourceVersion: null } },
    headers: mine,
  },
  {
    title: 'a fenced delete of a stale object',
    send: 'DELETE {widgets}/fenced',
    body: { preconditions: { uid: '{fenced.uid}', resourceVersion: '1' } },
    headers: old,
  },
  {
    title: 'a fenced delete with an old token',
    send: 'DELETE {widgets}/fenced',
    body: { preconditions: { uid: '{fenced.uid}', resourceVersion: '{fenced.resourceVersion}' } },
    headers: old,
  },
  { title: 'a fenced delete of a collection', send: 'DELETE {widgets}?labelSelector=!none', headers: mine },
  { title: 'a fenced Event with an old token', send: 'POST {events}', body: event(), headers: old },
  {
    title: 'a fenced Event as v1, with an old token',
    send: 'POST {coreEvents}',
    body: { metadata: { name: 'a' }, involvedObject: { namespace: '{ns}' } },
    headers: old,
  },
  { title: 'a fenced Event', send: 'POST {events}', body: event(), headers: mine },
  { title: 'a read with an old token', send: 'GET {widgets}/fenced', headers: old },
  {
    title: 'a fenced delete',
    send: 'DELETE {widgets}/fenced',
    body: { preconditions: { uid: '{fenced.uid}', resourceVersion: '{fenced.resourceVersion}' } },
    headers: mine,
  },
  {
    title: 'extras without a user',
    send: 'POST {widgets}?dryRun=All',
    body: widget('fenced'),
    headers: { 'impersonate-extra-fencepost.dev%2ftoken': '41' },
  },
  {
    title: 'a Fence loses its leave to be deleted',
    send: `PATCH {fences}/${NAME}`,
    body: { metadata: { annotations: null } },
    headers: MERGE,
  },
  { title: 'a Fence is deleted without leave', send: `DELETE {fences}/${NAME}` },
  { title: 'the Fences are deleted without leave', send: 'DELETE {fences}' },
]

/** What is to be deleted in the end: the guard before what it guards. */
export const FENCE_GONE: readonly string[] = [
  ...policies.map(one => `${collectionOf(one)}/${one.metadata.name}`),
  '{crds}/fences.fence.{group}',
]
