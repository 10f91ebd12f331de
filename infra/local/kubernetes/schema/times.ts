// Instants as a kube-apiserver reads and writes them: Time (RFC 3339, kept to the second) and MicroTime (exactly six fractional
// digits, no more, no fewer), both printed in UTC. Refusals carry the words of Go's time package.

/** Go's reference layout of a Time. */
export const TIME_LAYOUT = '2006-01-02T15:04:05Z07:00'
/** The layout of a MicroTime. */
export const MICRO_TIME_LAYOUT = '2006-01-02T15:04:05.000000Z07:00'

const TOKENS: readonly [token: string, pattern: RegExp][] = [
  ['2006', /^\d{4}/],
  ['-', /^-/],
  ['01', /^\d{2}/],
  ['-', /^-/],
  ['02', /^\d{2}/],
  ['T', /^T/],
  ['15', /^\d{2}/],
  [':', /^:/],
  ['04', /^\d{2}/],
  [':', /^:/],
  ['05', /^\d{2}(?:[.,]\d+)?/],
  ['Z07:00', /^(?:Z|[+-]\d{2}:\d{2})/],
]

/**
 * Reads an instant by one of the two layouts.
 * @returns the instant's canonical UTC text
 * @throws Error – with Go's words, when the text does not fit the layout or names no day
 */
export function parseGoTime(text: string, micro: boolean): string {
  const layout = micro ? MICRO_TIME_LAYOUT : TIME_LAYOUT
  let rest = text
  let fraction = ''
  for (const [token, pattern] of TOKENS) {
    const exact = micro && token === '05' ? /^\d{2}/ : pattern
    const match = exact.exec(rest)
    if (match === null) throw cannotParse(text, layout, rest, token)
    rest = rest.slice(match[0].length)
    if (micro && token === '05') {
      const digits = /^[.,](\d{6})/.exec(rest)
      if (digits === null) throw cannotParse(text, layout, rest, '.000000')
      fraction = digits[1] as string
      rest = rest.slice(7)
    }
  }
  if (rest !== '') throw new Error(`parsing time ${JSON.stringify(text)}: extra text: ${JSON.stringify(rest)}`)
  const whole = text.replace(/[.,]\d+/, '')
  const atMs = Date.parse(whole)
  if (Number.isNaN(atMs) || !sameDay(whole, atMs)) {
    throw new Error(`parsing time ${JSON.stringify(text)}: ${outOfRange(whole)} out of range`)
  }
  const seconds = new Date(atMs).toISOString().slice(0, 19)
  return micro ? `${seconds}.${fraction}Z` : `${seconds}Z`
}

// JavaScript rolls 31 February over into March; Go refuses it.
function sameDay(text: string, atMs: number): boolean {
  const zone = /([+-])(\d{2}):(\d{2})$/.exec(text)
  const offsetMin = zone === null ? 0 : (zone[1] === '-' ? -1 : 1) * (Number(zone[2]) * 60 + Number(zone[3]))
  return new Date(atMs + offsetMin * 60_000).toISOString().slice(0, 19) === text.slice(0, 19)
}

function outOfRange(text: string): string {
  const [month, hour, minute, second] = [5, 11, 14, 17].map(at => Number(text.slice(at, at + 2))) as [
    number,
    number,
    number,
    number,
  ]
  if (month < 1 || month > 12) return 'month'
  if (hour > 23) return 'hour'
  if (minute > 59) return 'minute'
  return second > 59 ? 'second' : 'day'
}

function cannotParse(text: string, layout: string, rest: string, token: string): Error {
  const [value, wanted, found, part] = [text, layout, rest, token].map(said => JSON.stringify(said))
  return new Error(`parsing time ${value} as ${wanted}: cannot parse ${found} as ${part}`)
}

/** The present second, as the server stamps it. */
export const toTime = (atMs: number): string => `${new Date(atMs).toISOString().slice(0, 19)}Z`

const UNITS: readonly [seconds: number, unit: string][] = [
  [365 * 86_400, 'y'],
  [86_400, 'd'],
  [3_600, 'h'],
  [60, 'm'],
  [1, 's'],
]

/** An age as kubectl prints it (`11s`, `8m50s`, `3h`, `2d4h`); `<invalid>` when it lies in the future. */
export function toAge(ageMs: number): string {
  const seconds = Math.trunc(ageMs / 1000)
  if (seconds < -1) return '<invalid>'
  if (seconds < 0) return '0s'
  if (seconds < 120) return `${seconds}s`
  const [minutes, hours, days] = [seconds / 60, seconds / 3_600, seconds / 86_400].map(Math.trunc) as [
    number,
    number,
    number,
  ]
  if (minutes < 10) return two(seconds, 60, 1)
  if (minutes < 180) return `${minutes}m`
  if (hours < 8) return two(seconds, 3_600, 60)
  if (hours < 48) return `${hours}h`
  if (hours < 192) return two(seconds, 86_400, 3_600)
  if (days < 730) return `${days}d`
  return days < 2_920 ? two(seconds, 365 * 86_400, 86_400) : `${Math.trunc(days / 365)}y`
}

function two(seconds: number, large: number, small: number): string {
  const unit = (size: number) => UNITS.find(([seconds]) => seconds === size)?.[1] ?? ''
  const rest = Math.trunc((seconds % large) / small)
  return `${Math.trunc(seconds / large)}${unit(large)}${rest === 0 ? '' : `${rest}${unit(small)}`}`
}
