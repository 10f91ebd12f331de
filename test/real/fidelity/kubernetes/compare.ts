// Two answers, field by field. What two servers can't agree on is set aside: uids, times of now, resourceVersions, random
// names and tokens become words, managedFields go. Everything else counts: status, media type, warnings, every field.

import type { Answer, Row } from './row.ts'
import { ROWS } from './rows.ts'

const UID = /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g
const INSTANT = /\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g
/** Names that a server draws: what rows give as generateName, and five letters. */
const DRAWN = new RegExp(
  `\\b(${[...new Set(ROWS.map(baseOf))].filter(base => base !== '').join('|')})[a-z0-9]{5}\\b`,
  'g',
)
/** How long a run may take, ms: instants within it are «now». */
const NOW_MS = 600_000

/** Paths at which two answers to a row differ, e.g. `body.metadata.labels.a`, with both values. */
export function differences(row: Row, one: Answer, other: Answer): Map<string, readonly [unknown, unknown]> {
  const found = new Map<string, readonly [unknown, unknown]>()
  walk('', normal(row, one), normal(row, other), found)
  return found
}

function walk(path: string, one: unknown, other: unknown, found: Map<string, readonly [unknown, unknown]>): void {
  if (isTree(one) && isTree(other) && Array.isArray(one) === Array.isArray(other)) {
    for (const key of new Set([...Object.keys(one), ...Object.keys(other)]))
      walk(path === '' ? key : `${path}.${key}`, one[key], other[key], found)
  } else if (JSON.stringify(one) !== JSON.stringify(other)) found.set(path, [one, other])
}

const isTree = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

/** What of an answer is compared. */
function normal({ part = body => body }: Row, { status, headers, body }: Answer): unknown {
  const { warning, 'content-type': type, 'retry-after': retryAfter, allow } = headers
  return { status, type, warning, retryAfter, allow, body: cleaned(part(body), '') }
}

function cleaned(value: unknown, key: string): unknown {
  if (typeof value === 'string') return cleanedText(value, key)
  if (Array.isArray(value)) return value.map(item => cleaned(item, key === 'cells' ? 'cell' : ''))
  if (!isTree(value)) return value
  const object = withoutOrder(value)
  const entries = Object.entries(object)
    .filter(([name]) => name !== 'managedFields')
    .map(([name, inner]) => [name, cleaned(inner, name)] as const)
  return Object.fromEntries(entries)
}

function cleanedText(text: string, key: string): string {
  if (key === 'resourceVersion' && /^\d+$/.test(text)) return '<resourceVersion>'
  if (key === 'continue' && text !== '') return '<continue>'
  if (key === 'cell' && /^\d+[smh]$/.test(text)) return '<age>'
  return text
    .replace(UID, '<uid>')
    .replace(DRAWN, '$1<random>')
    .replace(INSTANT, (instant, fraction) => {
      if (Math.abs(Date.parse(instant) - Date.now()) > NOW_MS) return instant
      return fraction === undefined ? '<now>' : '<now, with fraction>'
    })
    .replace(
      /(ResourceVersion in record \(|resource version: \d+, current: |resource version: \d+ \()\d+/g,
      '$1<resourceVersion>',
    )
}

/** The causes of a refusal come in any order: they are sorted, and its message is cut down to which of them it tells. */
function withoutOrder(object: Record<string, unknown>): Record<string, unknown> {
  const causes = (object.details as { causes?: { field?: string; message: string }[] } | undefined)?.causes
  if (object.kind !== 'Status' || causes === undefined || causes.length < 2) return object
  const message = String(object.message)
  const sorted = [...causes].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
  const told = sorted.filter(cause => message.includes(cause.message)).length
  const head = message.slice(0, message.indexOf(' is invalid: ') + 1)
  return { ...object, message: `${head}told: ${told}`, details: { ...(object.details as object), causes: sorted } }
}

function baseOf({ body }: Row): string {
  return (body as { metadata?: { generateName?: string } } | undefined)?.metadata?.generateName ?? ''
}
