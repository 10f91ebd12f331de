// The rows on which the embedded Keycloak is known to differ from the real one: each points to the line of FIDELITY.md that says
// so. A row that is not here must be equal, one that is here must still differ, and in nothing but what it says.

/** A reason to differ, and the rows that show it. */
export interface KnownDifference {
  /** What a line of FIDELITY.md begins with, after its mark. */
  readonly line: string
  /** Paths in the answer. */
  readonly at: readonly string[]
  readonly rows: readonly string[]
}

/** Every known difference. */
export const KNOWN: readonly KnownDifference[] = [
  { line: 'grant types', at: ['body.error', 'body.error_description'], rows: ['a password', 'a refresh token'] },
  { line: 'what discovery supports', at: ['body'], rows: ['what the discovery document supports'] },
]
