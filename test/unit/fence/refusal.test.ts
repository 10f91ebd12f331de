import { describe, expect, it } from 'vitest'
import { readRefusal, standingOf } from '../../../lib/fence/refusal.ts'
import { FENCE_OBJECTS } from '../../support/fence.ts'

const status = (message: string) => ({ kind: 'Status', reason: 'Forbidden', code: 403, message })
const denied = (text: string) =>
  status(
    `breakglasssessions.breakglass.t-caas.telekom.com "a" is forbidden: ValidatingAdmissionPolicy 'fencepost-fence-token' with binding 'fencepost-fence-token-cleanup' denied request: ${text}`,
  )

describe('a refusal', () => {
  it.each([
    ['fencepost fence-token: token=41 current=42 holder=fencepost-cleanup/r/n', 42, 'fencepost-cleanup/r/n'],
    ['fencepost fence-token: token=none current=0 holder=x', 0, 'x'],
    ['fencepost fence-token: token=41 current=none holder=none', undefined, undefined],
  ])('by the fence is read: %s', (text, current, holder) => {
    expect(readRefusal(denied(text))).toEqual({ by: 'fence', current, holder })
  })

  it.each([
    [
      'users "fencepost:fencepost-cleanup" is forbidden: User "f" cannot impersonate resource "users" in API group "" at the cluster scope',
      'impersonation',
    ],
    [
      'events.events.k8s.io is forbidden: User "fencepost:fencepost-cleanup" cannot create resource "events" in API group "events.k8s.io" in the namespace "team"',
      'other',
    ],
    ['fencepost fence-form: fencepost.dev/token must be one decimal number without leading zeros', 'other'],
    ['fencepost fence-token: token=41 current= holder=', 'other'],
  ])('by another says whose it is: %s', (text, by) => {
    expect(readRefusal(status(text))).toEqual({ by })
  })

  it.each([undefined, null, '', {}, { message: 7 }])('without a message is another one: %j', body => {
    expect(readRefusal(body)).toEqual({ by: 'other' })
  })

  it('is worded as the manifest words it', () => {
    const { spec } = FENCE_OBJECTS.find(({ metadata }) => metadata.name === 'fencepost-fence-token') as {
      spec?: { validations: { messageExpression: string }[] }
    }
    const text = spec?.validations[0]?.messageExpression ?? ''
    const literals = [...text.matchAll(/'([^']*)'/g)].map(match => match[1])
    expect(literals).toEqual(['fencepost fence-token: token=', 'none', ' current=', 'none', ' holder=', 'none'])
  })
})

describe('where a server stands', () => {
  const term = { token: 42, holder: 'me' }
  it.each([
    [43, 'me', 'overtaken'],
    [43, 'other', 'overtaken'],
    [42, 'other', 'overtaken'],
    [42, 'me', 'mine'],
    [41, 'other', 'lagging'],
    [41, 'me', 'lagging'],
    [0, 'x', 'lagging'],
    [undefined, undefined, 'lagging'],
  ] as const)('with token %s of %s is %s', (current, holder, standing) => {
    expect(standingOf({ current, holder }, term)).toBe(standing)
  })
})
