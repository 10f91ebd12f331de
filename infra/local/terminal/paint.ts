// Colours by meaning. Text that is painted plain has no escape sequence in it.

import picocolors from 'picocolors'

/** Colours by what they mean; each gives its text back, painted or as it is. */
export interface Paint {
  readonly strong: (text: string) => string
  readonly faint: (text: string) => string
  readonly good: (text: string) => string
  readonly careful: (text: string) => string
  readonly bad: (text: string) => string
}

/** Makes the colours of an output. */
export function createPaint(isColoured: boolean): Paint {
  const { bold, dim, green, yellow, red } = picocolors.createColors(isColoured)
  return { strong: bold, faint: dim, good: green, careful: yellow, bad: red }
}

/**
 * Whether an output is to be coloured: a terminal, unless NO_COLOR is set to anything, or TERM is `dumb`.
 * @see https://no-color.org
 */
export function isColoured(isTerminal: boolean, environment: Readonly<Record<string, string | undefined>>): boolean {
  return isTerminal && !environment.NO_COLOR && environment.TERM !== 'dumb'
}
