import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { EVENTS_FAILED } from '../../../../lib/fence/tell.ts'
import { REPORTER } from '../../../../lib/reconcilers/cleanup/announce.ts'
import { TRANSITIONS } from '../../../../lib/reconcilers/cleanup/rules/transitions.ts'

const document = readFileSync(new URL('../../../../docs/events.md', import.meta.url), 'utf8')

const rows = Object.entries(TRANSITIONS).map(
  ([cause, { when, audit, counter, event }]) =>
    `| ${event.reason} | ${event.type} | ${event.action} | ${event.note} | ${when} | \`${cause}\` | \`${audit}\` | ${counter} |`,
)

describe('docs/events.md', () => {
  it('has every change of the cleanup loop as a row, in its order, and no other', () => {
    const [, section = ''] = document.split(`## \`${REPORTER}\``)
    const [table = ''] = section.trim().split('\n\n## ')
    expect(
      table
        .split('\n')
        .filter(line => line.startsWith('| '))
        .slice(1),
    ).toEqual(rows)
  })

  it.each([...new Set(Object.values(TRANSITIONS).map(({ counter }) => counter)), EVENTS_FAILED])(
    'says which upstream metric %s stands for',
    counter => expect(document).toMatch(new RegExp(`^\\| ${counter} \\| .+ \\|$`, 'm')),
  )
})

describe('the table of changes', () => {
  it.each(Object.entries(TRANSITIONS))('has words for %s that an API server takes', (_cause, { counter, event }) => {
    for (const word of [counter, event.reason, event.action]) expect(word).toMatch(/^[A-Z][A-Za-z]{1,127}$/)
    expect(event.note.length).toBeLessThan(200)
  })
})
