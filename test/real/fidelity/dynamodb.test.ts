// The embedded DynamoDB against DynamoDB Local: the same requests, the answers compared by status, error, message and body.
// What differs is a bug of ours, or a line of its FIDELITY.md.

import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { describeWith } from '../world/left-out.ts'
import { KNOWN } from './dynamodb/known.ts'
import { ROWS } from './dynamodb/rows.ts'
import { type Compared, compareDynamodb, isDynamodbLocal } from './dynamodb/run.ts'
import { summary } from './summary.ts'

const FIDELITY = new URL('../../../infra/local/dynamodb/FIDELITY.md', import.meta.url)

const { dynamodb } = inject('realServers')
const server =
  typeof dynamodb === 'string' || (await isDynamodbLocal(dynamodb.url))
    ? dynamodb
    : 'the measure is DynamoDB Local, this endpoint is another'

describeWith(server, 'the embedded DynamoDB beside DynamoDB Local', real => {
  let compared: Map<string, Compared>

  beforeAll(async () => {
    compared = new Map((await compareDynamodb(real.url)).map(one => [one.row.title, one]))
  })
  afterAll(() => summary('dynamodb', ROWS.length, KNOWN.flatMap(({ rows }) => rows).length))

  it.each(ROWS.map(({ title }) => title))('%s', title => {
    const found = compared.get(title)?.found ?? new Map<string, unknown>()
    const known = KNOWN.filter(({ rows }) => rows.includes(title)).map(({ at }) => at)

    expect(Object.fromEntries([...found].filter(([path]) => !known.some(at => at === path)))).toEqual({})
    expect([...found.keys()], 'differs no longer: take it off the list').toEqual(known)
  })
})

describe('the list of known differences', () => {
  const lines = readFileSync(FIDELITY, 'utf8').split('\n')

  it('has at least 30 rows to be held against, each with a title of its own', () => {
    expect(ROWS.length).toBeGreaterThanOrEqual(30)
    expect(new Set(ROWS.map(({ title }) => title)).size).toBe(ROWS.length)
  })

  it.each(KNOWN)('points to a line of FIDELITY.md and to rows that exist: $line', ({ line, rows }) => {
    expect(lines.filter(one => one.replace(/^(?:\| |- )/, '').startsWith(`${line} `))).toHaveLength(1)
    expect(rows.filter(row => !ROWS.some(({ title }) => title === row))).toEqual([])
  })
})
