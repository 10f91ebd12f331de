// docs/events.md tells every Event of the loops whose Events have no table in their code, and no other.

import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { EVENTS_BY_LOOK } from '../../../lib/reconcilers/config-check/announce.ts'
import { WARNINGS } from '../../../lib/reconcilers/status-sync/plan.ts'

const document = readFileSync('docs/events.md', 'utf8')

function toldOf(loop: string): string[] {
  const [, section = ''] = new RegExp(`^## \`fencepost-${loop}\`$([\\s\\S]*?)(?=^## )`, 'm').exec(document) ?? []
  return [...section.matchAll(/^\| (\w+) \| (Normal|Warning) \|/gm)]
    .map(([, reason, type]) => `${reason} ${type}`)
    .sort()
}

it('tells of the Events of status-sync', () => {
  expect(toldOf('status-sync')).toEqual(
    ['GroupMembersSynced Normal', ...WARNINGS.map(reason => `${reason} Warning`)].sort(),
  )
})

it('tells of the Events of config-check', () => {
  const told = Object.values(EVENTS_BY_LOOK).map(({ reason, type }) => `${reason} ${type}`)
  expect(toldOf('config-check')).toEqual(told.sort())
})
