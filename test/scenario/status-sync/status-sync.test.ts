// status-sync as its functions run it: escalations on an embedded API, groups in embedded Keycloaks.

import { describe, expect, it } from 'vitest'
import { CLIENT_SECRET, type Directory, escalation, provider, realm, secret } from '../../support/directory.ts'
import { keycloak, startWorld } from './world.ts'

/** One Keycloak with a realm of this name, and an escalation for the groups `duty` and `leads`. */
async function oneProvider(directory: Directory, environment: Readonly<Record<string, string>> = {}) {
  const sso = await keycloak(realm('corp', directory))
  const world = await startWorld(
    [secret(), provider('corp', sso.url), escalation('ops', ['duty', 'leads'])],
    environment,
  )
  return { ...world, sso }
}

const DUTY = { '/duty': ['zoe', 'ann'], '/leads': ['max'] }

describe('members', () => {
  it('are written sorted, as e-mail addresses, with the condition and one event', async () => {
    const { tick, status, events } = await oneProvider(DUTY)
    expect(await tick()).toMatchObject({ kind: 'completed', counts: { observed: 1, changed: 1, failed: 0 } })
    expect(await status('ops')).toMatchObject({
      approverGroupMembers: { duty: ['ann@example.test', 'zoe@example.test'], leads: ['max@example.test'] },
      idpGroupMemberships: { corp: { duty: ['ann@example.test', 'zoe@example.test'], leads: ['max@example.test'] } },
      condition: 'True/GroupMembersResolved',
    })
    expect(await events()).toEqual(['ops Normal GroupMembersSynced'])
  })

  it('are not written again, and nothing is told, while nothing changes', async () => {
    const { tick, writes, events } = await oneProvider(DUTY)
    await tick()
    for (let again = 0; again < 3; again++) {
      expect(await tick()).toMatchObject({ kind: 'completed', counts: { observed: 1, planned: 0, changed: 0 } })
      expect(writes()).toBe(0)
    }
    expect((await events()).length).toBe(1)
  })

  it('are asked for once for each group and provider, however many escalations name it', async () => {
    const sso = await keycloak(realm('corp', DUTY))
    const many = Array.from({ length: 150 }, (_, i) => escalation(`e-${String(i).padStart(3, '0')}`, ['duty', 'leads']))
    const { tick } = await startWorld([secret(), provider('corp', sso.url), ...many])
    expect(await tick()).toMatchObject({ kind: 'completed', counts: { observed: 150, changed: 150 } })
    const count = (end: RegExp) => sso.requests.filter(({ path }) => end.test(path)).length
    expect({ tokens: count(/\/token$/), searches: count(/\/groups$/), members: count(/\/members$/) }).toEqual({
      tokens: 1,
      searches: 2,
      members: 2,
    })
  })

  it('leave what others wrote into the status as it is', async () => {
    const sso = await keycloak(realm('corp', DUTY))
    const ready = {
      type: 'Ready',
      status: 'True',
      reason: 'ValidationSucceeded',
      message: 'as it should be',
      lastTransitionTime: '2026-08-01T00:00:00Z',
    }
    const { tick, status } = await startWorld([
      secret(),
      provider('corp', sso.url),
      escalation('ops', ['duty'], {}, { observedGeneration: 1, conditions: [ready] }),
    ])
    await tick()
    const { conditions, observedGeneration } = await status('ops')
    expect(conditions[0]).toEqual(ready)
    expect(observedGeneration).toBe(1)
  })

  it.each([
    ['drop', []],
    ['keep', ['off@example.test']],
  ])('whose account is disabled, with DISABLED_USERS=%s', async (DISABLED_USERS, more) => {
    const directory = { '/duty': ['ann', { name: 'off', enabled: false }], '/leads': ['max'] }
    const { tick, status } = await oneProvider(directory, { DISABLED_USERS })
    await tick()
    expect((await status('ops')).approverGroupMembers?.duty).toEqual(['ann@example.test', ...more])
  })
})

describe('a group that is found empty', () => {
  it('keeps its members for one tick, and has none after the second', async () => {
    const { tick, status, sso, events } = await oneProvider(DUTY)
    await tick()
    sso.load(realm('corp', { '/duty': [], '/leads': ['max'] }))
    await tick()
    expect(await status('ops')).toMatchObject({
      approverGroupMembers: { duty: ['ann@example.test', 'zoe@example.test'] },
      condition: 'True/GroupMembersEmpty',
    })
    await tick()
    expect(await status('ops')).toMatchObject({ approverGroupMembers: { duty: [], leads: ['max@example.test'] } })
    expect(await tick()).toMatchObject({ counts: { planned: 0 } })
    expect(await events()).toEqual([
      'ops Normal GroupMembersSynced',
      'ops Warning GroupMembersEmpty',
      'ops Normal GroupMembersSynced',
    ])
  })

  it('keeps them when it has members again in between', async () => {
    const { tick, status, sso } = await oneProvider(DUTY)
    const empty = realm('corp', { '/duty': [], '/leads': ['max'] })
    await tick()
    for (let again = 0; again < 2; again++) {
      sso.load(empty)
      await tick()
      expect((await status('ops')).approverGroupMembers?.duty?.length).toBe(2)
      sso.load(realm('corp', DUTY))
      await tick()
    }
  })

  it('keeps them for ever with EMPTY_GROUPS=keep', async () => {
    const { tick, status, sso } = await oneProvider(DUTY, { EMPTY_GROUPS: 'keep' })
    await tick()
    sso.load(realm('corp', { '/duty': [], '/leads': ['max'] }))
    for (let again = 0; again < 4; again++) await tick()
    expect((await status('ops')).approverGroupMembers?.duty?.length).toBe(2)
  })

  it('is not counted by runs by hand for that escalation', async () => {
    const { tick, reconcile, status, sso } = await oneProvider(DUTY)
    await tick()
    sso.load(realm('corp', { '/duty': [], '/leads': ['max'] }))
    for (let again = 0; again < 3; again++) await reconcile({ names: ['ops'] })
    expect((await status('ops')).approverGroupMembers?.duty?.length).toBe(2)
  })

  it('that was renamed away is told as not found, and has no members after the second tick', async () => {
    const { tick, status, sso } = await oneProvider(DUTY)
    await tick()
    sso.load(realm('corp', { '/duty-renamed': ['ann'], '/leads': ['max'] }))
    await tick()
    expect(await status('ops')).toMatchObject({
      condition: 'False/GroupNotFound',
      message: expect.stringMatching(/duty not found/),
    })
    expect((await status('ops')).approverGroupMembers?.duty?.length).toBe(2)
    await tick()
    expect((await status('ops')).approverGroupMembers?.duty).toEqual([])
  })

  it('shows in a dry run what the next tick would write', async () => {
    const { tick, reconcile, sso, status } = await oneProvider(DUTY)
    await tick()
    sso.load(realm('corp', { '/duty': [], '/leads': ['max'] }))
    await tick()
    const { plan } = await reconcile({ dryRun: true })
    expect(plan).toMatchObject([{ object: 'team/ops', note: '1 member of 2 groups, 0 came, 2 went' }])
    expect((await status('ops')).approverGroupMembers?.duty?.length).toBe(2)
  })
})

describe('a Keycloak that fails', () => {
  it.each<[string, 'hang' | 'reset' | { status: number; body?: string }, RegExp]>([
    ['hangs', 'hang', /KeycloakHealthCheckFailed/],
    ['breaks its connections', 'reset', /KeycloakHealthCheckFailed/],
    ['answers 500', { status: 500 }, /KeycloakHealthCheckFailed/],
    ['refuses the secret', { status: 401, body: '{"error":"unauthorized_client"}' }, /KeycloakAuthenticationFailed/],
    ['answers with a page', { status: 200, body: '<h1>hello</h1>' }, /KeycloakHealthCheckFailed/],
  ])('because it %s takes nobody away', async (_, fault, health) => {
    const { tick, status, sso, events, log, reconcile } = await oneProvider(DUTY)
    await tick()
    sso.intercept = () => fault
    for (let again = 0; again < 3; again++) expect((await tick()).kind).toBe('completed')
    expect(await status('ops')).toMatchObject({
      approverGroupMembers: { duty: ['ann@example.test', 'zoe@example.test'], leads: ['max@example.test'] },
      condition: 'False/GroupSyncFailed',
    })
    expect(await events()).toEqual(['ops Normal GroupMembersSynced', 'ops Warning GroupSyncFailed'])
    expect(JSON.stringify(log.lines)).toMatch(health)
    const { checkpoint } = await reconcile({ action: 'status' })
    expect(JSON.stringify(checkpoint)).toMatch(health)
  })

  it('costs the other providers nothing', async () => {
    const [good, bad] = [await keycloak(realm('corp', DUTY)), await keycloak(realm('partner', { '/duty': ['pat'] }))]
    const { tick, status } = await startWorld([
      secret(),
      provider('corp', good.url),
      provider('partner', bad.url),
      escalation('ops', ['duty']),
      escalation('corp-only', ['leads'], {
        allowedIdentityProvidersForApprovers: ['corp'],
        allowedIdentityProvidersForRequests: ['corp'],
      }),
    ])
    await tick()
    expect((await status('ops')).approverGroupMembers?.duty).toEqual([
      'ann@example.test',
      'pat@example.test',
      'zoe@example.test',
    ])
    bad.intercept = () => 'hang'
    good.load(realm('corp', { '/duty': ['new'], '/leads': ['max', 'eve'] }))
    expect((await tick()).kind).toBe('completed')
    expect(await status('ops')).toMatchObject({
      approverGroupMembers: { duty: ['new@example.test', 'pat@example.test'] },
      condition: 'False/GroupSyncPartialFailure',
    })
    expect(await status('corp-only')).toMatchObject({
      approverGroupMembers: { leads: ['eve@example.test', 'max@example.test'] },
      condition: 'True/GroupMembersResolved',
    })
  })
})

describe('a provider that can’t be used', () => {
  it.each<[string, string, (url: string) => object[]]>([
    ['has no Secret', 'SecretNotFound', url => [provider('corp', url)]],
    ['has no key in its Secret', 'SecretKeyNotFound', url => [secret({ other: 'x' }), provider('corp', url)]],
    [
      'skips verification',
      'KeycloakTLSConfigRejected',
      url => [secret(), provider('corp', url, { keycloak: { insecureSkipVerify: true } })],
    ],
    [
      'has no certificate',
      'KeycloakTLSConfigInvalid',
      url => [secret(), provider('corp', url, { keycloak: { certificateAuthority: 'x' } })],
    ],
    [
      'is not trusted',
      'KeycloakHealthCheckFailed',
      url => [secret(), provider('corp', url, { keycloak: { certificateAuthority: undefined } })],
    ],
  ])('because it %s is told as %s, and takes nobody away', async (_, health, objects) => {
    const sso = await keycloak(realm('corp', DUTY))
    const written = { approverGroupMembers: { duty: ['old@example.test'] }, conditions: [] }
    const { tick, status, log } = await startWorld([...objects(sso.url), escalation('ops', ['duty'], {}, written)])
    await tick()
    await tick()
    expect(await status('ops')).toMatchObject({
      ...{ approverGroupMembers: written.approverGroupMembers },
      condition: 'False/GroupSyncFailed',
    })
    expect(JSON.stringify(log.lines)).toContain(health)
  })

  it('is left out while it is disabled, though an escalation names it', async () => {
    const sso = await keycloak(realm('corp', DUTY), realm('partner', { '/duty': ['pat'] }))
    const both = ['corp', 'partner']
    const { tick, status } = await startWorld([
      secret(),
      provider('corp', sso.url),
      provider('partner', sso.url, { spec: { disabled: true } }),
      escalation('ops', ['duty'], {
        allowedIdentityProvidersForApprovers: both,
        allowedIdentityProvidersForRequests: both,
      }),
    ])
    await tick()
    expect(await status('ops')).toMatchObject({
      idpGroupMemberships: { corp: { duty: ['ann@example.test', 'zoe@example.test'] } },
      condition: 'True/GroupMembersResolved',
    })
  })

  it('that nobody knows counts as one that does not say', async () => {
    const sso = await keycloak(realm('corp', DUTY))
    const named = ['corp', 'gone']
    const { tick, status } = await startWorld([
      secret(),
      provider('corp', sso.url),
      escalation('ops', ['duty'], {
        allowedIdentityProvidersForApprovers: named,
        allowedIdentityProvidersForRequests: named,
      }),
    ])
    await tick()
    expect(await status('ops')).toMatchObject({
      condition: 'False/GroupSyncPartialFailure',
      message: expect.stringContaining('gone'),
    })
  })
})

describe('a tick', () => {
  it('goes past an escalation that can’t be understood, and fails at its end', async () => {
    const sso = await keycloak(realm('corp', DUTY))
    const { tick, server, status } = await startWorld([
      secret(),
      provider('corp', sso.url),
      escalation('ops', ['duty']),
    ])
    server.intercept = ({ path, method }) =>
      method === 'GET' && path.endsWith('/breakglassescalations')
        ? {
            status: 200,
            body: {
              metadata: { resourceVersion: '1' },
              items: [{ metadata: { name: 'bad', namespace: 'team', uid: 'u', resourceVersion: '1' }, spec: 'x' }],
            },
          }
        : undefined
    await expect(tick()).rejects.toThrow(/BreakglassEscalation team\/bad: spec/)
    server.intercept = undefined
    expect((await tick()).kind).toBe('completed')
    expect((await status('ops')).condition).toBe('True/GroupMembersResolved')
  })

  it('judges an escalation again that changed meanwhile', async () => {
    const { tick, server, status } = await oneProvider(DUTY)
    let isChanged = false
    server.intercept = async ({ method, path, query }) => {
      if (method !== 'PATCH' || !path.endsWith('/status') || query.has('dryRun') || isChanged) return undefined
      isChanged = true
      await fetch(`${server.url}${path.replace('/status', '')}`, {
        method: 'PATCH',
        headers: { 'content-type': 'application/merge-patch+json' },
        body: JSON.stringify({ spec: { approvers: { groups: ['leads'] } } }),
      })
      return undefined
    }
    expect(await tick()).toMatchObject({ kind: 'completed', counts: { changed: 1 } })
    expect(await status('ops')).toMatchObject({ approverGroupMembers: { leads: ['max@example.test'] } })
    expect((await status('ops')).approverGroupMembers).not.toHaveProperty('duty')
  })

  it('tells its secret nobody, whatever goes wrong', async () => {
    const { tick, sso, log, everything, reconcile } = await oneProvider(DUTY)
    const told: string[] = []
    const faults = [
      undefined,
      'hang',
      'reset',
      { status: 401, body: JSON.stringify({ error: CLIENT_SECRET, error_description: CLIENT_SECRET }) },
      { status: 500, body: CLIENT_SECRET },
      { status: 302, headers: { location: `https://x.test/?secret=${CLIENT_SECRET}` } },
      { status: 200, body: CLIENT_SECRET },
    ] as const
    for (const fault of faults) {
      sso.intercept = () => fault
      told.push(JSON.stringify(await tick().catch((error: Error) => [error.message, error.stack])))
      told.push(JSON.stringify(await reconcile({ dryRun: true }).catch((error: Error) => [error.message, error.stack])))
    }
    told.push(JSON.stringify(log.lines), await everything(), JSON.stringify(await reconcile({ action: 'status' })))
    expect(sso.requests.length).toBeGreaterThan(10)
    for (const text of told) {
      expect(text).not.toContain(CLIENT_SECRET)
      expect(text).not.toContain(Buffer.from(CLIENT_SECRET).toString('base64'))
    }
  })
})
