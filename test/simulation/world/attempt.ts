// One invocation as the world sees it, and the facts about it that nobody has to be asked for.

import type { TickIdentity } from '../../../lib/lease/lease.ts'
import type { TickOutcome } from '../../../lib/tick/outcome.ts'
import type { Admission } from './api-server.ts'
import type { Label } from './names.ts'
import type { Sandbox } from './sandbox.ts'

/** Which store an installation keeps its lease in. */
export type LeaseKind = 'kubernetes' | 'dynamodb'

/** One invocation of the loop, or of an operator. */
export interface Attempt {
  readonly id: number
  readonly sandbox: Sandbox
  readonly tick: TickIdentity
  readonly leaseKind: LeaseKind
  /** Nothing goes wrong with it. */
  readonly isSpared: boolean
  readonly isOperator: boolean
  /** A run by hand for some objects only. */
  readonly isNarrowed: boolean
  /** Where the log stood as it was delivered, and as it ended. */
  readonly beganAt: number
  readonly beganMs: number
  endedAt?: number
  hasEnded?: boolean
  /** What it sent, by label; a request that is sent again counts again. */
  readonly sent: Map<Label, number>
  /** Faults that hit it, whether or not it noticed. */
  faults: number
  /** Its last request failed or was refused, so that a sleep now is the pause before the next try. */
  hasFailed: boolean
  /** It has sent a raise. */
  hasRaised: boolean
  /** Where the log stood, and when, as its first list was read at a server. */
  firstRead?: { readonly position: number; readonly atMs: number }
  /** Where the log stood as it was told by the API server that it was overtaken. */
  overtaken?: number
  /** The last instants of its term, by its own clocks, as its acquire asked for. */
  term?: { readonly wallEndsAtMs: number; readonly monotonicEndsAtMs: number }
  /** Tells its budget to stop, as a signal does. */
  stop?: (reason: string) => void
  outcome?: TickOutcome
}

/** A write of an attempt, as it stands in the log. */
export interface Write {
  readonly attempt: Attempt
  readonly label: Label
  readonly user: string
  readonly token: string | undefined
  readonly holder: string | undefined
  /** The resourceVersion that the request itself named. */
  readonly bound: string | undefined
  /** Where the log stood when it left the sandbox. */
  readonly sentAt: number
  readonly admission: Admission | undefined
}
