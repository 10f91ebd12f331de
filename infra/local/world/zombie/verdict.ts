// What a frozen function's awakening came to. Pure: what went over the wire, and states before and after, in; a verdict out.

import type { Tick } from '../../terminal/log-lines.ts'
import type { Row, Verdict, Who } from './steps.ts'
import { type Answered, isAccepted, isWrite } from './wire.ts'

/** What there is to judge by. */
export interface Evidence {
  /** Everything that went over the wire. */
  readonly answered: readonly Answered[]
  /** How much of it there was when the first function was woken. */
  readonly wokenAt: number
  /** States by object before the second function began, and at the end. */
  readonly before: ReadonlyMap<string, string>
  readonly after: ReadonlyMap<string, string>
  /** What the first function's tick came to. */
  readonly tick: Tick | undefined
}

/**
 * Judges.
 *
 * @throws Error – the first function sent no write after it was woken, so that nothing was shown.
 */
export function judge({ answered, wokenAt, before, after, tick }: Evidence): Verdict {
  const sent = answered.slice(wokenAt).filter(request => request.by === 'first' && isWrite(request))
  if (sent.length === 0) throw new Error('the first function sent no write after it was woken; nothing was shown')
  const accepted = sent.filter(isAccepted).length
  const raises = new Map(answered.filter(isRaise).map(({ by, token = 0 }) => [by, token]))
  return {
    holds: accepted === 0,
    firstToken: raises.get('first') ?? 0,
    secondToken: raises.get('second') ?? 0,
    sent: sent.length,
    accepted,
    outcome: tick?.kind ?? 'none',
    rows: [...rowsOf(answered, before, after), fenceRow(answered)],
  }
}

const isRaise = (request: Answered) => isAccepted(request) && request.object.startsWith('fences/')

function rowsOf(answered: readonly Answered[], before: Evidence['before'], after: Evidence['after']): Row[] {
  const writes = answered.filter(request => isWrite(request) && isAccepted(request))
  return [...before.keys()].map(object => {
    const last = writes.findLast(write => write.object.replace(/\/status$/, '') === object)
    return { object, now: after.get(object) ?? 'deleted', by: last?.by as Who | undefined, token: last?.token }
  })
}

function fenceRow(answered: readonly Answered[]): Row {
  const { object, by, token } = answered.findLast(isRaise) as Answered
  return { object, now: 'raised', by: by as Who, token }
}
