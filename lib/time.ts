// Units, instants and the Clock port. The one file that reads the machine's clock or sets a timer for waiting.
// An instant is epoch milliseconds and ends in `AtMs`; a duration is milliseconds and ends in `Ms`.
// Clocks decide liveness, the length of a settle, and `now` in plans; nothing else may depend on them.

/** One second in ms. */
export const SECOND_MS = 1_000
/** One minute in ms. */
export const MINUTE_MS = 60 * SECOND_MS
/** One hour in ms. */
export const HOUR_MS = 60 * MINUTE_MS
/** One day in ms; days have no leap seconds or summer time here. */
export const DAY_MS = 24 * HOUR_MS

/** Where every room gets its time from, so that tests and simulations can give their own. */
export interface Clock {
  /** The wall clock, epoch ms; may jump. */
  wallMs(): number
  /** A clock that never runs backwards, ms from an arbitrary start; may stand still while a sandbox is frozen. */
  monotonicMs(): number
  /** Resolves after `ms`, or at once when `signal` is aborted; never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

/** The machine's own clocks and timers. */
export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise(resolve => {
      if (signal?.aborted) return resolve()
      const done = () => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', done)
        resolve()
      }
      const timer = setTimeout(done, ms)
      signal?.addEventListener('abort', done, { once: true })
    }),
}

/** An instant on both clocks: the wall clock may jump, the other may stand still while a sandbox is frozen. */
export interface Moment {
  readonly wallMs: number
  readonly monotonicMs: number
}

/** This instant, `inMs` from now. */
export function momentIn(inMs: number, clock: Clock): Moment {
  return { wallMs: clock.wallMs() + inMs, monotonicMs: clock.monotonicMs() + inMs }
}

/** The time until an instant, ms, on whichever clock is nearer to it; negative when one of them is past it. */
export function msUntil(moment: Moment, clock: Clock): number {
  return Math.min(moment.wallMs - clock.wallMs(), moment.monotonicMs - clock.monotonicMs())
}

/** The time since an instant, ms, on whichever clock went less far: a jump ahead must not shorten a wait. */
export function msSince(moment: Moment, clock: Clock): number {
  return Math.min(clock.wallMs() - moment.wallMs, clock.monotonicMs() - moment.monotonicMs)
}

/** Runs work with a signal that is aborted after `limitMs`; leaves no timer behind. */
export async function within<T>(clock: Clock, limitMs: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const late = new AbortController()
  const ended = new AbortController()
  void clock.sleep(limitMs, ended.signal).then(() => {
    if (!ended.signal.aborted) late.abort()
  })
  try {
    return await work(late.signal)
  } finally {
    ended.abort()
  }
}

const GO_UNITS_MS: Record<string, number> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: SECOND_MS,
  m: MINUTE_MS,
  h: HOUR_MS,
}
const LONG_UNITS_MS: Record<string, number> = { d: DAY_MS, w: 7 * DAY_MS, y: 365 * DAY_MS }
const LONG_PART = /^(\d+)(y|w|d)/
const GO_CHAIN = /^(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h))+$/
const GO_PART = /(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g
const LONGEST_DAYS = 365

/**
 * Reads a duration such as `90m`, `1h30m`, `7d`, `1d12h` or `1.5h`.
 *
 * Grammar: whole years, weeks, days in this order (`1y2w3d`), then a chain of Go units (`h m s ms us ns`, decimals
 * allowed); no sign, no spaces. A day part above 365 is refused, as the breakglass API does.
 *
 * @returns ms (may have a fraction), or undefined when the text is not such a duration.
 * @see https://pkg.go.dev/time#ParseDuration
 */
export function parseDuration(text: string): number | undefined {
  let rest = text
  let totalMs = 0
  for (const unit of ['y', 'w', 'd']) {
    const part = LONG_PART.exec(rest)
    if (part?.[2] !== unit) continue
    const count = Number(part[1])
    if (unit === 'd' && count > LONGEST_DAYS) return undefined
    totalMs += count * (LONG_UNITS_MS[unit] as number)
    rest = rest.slice(part[0].length)
  }
  if (rest === '') return text === '' ? undefined : totalMs
  if (rest === '0' && text === '0') return 0
  if (!GO_CHAIN.test(rest)) return undefined
  for (const [, amount, unit] of rest.matchAll(GO_PART))
    totalMs += Number(amount) * (GO_UNITS_MS[unit as string] as number)
  return totalMs
}

const GO_ZERO_TIME = '0001-01-01T00:00:00Z'
const RFC3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})$/

/**
 * Reads an RFC 3339 instant.
 *
 * @returns epoch ms, or undefined for anything unset: missing, null, empty, Go's zero time, or not such an instant.
 * @see https://www.rfc-editor.org/rfc/rfc3339
 */
export function parseInstant(value: unknown): number | undefined {
  if (typeof value !== 'string' || value === GO_ZERO_TIME || !RFC3339.test(value)) return undefined
  const atMs = Date.parse(value)
  return Number.isNaN(atMs) ? undefined : atMs
}

/** Writes an instant as RFC 3339 in UTC with second precision, as Kubernetes' `metav1.Time` does; fractions are cut off. */
export function toInstant(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(0, 19)}Z`
}

/** Writes an instant as Kubernetes' `MicroTime`: exactly six fractional digits, else API servers and Go clients refuse it. */
export function toMicroTime(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(0, 23)}000Z`
}

/** Writes a duration for people, e.g. `84 ms`, `28.9 s`, `3 min`, `2 h`, `9 d`; negative ones by their length. */
export function describeMs(durationMs: number): string {
  const ms = Math.abs(durationMs)
  if (ms < SECOND_MS) return `${Math.round(ms)} ms`
  if (ms < MINUTE_MS) return `${(ms / SECOND_MS).toFixed(1)} s`
  if (ms < 2 * HOUR_MS) return `${Math.floor(ms / MINUTE_MS)} min`
  return ms < 2 * DAY_MS ? `${Math.floor(ms / HOUR_MS)} h` : `${Math.floor(ms / DAY_MS)} d`
}
