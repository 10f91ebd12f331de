// A tick as a table that a person can read. Pure: an outcome and colours in, lines out.
//
//   cleanup  tick 07:05:00Z  token 42  acted in breakglass-system
//     prod-admin-x7f2   Approved → Expired                  timeExpired  ended 3 min ago
//     prod-dba-2k9q     WaitingForScheduledTime → Approved  activated    start 07:04:30Z reached
//     completed in 84 ms · 12 observed · 2 changed · 0 failed · 28.9 s of budget left

import { aligned } from './align.ts'
import type { Tick } from './log-lines.ts'
import type { Paint } from './paint.ts'
import { describeMs } from './units.ts'

/**
 * Lines of one tick: a header, one row per change and per failed object, remarks, and how it ended. A skip is one line.
 * A namespace that all objects share is named in the header instead of in every row.
 */
export function renderTick(tick: Tick, paint: Paint): string[] {
  if (tick.kind === 'skipped') return [header(tick, paint, paint.faint(`skipped  ${whySkipped(tick)}`))]
  const namespace = sharedNamespace([...tick.changes, ...tick.failures].map(({ object }) => object))
  const where = namespace === undefined ? '' : paint.faint(` in ${namespace}`)
  const named = namespace === undefined ? tick : withoutNamespace(tick)
  const rows = [
    ...changeRows(named, paint),
    ...failureRows(named, paint),
    ...remarks(tick, paint),
    closing(tick, paint),
  ]
  return [header(tick, paint, title(tick, paint) + where), ...rows.map(row => `  ${row}`)]
}

/** The namespace of `namespace/name` objects, when they all have the same one. */
function sharedNamespace(objects: readonly string[]): string | undefined {
  const namespaces = new Set(objects.map(object => object.slice(0, Math.max(0, object.indexOf('/')))))
  return namespaces.size === 1 ? [...namespaces][0] || undefined : undefined
}

function withoutNamespace(tick: Tick): Tick {
  const named = <T extends { object: string }>(row: T): T => ({ ...row, object: row.object.replace(/^[^/]*\//, '') })
  return { ...tick, changes: tick.changes.map(named), failures: tick.failures.map(named) }
}

function header({ loop, tick, kind, token }: Tick, paint: Paint, rest: string): string {
  const parts = [paint.strong(loop), nameOf(tick)]
  if (kind !== 'skipped' && token !== undefined) parts.push(`token ${token}`)
  return [...parts, rest].join('  ')
}

/** `tick 07:05:00Z`, or `manual 4f1c…`; the date is the reader's own. */
function nameOf(tick: string): string {
  const time = /^\d{4}-\d{2}-\d{2}T(.+)$/.exec(tick)?.[1]
  return time ? `tick ${time}` : tick.replace(/^manual\/(.{8}).*$/, 'manual $1…')
}

function title({ kind, counts }: Tick, paint: Paint): string {
  if (kind === 'failed') return paint.bad(kind)
  if (kind !== 'completed') return paint.careful(kind)
  return paint.good(counts.changed > 0 ? 'acted' : 'found nothing to do')
}

function whySkipped({ loop, reason, token, holder }: Tick): string {
  const by = token === undefined ? '' : ` by token ${token}`
  switch (reason) {
    case 'already-completed':
      return `already completed${by}`
    case 'held':
      return `held by ${holder ?? 'another invocation'}${token === undefined ? '' : ` with token ${token}`}`
    case 'superseded':
      return 'a newer tick is completed already'
    case 'suspended':
      return `suspended by hand; resume it with {"loop":"${loop}","action":"resume"}`
    case 'too-late':
      return 'delivered too late; the next tick does its work'
    case 'insufficient-time':
      return 'too little of the invocation’s time was left to begin'
    case 'upstream-active':
      return `${holder ?? 'another controller'} leads upstream; nothing is written beside it`
    case 'disabled':
      return 'this loop is switched off'
    default:
      return reason ?? 'for no given reason'
  }
}

function changeRows({ changes, counts }: Tick, paint: Paint): string[] {
  const rows = aligned(
    changes.map(({ object, from, to, reason, note }) => [object, `${from || '-'} → ${to}`, reason, note]),
    [paint.strong, text => text, text => text, paint.faint],
  )
  return [...rows, ...more(counts.changed - changes.length, 'change', paint)]
}

function failureRows({ failures, counts }: Tick, paint: Paint): string[] {
  const rows = aligned(
    failures.map(({ object, code, message }) => [object, code, message]),
    [paint.strong, paint.bad, text => text],
  )
  return [...rows, ...more(counts.failed - failures.length, 'failure', paint)]
}

function more(amount: number, what: string, paint: Paint): string[] {
  return amount > 0 ? [paint.faint(`… and ${count(amount, `more ${what}`)}`)] : []
}

function remarks(tick: Tick, paint: Paint): string[] {
  const { tookOverFrom, settled, missedTicks, abandoned, error, shutdownErrors } = tick
  const lines: string[] = []
  if (tookOverFrom) lines.push(paint.careful(`took over from ${tookOverFrom}, whose term had ended`))
  if (settled) lines.push(paint.careful('waited first, until no write of the term before could still be in flight'))
  if (missedTicks > 0)
    lines.push(paint.careful(`${count(missedTicks, 'tick')} before it never completed; it did their work`))
  if (abandoned > 0)
    lines.push(paint.careful(`${count(abandoned, 'change')} cut off unanswered; the next tick waits before it begins`))
  if (error) lines.push(`${paint.bad(error.code)}  ${error.message}`)
  for (const shutdownError of shutdownErrors) lines.push(`${paint.bad('shutdown')}  ${shutdownError}`)
  return lines
}

function count(amount: number, what: string): string {
  return `${amount} ${what}${amount === 1 ? '' : 's'}`
}

function closing({ kind, durationMs, budgetLeftMs, counts, stoppedBy }: Tick, paint: Paint): string {
  const how = kind === 'completed' ? 'completed in' : `${kind} after`
  const parts = [
    `${how} ${describeMs(durationMs)}`,
    `${counts.observed} observed`,
    `${counts.changed} changed`,
    counts.failed > 0 ? paint.bad(`${counts.failed} failed`) : '0 failed',
  ]
  if (stoppedBy) parts.push(`stopped by ${stoppedBy}`)
  if (kind === 'yielded') parts.push('the next tick goes on from here')
  else if (kind === 'fenced') parts.push('another holder has taken over')
  else parts.push(`${describeMs(budgetLeftMs)} of budget left`)
  return parts.join(paint.faint(' · '))
}
