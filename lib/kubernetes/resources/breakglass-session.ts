// BreakglassSession: one person's temporary access to one group on one cluster. The view holds what the session life
// cycle depends on; request and approval texts are not read.

import * as z from 'zod'
import { HOUR_MS } from '../../time.ts'
import type { RawObject, Resource } from '../api.ts'
import { type Condition, conditionsField } from './condition.ts'
import { type Metadata, metadataField, optionalDuration, optionalInstant, optionalText, readWith } from './fields.ts'

/** How sessions are addressed; `status.state` can be selected by the server. */
export const BREAKGLASS_SESSIONS: Resource = {
  group: 'breakglass.t-caas.telekom.com',
  version: 'v1alpha1',
  kind: 'BreakglassSession',
  plural: 'breakglasssessions',
  namespaced: true,
}

/** How long an ended session is kept when `spec.retainFor` gives no usable time: 720 h. */
export const DEFAULT_RETAIN_FOR_MS = 720 * HOUR_MS

/** A session as it was read; instants are epoch ms and undefined when unset. */
export interface BreakglassSession {
  readonly metadata: Metadata
  readonly spec: {
    readonly cluster: string
    readonly user: string
    readonly grantedGroup: string
    /** Default `DEFAULT_RETAIN_FOR_MS`. */
    readonly retainForMs: number
    /** Undefined: the session never ends for being idle. */
    readonly idleTimeoutMs: number | undefined
    readonly scheduledStartAtMs: number | undefined
  }
  readonly status: {
    /** One of the known states, '' before the first status write, or a word of a version we don't know. */
    readonly state: string
    readonly timeoutAtMs: number | undefined
    readonly approvedAtMs: number | undefined
    readonly rejectedAtMs: number | undefined
    readonly withdrawnAtMs: number | undefined
    readonly expiresAtMs: number | undefined
    readonly retainedUntilMs: number | undefined
    readonly lastActivityAtMs: number | undefined
    readonly conditions: readonly Condition[]
  }
}

const specField = z
  .object({
    cluster: z.string(),
    user: z.string(),
    grantedGroup: z.string(),
    retainFor: optionalDuration,
    idleTimeout: optionalDuration,
    scheduledStartTime: optionalInstant,
  })
  .transform(({ retainFor, idleTimeout, scheduledStartTime, ...triple }) => ({
    ...triple,
    retainForMs: retainFor ?? DEFAULT_RETAIN_FOR_MS,
    idleTimeoutMs: idleTimeout,
    scheduledStartAtMs: scheduledStartTime,
  }))

const statusField = z
  .object({
    state: optionalText,
    timeoutAt: optionalInstant,
    approvedAt: optionalInstant,
    rejectedAt: optionalInstant,
    withdrawnAt: optionalInstant,
    expiresAt: optionalInstant,
    retainedUntil: optionalInstant,
    lastActivity: optionalInstant,
    conditions: conditionsField,
  })
  .transform(read => ({
    state: read.state ?? '',
    timeoutAtMs: read.timeoutAt,
    approvedAtMs: read.approvedAt,
    rejectedAtMs: read.rejectedAt,
    withdrawnAtMs: read.withdrawnAt,
    expiresAtMs: read.expiresAt,
    retainedUntilMs: read.retainedUntil,
    lastActivityAtMs: read.lastActivity,
    conditions: read.conditions,
  }))

const schema = z.object({
  metadata: metadataField,
  spec: specField,
  status: z.preprocess(status => status ?? {}, statusField),
})

/**
 * Reads a session.
 * @throws PermanentError – InvalidResource, naming the field that has a wrong type.
 * @see api/v1alpha1/breakglass_session_types.go in telekom/k8s-breakglass
 */
export function parseBreakglassSession(raw: RawObject): BreakglassSession {
  return readWith(schema, BREAKGLASS_SESSIONS.kind, raw)
}
