// The events that functions accept, and the sentence that refuses any other. A refused event has changed nothing.

import * as z from 'zod'
import { PermanentError } from '../errors.ts'

const INSTANT = 'an RFC 3339 instant such as 2026-11-21T07:05:00Z'
const instant = z.iso.datetime({ offset: true, error: `expected ${INSTANT}` }).transform(text => Date.parse(text))

/**
 * A scheduled delivery: an EventBridge rule's event (`time`), or a Scheduler's input with
 * `{"scheduledTime": "<aws.scheduler.scheduled-time>"}`. Gives the scheduled time, epoch ms; everything else is left alone.
 *
 * @see https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html
 * @see https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html
 */
export const scheduledEvent = z
  .looseObject({ time: instant.optional(), scheduledTime: instant.optional() })
  .transform(({ time, scheduledTime }, context) => {
    const scheduledAtMs = scheduledTime ?? time
    if (scheduledAtMs !== undefined) return { scheduledAtMs }
    context.addIssue({
      code: 'custom',
      path: ['time'],
      message: `expected ${INSTANT}: a scheduled function is told which tick it is for; a one-off goes to the function "reconcile"`,
    })
    return z.NEVER
  })

/** The longest a manual run may wait for a held lease, seconds: a function's own limit. */
const LONGEST_WAIT_SECONDS = 900
/** DNS subdomain, as names of Kubernetes objects are. */
const objectName = z
  .string()
  .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, 'expected the name of a Kubernetes object')
  .max(253, 'expected at most 253 characters')

/** What `manualEvent` gives. */
export interface ManualEvent {
  readonly loop: string
  readonly action: 'run' | 'status' | 'suspend' | 'resume' | 'release' | 'hold'
  readonly names?: readonly string[] | undefined
  readonly namespace?: string | undefined
  readonly dryRun?: boolean | undefined
  readonly waitSeconds?: number | undefined
}

/** The schema of a manual reconcile for the loops that this function has. */
export function manualEvent(loops: readonly string[]): z.ZodType<ManualEvent> {
  return z
    .strictObject({
      loop: z.enum(loops as [string, ...string[]], { error: `expected one of ${loops.join(', ')}` }),
      action: z
        .enum(['run', 'status', 'suspend', 'resume', 'release', 'hold'], {
          error: 'expected run, status, suspend, resume, release or hold',
        })
        .default('run'),
      names: z.array(objectName).min(1, 'expected at least one name').max(100, 'expected at most 100 names').optional(),
      namespace: objectName.max(63, 'expected at most 63 characters').optional(),
      dryRun: z.boolean({ error: 'expected true or false' }).optional(),
      waitSeconds: z
        .number({ error: `expected seconds from 0 to ${LONGEST_WAIT_SECONDS}` })
        .min(0, `expected seconds from 0 to ${LONGEST_WAIT_SECONDS}`)
        .max(LONGEST_WAIT_SECONDS, `expected seconds from 0 to ${LONGEST_WAIT_SECONDS}`)
        .optional(),
    })
    .superRefine((event, context) => {
      if (event.action === 'run') return
      for (const field of ['names', 'namespace', 'dryRun', 'waitSeconds'] as const)
        if (event[field] !== undefined)
          context.addIssue({
            code: 'custom',
            path: [field],
            message: `belongs to the action run, not to ${event.action}`,
          })
    })
}

/**
 * Reads an event.
 * @throws PermanentError – InvalidEvent, naming every wrong field.
 */
export function parseEvent<Event>(schema: z.ZodType<Event>, event: unknown): Event {
  const parsed = schema.safeParse(event)
  if (parsed.success) return parsed.data
  const lines = parsed.error.issues.map(issue => `${issue.path.join('.') || 'event'}: ${issue.message}`)
  throw new PermanentError('InvalidEvent', `the event is not usable: ${lines.join('; ')}`)
}
