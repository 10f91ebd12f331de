// status-sync against a real Keycloak: what it would write of groups that are large, nested, renamed and disabled in part, and
// of a provider beside it that never answers.

import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, inject, it } from 'vitest'
import { makeCertificate } from '../../../infra/local/world/tls/certificate.ts'
import { startTlsFront, type TlsFront } from '../../../infra/local/world/tls/front.ts'
import { createStatusSync } from '../../../lib/reconcilers/status-sync/index.ts'
import type { StatusSyncAction } from '../../../lib/reconcilers/status-sync/plan.ts'
import { systemClock } from '../../../lib/time.ts'
import { contractRealm, MANY, SECRET } from '../../contract/keycloak/realm.ts'
import { escalation, provider, secret } from '../../support/directory.ts'
import { runPass, startCluster, UNHEARD } from '../../support/pass.ts'
import { startSilence } from '../../support/spoke.ts'
import { describeWith } from '../world/left-out.ts'
import { importRealm } from './realms.ts'

describeWith(inject('realServers').keycloak, 'status-sync with a real Keycloak', real => {
  const realm = `sync-${randomBytes(4).toString('hex')}`
  const tls = makeCertificate(Date.now())
  const stop: (() => Promise<void>)[] = []
  let front: TlsFront

  beforeAll(async () => {
    stop.push((await importRealm(real, contractRealm(realm))).remove)
    front = await startTlsFront(Number(new URL(real.url).port), tls)
    stop.push(front.close)
  })
  afterAll(async () => {
    for (const end of stop.reverse()) await end()
  })

  const corp = () =>
    provider('corp', front.url, {
      keycloak: { realm, clientID: 'fencepost', certificateAuthority: tls.certificate, requestTimeout: '10s' },
    })

  /** What a pass would write of one escalation with these groups. */
  async function planned(groups: readonly string[], ...more: object[]): Promise<StatusSyncAction> {
    const cluster = await startCluster([
      secret({ 'client-secret': SECRET }),
      corp(),
      ...more,
      escalation('ops', groups, {}, { approverGroupMembers: { empty: ['old@example.com'] }, conditions: [] }),
    ])
    try {
      const pass = await runPass(createStatusSync({ api: cluster.api, clock: systemClock, ...UNHEARD }))
      return pass.planned[0] as StatusSyncAction
    } finally {
      await cluster.close()
    }
  }

  it('finds everybody in a group of several pages and three groups deep, and leaves out who is disabled', async () => {
    const { to, status } = await planned(['many', 'platform', '/south/admins'])
    expect(to).toBe('GroupMembersResolved')
    const members = status.approverGroupMembers as Record<string, string[]>
    expect(members.many).toHaveLength(MANY)
    expect(members.platform).toEqual(['ada@example.com', 'cleo@example.com', 'dora@example.com', 'no-mail'])
    expect(members['/south/admins']).toEqual(['emil@example.com', 'fay@example.com'])
  })

  it('keeps the members of a group that is found empty for the first time, and guesses at no name that there is twice', async () => {
    const { to, status } = await planned(['empty', 'admins'])
    expect(to).toBe('GroupSyncFailed')
    expect(status.approverGroupMembers).toBeUndefined()
  })

  it('tells of a group that is not there under that name', async () => {
    expect((await planned(['many', 'renamed-away'])).to).toBe('GroupNotFound')
  })

  it('goes on beside a provider that hangs', async () => {
    const silence = await startSilence()
    try {
      const hanging = provider('partner', silence.url, { keycloak: { requestTimeout: '1s' } })
      const { to, status } = await planned(['platform'], hanging)
      expect(to).toBe('GroupSyncPartialFailure')
      expect((status.approverGroupMembers as Record<string, string[]>).platform).toHaveLength(4)
    } finally {
      await silence.close()
    }
  })
})
