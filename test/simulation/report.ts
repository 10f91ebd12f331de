// What a run tells: for people on a terminal, and as one JSON object.

import Table from 'cli-table3'
import type { Paint } from '../../infra/local/terminal/paint.ts'
import { ENOUGH, LABELS, LARGE, missed, type Pair, pairsOf, reasons } from './coverage.ts'
import { FAULTS } from './faults.ts'
import type { Failure, Findings } from './findings.ts'
import { INVARIANTS } from './invariants.ts'

/** A run that has ended. */
export interface Run {
  readonly findings: Findings
  readonly played: number
  readonly elapsedMs: number
}

/** Failures told in full; all of them are counted. */
const TOLD = 10

/** The line that plays a failing seed again. */
export function replayLine(seed: number): string {
  return `npm run simulate -- --from ${seed} --seeds 1 --trace`
}

/** What makes a run fail besides its failures. */
export function missedIn({ findings, played }: Run): Pair[] {
  return played >= LARGE ? missed(pairsOf(findings.coverage)) : []
}

/** The lines for people. */
export function renderRun(run: Run, paint: Paint): string[] {
  const { findings, played, elapsedMs } = run
  const rate = Math.round(played / (elapsedMs / 1_000))
  const lines = [
    paint.strong(`${number(played)} schedules in ${(elapsedMs / 1_000).toFixed(1)} s`) +
      paint.faint(`  ${rate} a second`),
    explored(findings),
    '',
    coverageTable(findings),
    ...reasons(pairsOf(findings.coverage)).map(({ why, pairs }) =>
      paint.faint(`· impossible, ${pairs.length} pairs: ${why}`),
    ),
    '',
  ]
  const short = missed(pairsOf(findings.coverage))
  const what = `${short.length} of the possible pairs were hit fewer than ${ENOUGH} times`
  if (played >= LARGE && short.length > 0)
    lines.push(paint.bad(what), ...short.map(({ fault, label, hits }) => `  ${fault} at ${label}: ${hits}`))
  else if (short.length > 0) lines.push(paint.faint(`${what}; that counts from ${number(LARGE)} schedules on`))
  return [...lines, ...renderFailures(findings.failures, paint)]
}

function renderFailures(failures: readonly Failure[], paint: Paint): string[] {
  if (failures.length === 0) return [paint.good('every invariant held in every schedule')]
  const told = failures
    .slice(0, TOLD)
    .flatMap(({ seed, violations }) => [
      paint.bad(`seed ${seed}`),
      ...violations
        .slice(0, 5)
        .flatMap(({ invariant, detail }) => [
          `  ${paint.strong(invariant)}  ${INVARIANTS[invariant]}`,
          `    ${detail}`,
        ]),
      `  ${replayLine(seed)}`,
    ])
  return [...told, paint.bad(`${failures.length} schedules broke an invariant`)]
}

function explored({ explored }: Findings): string {
  return Object.entries(explored)
    .filter(([name]) => name !== 'schedules')
    .map(([name, count]) => `${number(count)} ${name}`)
    .join(' · ')
}

function coverageTable({ coverage }: Findings): string {
  const faults = Object.keys(FAULTS)
  const pairs = pairsOf(coverage)
  const table = new Table({
    head: ['awaited', 'reached', ...faults.map(fault => fault.replace(/ /g, '\n'))],
    style: { head: [], border: [], compact: true, 'padding-left': 0, 'padding-right': 1 },
    chars: {
      mid: '',
      'left-mid': '',
      'mid-mid': '',
      'right-mid': '',
      left: '',
      right: '',
      middle: ' ',
      top: '',
      'top-mid': '',
      'top-left': '',
      'top-right': '',
      bottom: '',
      'bottom-mid': '',
      'bottom-left': '',
      'bottom-right': '',
    },
    colAligns: ['left', 'right', ...faults.map(() => 'right' as const)],
  })
  for (const label of LABELS) {
    const cells = pairs.filter(pair => pair.label === label)
    table.push([
      label,
      short(coverage.get(label) ?? 0),
      ...cells.map(({ hits, impossible }) => (impossible === undefined ? short(hits) : '·')),
    ])
  }
  return table.toString()
}

function number(count: number): string {
  return count.toLocaleString('en-US')
}

function short(count: number): string {
  return count < 10_000 ? String(count) : `${Math.round(count / 1_000)}k`
}

/** The run as JSON. */
export function runAsJson(run: Run): object {
  const { findings, played, elapsedMs } = run
  const pairs = pairsOf(findings.coverage)
  return {
    played,
    elapsedMs: Math.round(elapsedMs),
    explored: findings.explored,
    failures: findings.failures.map(failure => ({ ...failure, replay: replayLine(failure.seed) })),
    coverage: pairs,
    missed: missedIn(run),
  }
}
