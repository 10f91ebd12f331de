// What many seeds came to, added up.

import type { Violation } from './invariants.ts'
import type { Verdict } from './schedule.ts'

/** A seed in which an invariant did not hold. */
export interface Failure {
  readonly seed: number
  readonly violations: readonly Violation[]
}

/** The sum over seeds. */
export interface Findings {
  readonly failures: Failure[]
  readonly explored: Record<string, number>
  readonly coverage: Map<string, number>
}

/** Nothing yet. */
export function emptyFindings(): Findings {
  return { failures: [], explored: {}, coverage: new Map() }
}

/** Adds one seed's verdict. */
export function addVerdict(findings: Findings, { seed, violations, explored, coverage }: Verdict): void {
  if (violations.length > 0) findings.failures.push({ seed, violations })
  addCounts(findings, explored, coverage)
}

/** Adds what other seeds came to. */
export function addFindings(findings: Findings, other: Findings): void {
  findings.failures.push(...other.failures)
  findings.failures.sort((a, b) => a.seed - b.seed)
  addCounts(findings, other.explored, other.coverage)
}

function addCounts(
  findings: Findings,
  explored: Readonly<Record<string, number>>,
  coverage: ReadonlyMap<string, number>,
): void {
  for (const [key, count] of Object.entries(explored)) findings.explored[key] = (findings.explored[key] ?? 0) + count
  for (const [key, count] of coverage) findings.coverage.set(key, (findings.coverage.get(key) ?? 0) + count)
}
