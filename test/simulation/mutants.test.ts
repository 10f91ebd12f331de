// The known bugs can still be put into lib, the quick ones are found at once, and the document tells of all of them.

import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { mutated } from './bundle.ts'
import { MUTANTS, type Mutant } from './mutants.ts'
import { detect } from './mutation.ts'

const QUICK = ['no resourceVersion', 'complete without condition', 'manual run completes', 'drained at acquire']

describe('mutants', () => {
  it.each(MUTANTS.map(mutant => [mutant.name, mutant] as const))('«%s» changes the text of its file', (_, mutant) => {
    const text = readFileSync(mutant.file, 'utf8')
    expect(mutated(text, mutant)).not.toBe(text)
  })

  it('are stale when their text is gone, or there twice', () => {
    const mutant: Mutant = { name: 'x', sentence: '', file: 'lib/x.ts', find: 'a', replace: 'b' }
    expect(() => mutated('nothing', mutant)).toThrow(/«x» is stale: its text occurs 0 times in lib\/x.ts/)
    expect(() => mutated('a or a', mutant)).toThrow(/occurs 2 times/)
  })

  it('have names of their own, and are at least sixteen', () => {
    expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length)
    expect(MUTANTS.length).toBeGreaterThanOrEqual(16)
  })

  it.each(QUICK)('«%s» is found within 200 schedules', { timeout: 60_000 }, async name => {
    const mutant = MUTANTS.find(found => found.name === name) as Mutant
    expect((await detect(mutant, { from: 1, seeds: 200, threads: 1 })).seeds).toBeDefined()
  })

  it('are all in docs/simulation.md, each with the schedules it took', () => {
    const path = 'docs/simulation.md'
    const rows = existsSync(path) ? [...readFileSync(path, 'utf8').matchAll(/^\| ([^|]+) \| [^|]+ \| (\d+) \|/gm)] : []
    expect(rows.map(([, name]) => name)).toEqual(MUTANTS.map(({ name }) => name))
  })
})
