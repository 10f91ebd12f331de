// Durations and instants in people's words.

/** `84 ms`, `28.9 s`, `4 min 12 s`; rounded to what people care for. */
export function describeMs(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${(Math.floor(ms / 100) / 10).toFixed(1)} s`
  const seconds = Math.floor(ms / 1_000)
  const rest = seconds % 60
  return `${Math.floor(seconds / 60)} min${rest > 0 ? ` ${rest} s` : ''}`
}

/** `07:05:00Z`: the UTC time of day of an instant, epoch ms. */
export function timeOfDay(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(11, 19)}Z`
}

/** `2026-11-21T07:05:00Z`: an instant, epoch ms, in whole seconds. */
export function toInstant(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(0, 19)}Z`
}
