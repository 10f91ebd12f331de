// The embedded Keycloak against a real one: the same realm, the same requests, the answers compared field by field. What differs
// is a bug of ours, or a line of its FIDELITY.md.

import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { startKeycloak } from '../../../infra/local/keycloak/server.ts'
import { contractRealm } from '../../contract/keycloak/realm.ts'
import { summary } from '../fidelity/summary.ts'
import { describeWith } from '../world/left-out.ts'
import { KNOWN } from './fidelity/known.ts'
import { ROWS } from './fidelity/rows.ts'
import { answersToEnded, type Compared, compareKeycloaks } from './fidelity/run.ts'
import { importRealm } from './realms.ts'

const FIDELITY = new URL('../../../infra/local/keycloak/FIDELITY.md', import.meta.url)

describeWith(inject('realServers').keycloak, 'the embedded Keycloak beside a real one', real => {
  let compared: Map<string, Compared>

  beforeAll(async () => {
    compared = new Map((await compareKeycloaks(real)).map(one => [one.row.title, one]))
  })
  afterAll(() => summary('keycloak', ROWS.length, KNOWN.flatMap(({ rows }) => rows).length))

  it.each(ROWS.map(({ title }) => title))('%s', title => {
    const found = compared.get(title)?.found ?? new Map<string, unknown>()
    const known = KNOWN.filter(({ rows }) => rows.includes(title)).flatMap(({ at }) => at)

    expect(Object.fromEntries([...found].filter(([path]) => !known.includes(path)))).toEqual({})
    expect(
      known.filter(path => !found.has(path)),
      'differs no longer: take it off the list',
    ).toEqual([])
  })

  it('a token that has ended', async () => {
    const realm = 'fidelity-of-ends'
    const exported = contractRealm(realm)
    const { remove } = await importRealm(real, exported)
    const embedded = await startKeycloak({ realms: [exported] })
    try {
      const [one, other] = await Promise.all([embedded.url, real.url].map(url => answersToEnded(url, realm)))
      expect(one).toEqual(other)
    } finally {
      await embedded.close()
      await remove()
    }
  })
})

describe('the list of known differences', () => {
  const lines = readFileSync(FIDELITY, 'utf8').split('\n')

  it('has at least 100 rows to be held against, each with a title of its own', () => {
    expect(ROWS.length).toBeGreaterThanOrEqual(100)
    expect(new Set(ROWS.map(({ title }) => title)).size).toBe(ROWS.length)
  })

  it.each(KNOWN)('points to a line of FIDELITY.md and to rows that exist: $line', ({ line, rows }) => {
    expect(lines.filter(one => one.replace(/^(?:\| |- )/, '').startsWith(`${line} `))).toHaveLength(1)
    expect(rows.filter(row => !ROWS.some(({ title }) => title === row))).toEqual([])
  })
})
