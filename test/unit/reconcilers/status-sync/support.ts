// Escalations for tests of the loop.

import type { BreakglassEscalation } from '../../../../lib/kubernetes/resources/breakglass-escalation.ts'

/** An escalation whose approvers are these groups. */
export function escalation(
  approverGroups: readonly string[],
  {
    status = {},
    approverProviders = [],
    metadata = {},
  }: {
    status?: Partial<BreakglassEscalation['status']>
    approverProviders?: readonly string[]
    metadata?: object
  } = {},
): BreakglassEscalation {
  return {
    metadata: {
      name: 'ops-to-admin',
      namespace: 'team',
      uid: 'uid-1',
      resourceVersion: '7',
      generation: 3,
      createdAtMs: 0,
      deletedAtMs: undefined,
      hasOwner: false,
      ...metadata,
    },
    spec: { approverGroups, approverProviders },
    status: { approverGroupMembers: {}, idpGroupMemberships: {}, conditions: [], ...status },
  }
}
