// The guide names every reason and every health, and nothing else in their columns.

import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

const guide = readFileSync('docs/status-sync.md', 'utf8')

/** The members of a union of texts. */
function membersOf(file: string, type: string): string[] {
  const [, text = ''] =
    new RegExp(`export type ${type} =([^\\n]*(?:\\n  \\|[^\\n]*)*)`).exec(readFileSync(file, 'utf8')) ?? []
  return [...text.matchAll(/'(\w+)'/g)].map(([, name = '']) => name)
}

it('tells when each reason is written', () => {
  const reasons = membersOf('lib/reconcilers/status-sync/rules/condition.ts', 'Reason')
  const told = [...guide.matchAll(/^\| (?:True|False) \| `(\w+)` \|/gm)].map(([, name]) => name)
  expect(reasons.length).toBe(6)
  expect(told.sort()).toEqual(reasons.sort())
})

it('tells what to do for each health', () => {
  const health = membersOf('lib/reconcilers/status-sync/providers.ts', 'Health')
  const told = [...guide.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name)
  expect(health.length).toBe(10)
  expect(told.sort()).toEqual(health.sort())
})
