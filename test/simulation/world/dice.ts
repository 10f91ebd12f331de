// The only chance there is in a simulated world: one generator for each seed, so that the same seed plays the same schedule.

/** Dice of one seed. */
export interface Dice {
  /** From 0 up to 1. */
  next(): number
  /** A whole number from 0 up to `count`. */
  below(count: number): number
  /** True with this probability. */
  chance(probability: number): boolean
  /** A whole number in both bounds. */
  between(least: number, most: number): number
  /** A whole number in both bounds, small ones far more often: every order of magnitude is as likely. */
  magnitude(least: number, most: number): number
  /** One of the items, each as likely. */
  pick<T>(items: readonly T[]): T
}

/** Makes the dice of a seed, any whole number. @see https://pracrand.sourceforge.net (sfc32) */
export function createDice(seed: number): Dice {
  let a = 0x9e3779b9 ^ seed
  let b = 0x243f6a88 ^ Math.floor(seed / 2 ** 32)
  let c = 0xb7e15162
  let d = 1
  const next = () => {
    const t = (((a + b) | 0) + d) | 0
    d = (d + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (c << 21) | (c >>> 11)
    c = (c + t) | 0
    return (t >>> 0) / 2 ** 32
  }
  // The first numbers of neighbouring seeds are alike.
  for (let turn = 0; turn < 16; turn++) next()
  const between = (least: number, most: number) => least + Math.floor(next() * (most - least + 1))
  return {
    next,
    below: count => Math.floor(next() * count),
    chance: probability => next() < probability,
    between,
    magnitude: (least, most) => Math.round(least * (most / least) ** next()),
    pick: items => items[Math.floor(next() * items.length)] as never,
  }
}
