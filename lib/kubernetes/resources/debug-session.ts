// DebugSession: a temporary debugging workload on a cluster. Only what its retention, expiry and approval depend on is read.

import * as z from 'zod'
import type { RawObject, Resource } from '../api.ts'
import { type Metadata, metadataField, optionalInstant, optionalText, readWith } from './fields.ts'

/** How debug sessions are addressed. */
export const DEBUG_SESSIONS: Resource = {
  group: 'breakglass.t-caas.telekom.com',
  version: 'v1alpha1',
  kind: 'DebugSession',
  plural: 'debugsessions',
  namespaced: true,
}

/** A debug session as it was read. */
export interface DebugSession {
  readonly metadata: Metadata
  readonly status: {
    /** Pending, PendingApproval, Active, Expired, Terminated, Failed; '' before the first status write. */
    readonly state: string
    /** Epoch ms. */
    readonly expiresAtMs: number | undefined
    /** Whether `status.approval` is there: this session needs an approval. */
    readonly hasApproval: boolean
    /** Whether its template asks to tell of the expiry only, and to end nothing. */
    readonly isNotifyOnly: boolean
  }
}

const statusField = z
  .object({
    state: optionalText,
    expiresAt: optionalInstant,
    approval: z.record(z.string(), z.unknown()).nullish(),
    resolvedTemplate: z.object({ expirationBehavior: optionalText }).nullish(),
  })
  .transform(read => ({
    state: read.state ?? '',
    expiresAtMs: read.expiresAt,
    hasApproval: Boolean(read.approval),
    isNotifyOnly: read.resolvedTemplate?.expirationBehavior === 'notify-only',
  }))

const schema = z.object({ metadata: metadataField, status: z.preprocess(status => status ?? {}, statusField) })

/**
 * Reads a debug session.
 * @throws PermanentError – InvalidResource, naming the field that has a wrong type.
 * @see api/v1alpha1/debug_session_types.go in telekom/k8s-breakglass
 */
export function parseDebugSession(raw: RawObject): DebugSession {
  return readWith(schema, DEBUG_SESSIONS.kind, raw)
}
