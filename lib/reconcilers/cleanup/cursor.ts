// Where a tick left off, and the way a later one takes from there. Deleting can take many ticks, e.g. when the loop first
// meets a cluster with a long history, and must not keep sessions from being activated or ended meanwhile: a tick that
// resumes in a patient phase goes through the pressing ones first, and carries the place along.

import * as z from 'zod'
import { PHASES, type Phase } from './plan.ts'

const PATIENT = ['retention', 'debug'] as const
const PRESSING: readonly Phase[] = PHASES.filter(phase => !isPatient(phase))

/** Schema of `Cursor`. */
export const cursorSchema = z.object({
  phase: z.enum(PHASES),
  after: z.string().optional(),
  later: z.object({ phase: z.enum(PATIENT), after: z.string().optional() }).optional(),
})

/**
 * A place: a phase, and the last key (of duplicates: the last group's id) of the page before. In a pressing phase also
 * `later`, where the patient ones go on afterwards; default: at their beginning.
 */
export type Cursor = z.infer<typeof cursorSchema>

/**
 * Gives the places where each phase begins, in their order: every pressing phase from the cursor on, or all of them for a
 * cursor in a patient one, then what is left of the patient ones.
 */
export function routeFrom(cursor: Cursor = { phase: PHASES[0] }): Cursor[] {
  const { phase, after } = cursor
  const later = isPatient(phase) ? { phase, after } : cursor.later
  const reached = isPatient(phase) ? [] : [cursor]
  const pressing = PRESSING.slice(PRESSING.indexOf(phase) + 1)
  return [
    ...reached,
    ...pressing.map(next => ({ phase: next, ...(later && { later }) })),
    ...patientFrom(later ?? { phase: PATIENT[0] }),
  ]
}

function patientFrom(place: Cursor): Cursor[] {
  return [place, ...PHASES.slice(PHASES.indexOf(place.phase) + 1).map(phase => ({ phase }))]
}

function isPatient(phase: Phase): phase is (typeof PATIENT)[number] {
  return (PATIENT as readonly Phase[]).includes(phase)
}
