// The world judges by the manifests' own text: what that text says of a write, and of a raise, seen through the world's eyes.

import { describe, expect, it } from 'vitest'
import { VIRTUAL_USER } from './world/names.ts'
import { brokenRule, type Judged, POLICIES } from './world/policies.ts'
import type { Stored } from './world/store.ts'

const metadata = { name: 'fencepost-cleanup', uid: 'u', resourceVersion: '1' }
const spec = { token: 41, holder: 'x/1', lease: 'a' }
const fence: Stored = { metadata, spec }
const right: Judged = {
  group: 'breakglass.t-caas.telekom.com',
  resource: 'breakglasssessions/status',
  operation: 'UPDATE',
  user: VIRTUAL_USER,
  extra: { 'fencepost.dev/token': ['41'], 'fencepost.dev/holder': ['x/1'] },
  preconditions: undefined,
}
const withToken = (...tokens: string[]) => ({ ...right.extra, 'fencepost.dev/token': tokens })

describe('fence-token', () => {
  it.each<[string, Partial<Judged>, string | undefined]>([
    ['the Fence’s token and holder', {}, undefined],
    ['an older token', { extra: withToken('40') }, 'fencepost fence-token: token=40 current=41 holder=x/1'],
    [
      'another holder',
      { extra: { ...right.extra, 'fencepost.dev/holder': ['y'] } },
      'fencepost fence-token: token=41 current=41 holder=x/1',
    ],
    ['no token', { extra: {} }, 'fencepost fence-token: token=none current=41 holder=x/1'],
    ['another user', { user: 'kubernetes-admin', extra: {} }, undefined],
    ['a resource that no loop writes', { resource: 'configmaps', extra: {} }, undefined],
  ])('says of %s', (_, change, told) => {
    expect(POLICIES.token({ ...right, ...change }, fence)).toBe(told)
  })

  it('refuses under a Fence that was never raised', () => {
    expect(POLICIES.token(right, { metadata })).toBe('fencepost fence-token: token=41 current=none holder=none')
  })
})

describe('fence-form', () => {
  const bound = { uid: 'u', resourceVersion: '1' }
  it.each<[string, Partial<Judged>, RegExp | undefined]>([
    ['a well-formed write', {}, undefined],
    ['a token with a leading zero', { extra: withToken('041') }, /^fencepost fence-form: .*leading zeros/],
    ['two tokens', { extra: withToken('41', '42') }, /^fencepost fence-form: .*one decimal number/],
    ['no holder', { extra: { 'fencepost.dev/token': ['41'] } }, /^fencepost fence-form: .*holder/],
    ['a delete without preconditions', { operation: 'DELETE' }, /^fencepost fence-form: a delete needs/],
    ['a delete with one of them', { operation: 'DELETE', preconditions: { uid: 'u' } }, /a delete needs/],
    ['a bound delete', { operation: 'DELETE', resource: 'breakglasssessions', preconditions: bound }, undefined],
    ['another user’s delete', { operation: 'DELETE', user: 'kubernetes-admin' }, undefined],
  ])('says of %s', (_, change, told) => {
    const answer = POLICIES.form({ ...right, ...change }, undefined)
    if (told) expect(answer).toMatch(told)
    else expect(answer).toBeUndefined()
  })
})

describe('the rules of a Fence', () => {
  it.each<[string, object | undefined, RegExp | undefined]>([
    ['the same again', spec, undefined],
    ['a higher token', { ...spec, token: 42, holder: 'y' }, undefined],
    ['the same token for another holder', { ...spec, holder: 'y' }, /under the same lease the token must rise/],
    ['a lower token', { ...spec, token: 40 }, /must rise/],
    ['another lease without after', { ...spec, lease: 'b', token: 42 }, /after must be the lease before it/],
    ['another lease with a wrong after', { ...spec, lease: 'b', token: 42, after: 'c' }, /after must be/],
    ['another lease with a token that is not higher', { ...spec, lease: 'b', after: 'a' }, /needs a higher token/],
    ['another lease after the old one', { ...spec, lease: 'b', token: 42, after: 'a' }, undefined],
    ['no spec any more', undefined, /a spec once set stays/],
  ])('say of %s', (_, after, told) => {
    const broken = brokenRule(fence, { ...fence, spec: after })
    if (told) expect(broken).toMatch(told)
    else expect(broken).toBeUndefined()
  })

  it('let the first raise be anything', () => {
    expect(brokenRule({ metadata }, { metadata, spec } as never)).toBeUndefined()
  })
})
