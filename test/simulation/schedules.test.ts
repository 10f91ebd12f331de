// Some seeds of each kind on every run; `npm run simulate` plays many more.

import { describe, expect, it } from 'vitest'
import { ENOUGH, LABELS, missed, pairsOf, reasons, surprises } from './coverage.ts'
import { FAULTS } from './faults.ts'
import { addVerdict, emptyFindings } from './findings.ts'
import { replayLine } from './report.ts'
import { play } from './schedule.ts'

const SEEDS = 1_000

describe('simulated schedules', () => {
  const findings = emptyFindings()

  it(`hold every invariant over ${SEEDS} seeds`, { timeout: 120_000 }, async () => {
    for (let seed = 1; seed <= SEEDS; seed++) addVerdict(findings, await play(seed))
    expect(findings.failures.map(({ seed, violations }) => [replayLine(seed), violations])).toEqual([])
  })

  it('meet take-overs, settles, heals, fenced and failed ticks on the way', () => {
    for (const what of ['completed', 'yielded', 'skipped', 'fenced', 'failed', 'take-overs', 'settles', 'heals'])
      expect(findings.explored[what], what).toBeGreaterThan(SEEDS / 50)
  })

  it('meet every await point, every kind of fault, and nothing that is said to be impossible', () => {
    const pairs = pairsOf(findings.coverage)
    expect(LABELS.filter(label => !findings.coverage.get(label))).toEqual([])
    const kinds = Object.keys(FAULTS).filter(fault => !pairs.some(pair => pair.fault === fault && pair.hits > 0))
    expect(kinds).toEqual([])
    expect(surprises(pairs)).toEqual([])
  })

  it('play the same trace for the same seed, and another one for the next', async () => {
    const traceOf = async (seed: number) => {
      const lines: string[] = []
      await play(seed, line => lines.push(line))
      return lines
    }
    for (const seed of [3, 21, 777]) {
      const trace = await traceOf(seed)
      expect(trace.length).toBeGreaterThan(100)
      expect(await traceOf(seed)).toEqual(trace)
      expect(await traceOf(seed + 1)).not.toEqual(trace)
    }
  })
})

describe('coverage', () => {
  it('names each possible pair that was hit too rarely, and no impossible one', () => {
    const counts = new Map([
      ['kill at list', ENOUGH],
      ['pause at list', ENOUGH - 1],
    ])
    const short = missed(pairsOf(counts)).map(({ fault, label }) => `${fault} at ${label}`)
    expect(short).toContain('pause at list')
    expect(short).not.toContain('kill at list')
    expect(short).not.toContain('late commit at list')
  })

  it('gives each impossible pair one reason', () => {
    const pairs = pairsOf(new Map())
    const told = reasons(pairs).flatMap(reason => reason.pairs)
    expect(told.length).toBe(pairs.filter(({ impossible }) => impossible !== undefined).length)
    expect(surprises(pairsOf(new Map([['late commit at list', 1]]))).length).toBe(1)
  })
})
