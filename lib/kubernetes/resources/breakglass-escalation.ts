// BreakglassEscalation: who may be raised to which group, and who approves it. The view holds what finding the approvers
// depends on. A group that is present in `approverGroupMembers` decides who may approve, an empty list included; an absent
// one leaves it to the groups in the approver's own token. So null and absent are read alike, and an empty list is not.

import * as z from 'zod'
import type { RawObject, Resource } from '../api.ts'
import { type Condition, conditionsField } from './condition.ts'
import { type Metadata, metadataField, readWith } from './fields.ts'

/** How escalations are addressed. */
export const BREAKGLASS_ESCALATIONS: Resource = {
  group: 'breakglass.t-caas.telekom.com',
  version: 'v1alpha1',
  kind: 'BreakglassEscalation',
  plural: 'breakglassescalations',
  namespaced: true,
}

/** Members by the name of their group. */
export type Members = Readonly<Record<string, readonly string[]>>

/** An escalation as it was read. */
export interface BreakglassEscalation {
  readonly metadata: Metadata
  readonly spec: {
    /** Each once, in the order of the spec. */
    readonly approverGroups: readonly string[]
    /** The identity providers that approvers may come from; empty: all. */
    readonly approverProviders: readonly string[]
  }
  readonly status: {
    readonly approverGroupMembers: Members
    /** By the name of the identity provider. */
    readonly idpGroupMemberships: Readonly<Record<string, Members>>
    readonly conditions: readonly Condition[]
  }
}

const names = z
  .array(z.string())
  .nullish()
  .transform(list => [...new Set(list ?? [])])

/** A map whose null values are left out. */
function mapOf<Value>(value: z.ZodType<Value>) {
  return z
    .record(z.string(), value.nullable())
    .nullish()
    .transform(map => Object.fromEntries(Object.entries(map ?? {}).filter(([, found]) => found !== null)))
    .transform(map => map as Readonly<Record<string, Value>>)
}

const members: z.ZodType<Members> = mapOf(z.array(z.string()))

const schema = z
  .object({
    metadata: metadataField,
    spec: z.object({
      approvers: z.object({ groups: names }).nullish(),
      allowedIdentityProvidersForApprovers: names,
    }),
    status: z
      .object({
        approverGroupMembers: members,
        idpGroupMemberships: mapOf(members),
        conditions: conditionsField,
      })
      .nullish(),
  })
  .transform(
    ({ metadata, spec, status }): BreakglassEscalation => ({
      metadata,
      spec: {
        approverGroups: spec.approvers?.groups ?? [],
        approverProviders: spec.allowedIdentityProvidersForApprovers,
      },
      status: status ?? { approverGroupMembers: {}, idpGroupMemberships: {}, conditions: [] },
    }),
  )

/** Reads an escalation. @throws PermanentError – InvalidResource, naming the first field that can't be read. */
export function parseBreakglassEscalation(raw: RawObject): BreakglassEscalation {
  return readWith(schema, BREAKGLASS_ESCALATIONS.kind, raw)
}
