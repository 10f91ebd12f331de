// Which tick an invocation is for, and whether it still may act. Identity is the scheduled time, never the invocation's
// own clock, so that a late or repeated delivery finds out that its tick was already completed.

import { PermanentError } from '../errors.ts'
import type { TickIdentity } from '../lease/lease.ts'
import { describeMs, toInstant } from '../time.ts'

/** A tick with what its lateness is judged by. */
export interface ScheduledTick extends TickIdentity {
  /** The scheduled time as delivered, epoch ms; the identity is this floored to the period. */
  readonly scheduledAtMs: number
}

/** Names the tick of a scheduled delivery: its time floored to the loop's period, as a UTC instant. */
export function scheduledTick(scheduledAtMs: number, periodMs: number): ScheduledTick {
  const id = toInstant(Math.floor(scheduledAtMs / periodMs) * periodMs)
  return { id, isScheduled: true, scheduledAtMs }
}

/** Names the tick of a manual run; `requestId` makes it unique. */
export function manualTick(requestId: string): TickIdentity {
  return { id: `manual/${requestId}`, isScheduled: false }
}

/**
 * Whether a scheduled tick comes later than `deadlineMs` after its scheduled time.
 * @throws PermanentError – InvalidEvent, when it lies more than one period in the future.
 */
export function isTooLate(tick: ScheduledTick, periodMs: number, deadlineMs: number, nowMs: number): boolean {
  const ageMs = nowMs - tick.scheduledAtMs
  if (ageMs < -periodMs)
    throw new PermanentError(
      'InvalidEvent',
      `the event's scheduled time ${toInstant(tick.scheduledAtMs)} is ${describeMs(ageMs)} in the future, more than the period of ${describeMs(periodMs)}; check the event, or this machine's clock`,
    )
  return ageMs > deadlineMs
}

/** How many ticks between the last completed one and this one never completed; this tick does their work as well. */
export function missedTicks(completedTick: string | undefined, tick: TickIdentity, periodMs: number): number {
  if (!tick.isScheduled || completedTick === undefined) return 0
  const gapMs = Date.parse(tick.id) - Date.parse(completedTick)
  return Math.max(0, Math.round(gapMs / periodMs) - 1)
}
