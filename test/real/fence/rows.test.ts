// What the API server itself refuses with infra/kubernetes as it is, by requests made by hand: every kind of write to what the
// loop writes, with tokens and holders that are not the Fence's own, and every way around that its rights could leave open.
// Where policies are looked at, the virtual user has all rights, so that nothing else can refuse it. The policies by themselves
// are told in the contract of the Kubernetes API.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { session } from '../../support/sessions.ts'
import { describeWith } from '../world/left-out.ts'
import {
  CLEANUP,
  event,
  type FenceCluster,
  inForce,
  MANIFESTS,
  RECONCILE,
  SOMEBODY,
  startFenceCluster,
  VIRTUAL,
  virtual,
  whyNoCluster,
} from './stage/cluster.ts'
import { FENCE_PATH, SESSIONS_PATH } from './stage/reset.ts'

const EVENTS = '/apis/events.k8s.io/v1/namespaces/breakglass-system/events'
const SPEC = { token: 41, holder: 'fencepost-cleanup/request/nonce', lease: 'record' }
const CURRENT = { ...virtual('41', SPEC.holder) }
const TOKEN = 'fencepost fence-token: token='
/** Both policies refuse; which of them is named is the server's choice. */
const MALFORMED = 'fencepost fence-'

/** A request's path, body and type, made for a session as it is. */
type Write = (
  name: string,
  live: { uid: string; resourceVersion: string },
) => {
  readonly method: string
  readonly path: string
  readonly body: object
  readonly type?: string
}

const preconditions = ({ uid, resourceVersion }: { uid: string; resourceVersion: string }) => ({
  kind: 'DeleteOptions',
  apiVersion: 'v1',
  preconditions: { uid, resourceVersion },
})

const WRITES: Record<string, Write> = {
  create: name => ({ method: 'POST', path: EVENTS, body: event(`of-${name}`, 'breakglass-system') }),
  'dry-run create': name => ({
    method: 'POST',
    path: `${EVENTS}?dryRun=All`,
    body: event(`of-${name}`, 'breakglass-system'),
  }),
  'merge patch': name => ({
    method: 'PATCH',
    path: `${SESSIONS_PATH}/${name}`,
    body: { metadata: { labels: { written: 'yes' } } },
  }),
  'status merge patch': name => ({
    method: 'PATCH',
    path: `${SESSIONS_PATH}/${name}/status`,
    body: { status: { state: 'Expired' } },
  }),
  'server-side apply with force': name => ({
    method: 'PATCH',
    path: `${SESSIONS_PATH}/${name}?fieldManager=fence&force=true`,
    body: { ...session(name, 0), metadata: { name, labels: { applied: 'yes' } }, status: undefined },
    type: 'application/apply-patch+yaml',
  }),
  delete: (name, live) => ({ method: 'DELETE', path: `${SESSIONS_PATH}/${name}`, body: preconditions(live) }),
  deletecollection: (name, live) => ({
    method: 'DELETE',
    path: `${SESSIONS_PATH}?fieldSelector=metadata.name%3D${name}`,
    body: preconditions(live),
  }),
}

/** Who asks, and the beginning of what the server says to it. */
const REFUSED: Record<string, [headers: Record<string, string>, message: string]> = {
  'a lower token': [virtual('40', SPEC.holder), `${TOKEN}40 current=41 holder=${SPEC.holder}`],
  'a higher token': [virtual('42', SPEC.holder), `${TOKEN}42 current=41 holder=${SPEC.holder}`],
  'the token under another holder': [virtual('41', 'other'), `${TOKEN}41 current=41 holder=${SPEC.holder}`],
  'no token': [virtual(undefined, SPEC.holder), MALFORMED],
  'a token with a leading zero': [virtual('041', SPEC.holder), MALFORMED],
  'a token that is no number': [virtual('4l', SPEC.holder), MALFORMED],
  'no holder': [virtual('41'), MALFORMED],
  'two tokens': [
    { ...CURRENT, 'impersonate-extra-fencepost.dev%2ftoken': ['41', '41'] as unknown as string },
    MALFORMED,
  ],
}

describeWith((await whyNoCluster()) ?? {}, 'a real kube-apiserver with infra/kubernetes', () => {
  let cluster: FenceCluster
  let count = 0
  let name: string
  let live: { uid: string; resourceVersion: string; labels?: object }

  beforeAll(async () => {
    cluster = await startFenceCluster()
    await cluster.install()
  })
  afterAll(() => cluster?.stop())

  const read = async () => (await cluster.ask({ method: 'GET', path: `${SESSIONS_PATH}/${name}` })).body
  async function fresh(): Promise<void> {
    name = `row-${count++}`
    const { status: _, ...object } = session(name, 0) as { status: object }
    const created = await cluster.ask({ method: 'POST', path: SESSIONS_PATH, body: object })
    expect(created.status, created.message).toBe(201)
    live = created.body.metadata
  }
  beforeEach(fresh)

  it('gives the virtual user no read, and the functions no write under their own names', async () => {
    const asVirtual = { by: CLEANUP, headers: CURRENT }
    for (const path of [SESSIONS_PATH, `${SESSIONS_PATH}/${name}`, FENCE_PATH, '/api/v1/namespaces'])
      expect(await cluster.ask({ ...asVirtual, method: 'GET', path })).toMatchObject({
        status: 403,
        message: expect.stringContaining(`User "${VIRTUAL}" cannot`),
      })
    for (const by of [CLEANUP, RECONCILE])
      for (const write of Object.values(WRITES))
        expect(await cluster.ask({ by, ...write(name, live) })).toMatchObject({
          status: 403,
          message: expect.stringContaining(`User "${by}" cannot`),
        })
  })

  it('lets the functions be that user and nobody else, with those two extras and no other', async () => {
    const refused = [
      { 'impersonate-user': 'fencepost:fencepost-other' },
      { 'impersonate-user': SOMEBODY },
      { ...CURRENT, 'impersonate-group': 'system:masters' },
      { ...CURRENT, 'impersonate-extra-other': '1' },
      { ...CURRENT, 'impersonate-uid': '1' },
    ]
    for (const headers of refused)
      expect(await cluster.ask({ by: CLEANUP, headers, ...write('status merge patch') })).toMatchObject({
        status: 403,
        message: expect.stringContaining('cannot impersonate resource'),
      })
  })

  const write = (kind: string) => (WRITES[kind] as Write)(name, live)

  describe('raised to token 41, the virtual user may', () => {
    beforeAll(async () => {
      await cluster.kubectl('create', 'clusterrolebinding', 'all', '--clusterrole=cluster-admin', `--user=${VIRTUAL}`)
      const raised = await cluster.ask({ by: CLEANUP, method: 'PATCH', path: FENCE_PATH, body: { spec: SPEC } })
      expect(raised.status, raised.message).toBe(200)
      await inForce(cluster, /current=41/)
    })

    it.each(Object.keys(WRITES))('not %s with any token and holder but those', async kind => {
      for (const [who, [headers, message]] of Object.entries(REFUSED)) {
        const answer = await cluster.ask({ by: CLEANUP, headers, ...write(kind) })
        expect(answer, who).toMatchObject({ status: 403, message: expect.stringContaining(message) })
      }
      expect((await read()).metadata).toEqual(live)
      const events = await cluster.ask({ method: 'GET', path: `${EVENTS}/of-${name}` })
      expect(events.status).toBe(404)
      const accepted = await cluster.ask({ by: CLEANUP, headers: CURRENT, ...write(kind) })
      expect(accepted.status, accepted.message).toBe(write(kind).method === 'POST' ? 201 : 200)
    })

    it('and everybody else writes as before', async () => {
      for (const kind of Object.keys(WRITES)) {
        await fresh()
        const answer = await cluster.ask({ by: SOMEBODY, ...write(kind) })
        expect(answer.status, `${kind}: ${answer.message}`).toBeLessThan(300)
      }
    })
  })

  describe('a Fence', () => {
    it('keeps what it says when the manifests are applied again, also server-side', async () => {
      await cluster.ask({ by: CLEANUP, method: 'PATCH', path: FENCE_PATH, body: { spec: SPEC } })
      const spec = async () => (await cluster.ask({ method: 'GET', path: FENCE_PATH })).body.spec
      const before = await spec()
      expect(before).toMatchObject({ token: 41 })
      await cluster.kubectl('apply', '-k', MANIFESTS)
      await cluster.kubectl('apply', '--server-side', '--force-conflicts', '-f', `${MANIFESTS}/fence/cleanup.yaml`)
      expect(await spec()).toEqual(before)
    })

    it('can’t be deleted, nor can its kind, one by one or as a collection; others can', async () => {
      const crd = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/fences.fencepost.dev'
      for (const guarded of [FENCE_PATH, '/apis/fencepost.dev/v1/fences', crd])
        expect(await cluster.ask({ method: 'DELETE', path: guarded }), guarded).toMatchObject({
          status: 403,
          message: expect.stringContaining('fencepost fence-guard: '),
        })
      expect((await cluster.ask({ method: 'GET', path: FENCE_PATH })).status).toBe(200)
      const other = { apiVersion: 'fencepost.dev/v1', kind: 'Fence', metadata: { name: 'somebody-elses' } }
      await cluster.ask({ method: 'POST', path: '/apis/fencepost.dev/v1/fences', body: other })
      const deleted = await cluster.ask({ method: 'DELETE', path: '/apis/fencepost.dev/v1/fences/somebody-elses' })
      expect(deleted.status, deleted.message).toBe(200)
    })
  })
})
