import { describe, expect, it } from 'vitest'
import type { RawObject } from '../../../../lib/kubernetes/api.ts'
import {
  DEFAULT_RETAIN_FOR_MS,
  parseBreakglassSession,
} from '../../../../lib/kubernetes/resources/breakglass-session.ts'
import { parseDebugSession } from '../../../../lib/kubernetes/resources/debug-session.ts'
import { readAll } from '../../../../lib/kubernetes/resources/fields.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../../../lib/time.ts'

const END = '2026-09-01T10:00:00Z'
const END_AT_MS = Date.parse(END)

function raw({ metadata = {}, spec = {}, status = {} as unknown } = {}): RawObject {
  return {
    metadata: { namespace: 'team', name: 'a', uid: 'u', resourceVersion: '7', ...metadata },
    spec: { cluster: 'edge-7', user: 'ann@example.test', grantedGroup: 'admins', ...spec },
    status,
  } as RawObject
}

describe('reading a session', () => {
  it('turns instants and durations into ms', () => {
    const session = parseBreakglassSession(
      raw({
        metadata: { creationTimestamp: END, generation: 3, ownerReferences: [{ uid: 'e' }] },
        spec: { retainFor: '1d12h', idleTimeout: '20m', scheduledStartTime: END },
        status: { state: 'Approved', expiresAt: '2026-09-01T12:00:00.000+02:00' },
      }),
    )
    expect(session.metadata).toMatchObject({ createdAtMs: END_AT_MS, generation: 3, hasOwner: true })
    expect(session.spec).toMatchObject({ retainForMs: 36 * HOUR_MS, idleTimeoutMs: 20 * MINUTE_MS })
    expect(session.spec.scheduledStartAtMs).toBe(END_AT_MS)
    expect(session.status).toMatchObject({ state: 'Approved', expiresAtMs: END_AT_MS })
  })

  it.each([[null], [undefined], [''], ['0001-01-01T00:00:00Z']])('takes the instant %j as unset', expiresAt => {
    expect(parseBreakglassSession(raw({ status: { expiresAt } })).status.expiresAtMs).toBeUndefined()
  })

  it.each([
    ['7d', 7 * DAY_MS],
    [null, DEFAULT_RETAIN_FOR_MS],
    ['', DEFAULT_RETAIN_FOR_MS],
    ['0', DEFAULT_RETAIN_FOR_MS],
    ['-1h', DEFAULT_RETAIN_FOR_MS],
    ['a while', DEFAULT_RETAIN_FOR_MS],
    ['293y', DEFAULT_RETAIN_FOR_MS],
  ])('takes retainFor %j as %d ms', (retainFor, ms) => {
    expect(parseBreakglassSession(raw({ spec: { retainFor } })).spec.retainForMs).toBe(ms)
  })

  it.each([[null], [undefined], [{}]])('takes the status %j as a session without a state', status => {
    expect(parseBreakglassSession({ ...raw(), status }).status).toMatchObject({ state: '', conditions: [] })
  })

  it('keeps conditions as they came, unknown fields among them', () => {
    const conditions = [{ type: 'Idle', status: 'True', lastTransitionTime: null, added: 'later' }]
    expect(parseBreakglassSession(raw({ status: { conditions } })).status.conditions).toEqual(conditions)
  })

  it('leaves out the texts that people wrote', () => {
    const session = parseBreakglassSession(
      raw({ spec: { requestReason: 'my reason' }, status: { approvalReason: 'my' } }),
    )
    expect(JSON.stringify(session)).not.toContain('my')
  })

  it.each([
    ['status.expiresAt', raw({ status: { expiresAt: 'tomorrow-ish' } })],
    ['status.expiresAt', raw({ status: { expiresAt: 5 } })],
    ['status.state', raw({ status: { state: 5 } })],
    ['status.conditions', raw({ status: { conditions: {} } })],
    ['status.conditions.0.type', raw({ status: { conditions: [{ status: 'True' }] } })],
    ['status', raw({ status: 'Approved' })],
    ['spec.user', raw({ spec: { user: null } })],
    ['spec.retainFor', raw({ spec: { retainFor: 24 } })],
    ['metadata.uid', raw({ metadata: { uid: '' } })],
  ])('refuses a wrong %s, naming object and field and never the content', (field, broken) => {
    const { views, broken: failures } = readAll([raw(), broken], parseBreakglassSession)
    expect(views).toHaveLength(1)
    expect(failures).toEqual([
      {
        object: 'team/a',
        code: 'InvalidResource',
        message: expect.stringContaining(`BreakglassSession team/a: ${field}: `),
      },
    ])
    expect(failures[0]?.message).not.toContain('tomorrow')
  })
})

describe('reading a debug session', () => {
  it('sees approval and expiration behaviour', () => {
    const status = { state: 'Active', approval: {}, resolvedTemplate: { expirationBehavior: 'notify-only' } }
    expect(parseDebugSession(raw({ status })).status).toMatchObject({ hasApproval: true, isNotifyOnly: true })
    expect(parseDebugSession(raw()).status).toMatchObject({ state: '', hasApproval: false, isNotifyOnly: false })
  })

  it('names a field of a wrong type', () => {
    expect(() => parseDebugSession(raw({ status: { expiresAt: {} } }))).toThrow(
      'DebugSession team/a: status.expiresAt: ',
    )
  })
})
