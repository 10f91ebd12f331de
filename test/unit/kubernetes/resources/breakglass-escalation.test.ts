import { describe, expect, it } from 'vitest'
import { parseBreakglassEscalation } from '../../../../lib/kubernetes/resources/breakglass-escalation.ts'

const metadata = { name: 'ops', namespace: 'team', uid: 'u', resourceVersion: '1', generation: 2 }
const parse = (spec: object, status?: unknown) => parseBreakglassEscalation({ metadata, spec, status })

describe('an escalation', () => {
  it('is read with its groups, each once, and its providers', () => {
    const { spec } = parse({
      approvers: { groups: ['b', 'a', 'b'], users: ['x@example.test'] },
      allowedIdentityProvidersForApprovers: ['corp'],
    })
    expect(spec).toEqual({ approverGroups: ['b', 'a'], approverProviders: ['corp'] })
  })

  it.each([
    ['nothing', {}, undefined],
    ['nulls', { approvers: null, allowedIdentityProvidersForApprovers: null }, null],
    ['nulls inside', { approvers: { groups: null } }, { approverGroupMembers: null, conditions: null }],
  ])('with %s in it has no groups and no members', (_, spec, status) => {
    expect(parse(spec, status)).toMatchObject({
      spec: { approverGroups: [], approverProviders: [] },
      status: { approverGroupMembers: {}, idpGroupMemberships: {}, conditions: [] },
    })
  })

  it('keeps the difference between an empty group and one that is not there', () => {
    const { status } = parse({}, { approverGroupMembers: { empty: [], nil: null }, idpGroupMemberships: { a: null } })
    expect(status).toMatchObject({ approverGroupMembers: { empty: [] }, idpGroupMemberships: {} })
  })

  it.each([
    ['groups that are no list', { approvers: { groups: 'ops' } }, undefined, 'spec.approvers.groups'],
    ['members that are no list', {}, { approverGroupMembers: { ops: 'x' } }, 'status.approverGroupMembers.ops'],
    ['no spec', undefined, undefined, 'spec'],
  ])('with %s is refused by its field', (_, spec, status, field) => {
    expect(() => parse(spec as object, status)).toThrow(`BreakglassEscalation team/ops: ${field}: `)
  })
})
