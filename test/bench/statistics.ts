// The figures that are told of several measurements. Machines are noisy and drift: what is compared is measured in turn, in
// one run, and divided pair by pair.

/** Several measurements of one thing, in `unit`. */
export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
  readonly unit: Unit
}

/** What a figure is in; `x` is a ratio, `$` US dollars, `` a count. */
export type Unit = 'ms' | 's' | 'MB' | 'kB' | '/s' | 'x' | '$' | ''

/**
 * Median, least and greatest of some measurements; of an even number the median is the mean of the middle two.
 * @throws RangeError – there are none.
 */
export function spreadOf(measured: readonly number[], unit: Unit): Spread {
  const sorted = measured.toSorted((a, b) => a - b)
  const [min, max] = [sorted[0], sorted.at(-1)]
  if (min === undefined || max === undefined) throw new RangeError('nothing was measured')
  const middle = sorted.length / 2
  const median = ((sorted[Math.ceil(middle) - 1] as number) + (sorted[Math.floor(middle)] as number)) / 2
  return { median, min, max, unit }
}

/**
 * Ratios of two things that were measured in turn, pair by pair.
 * @throws RangeError – there are not as many of one as of the other.
 */
export function ratios(ours: readonly number[], theirs: readonly number[]): number[] {
  return pairs(ours, theirs).map(([our, their]) => our / their)
}

/** Differences likewise. @throws RangeError – there are not as many of one as of the other. */
export function differences(ours: readonly number[], theirs: readonly number[]): number[] {
  return pairs(ours, theirs).map(([our, their]) => our - their)
}

function pairs(ours: readonly number[], theirs: readonly number[]): [number, number][] {
  if (ours.length !== theirs.length) throw new RangeError(`${ours.length} measurements beside ${theirs.length}`)
  return ours.map((our, i) => [our, theirs[i] as number])
}
