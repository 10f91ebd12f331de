// The embedded Kubernetes API against a real kube-apiserver 1.34: the same requests, the answers field by field. What differs
// is a bug of the embedded one, or a line of its FIDELITY.md.

import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { describeWith } from '../world/left-out.ts'
import { differences } from './kubernetes/compare.ts'
import { isKnown, KNOWN } from './kubernetes/known.ts'
import type { Answer, Row } from './kubernetes/row.ts'
import { PREPARATION, ROWS } from './kubernetes/rows.ts'
import { type Compared, compareServers, openPair, type Pair } from './kubernetes/run.ts'
import { MEASURE, versionOf } from './kubernetes/version.ts'
import { summary } from './summary.ts'

const FIDELITY = new URL('../../../infra/local/kubernetes/FIDELITY.md', import.meta.url)
const ALL = [...PREPARATION, ...ROWS]
const WITHIN_MS = 120_000

const { kubernetes } = inject('realServers')
const version = typeof kubernetes === 'string' ? '' : await versionOf(kubernetes.kubeconfig)
const server =
  typeof kubernetes === 'string' || version.startsWith(MEASURE)
    ? kubernetes
    : `the measure is kube-apiserver ${MEASURE}, this one is ${version}`

describeWith(server, 'the embedded Kubernetes API beside a real kube-apiserver', real => {
  let pair: Pair
  let compared: Map<string, Compared>

  beforeAll(async () => {
    pair = await openPair(real.kubeconfig)
    compared = new Map((await compareServers(pair)).map(one => [one.row.title, one]))
  }, WITHIN_MS)
  afterAll(async () => {
    await pair?.close()
    summary('kubernetes', ALL.length, KNOWN.flatMap(({ rows }) => rows).length)
  })

  it.each(ALL.map(({ title }) => title))('%s', title => {
    const found = compared.get(title)?.found ?? new Map<string, unknown>()

    expect(Object.fromEntries([...found].filter(([path]) => !isKnown(title, path)))).toEqual({})
    if (KNOWN.some(({ rows }) => rows.includes(title)))
      expect([...found.keys()], 'differs no longer: take it off the list').not.toEqual([])
  })
})

describe('the comparison', () => {
  const row: Row = { title: 'no token at all', send: 'GET /' }
  const answer = (status: number, body: unknown, warning?: string): Answer => ({ status, headers: { warning }, body })
  const paths = (one: Answer, other: Answer) => [...differences(row, one, other).keys()]
  const [uid, otherUid] = ['983d6afd-cd0f-48fa-b68a-c99added6d8d', '112d6afd-cd0f-48fa-b68a-c99added6d8d']

  it('finds another status, warning, value and kind of value, and what is missing', () => {
    expect(paths(answer(200, {}), answer(201, {}, 'x'))).toEqual(['status', 'warning'])
    expect(paths(answer(200, { a: { b: [1] } }), answer(200, { a: { b: [2], c: '' } }))).toEqual([
      'body.a.b.0',
      'body.a.c',
    ])
    expect(paths(answer(200, { a: '1' }), answer(200, { a: 1 }))).toEqual(['body.a'])
    expect(paths(answer(200, { a: [] }), answer(200, { a: {} }))).toEqual(['body.a'])
  })

  it('sets aside identities, times of now and resourceVersions, but no instant that was sent', () => {
    const object = (id: string, resourceVersion: string, atMs: number) =>
      answer(200, { metadata: { uid: id, resourceVersion, creationTimestamp: new Date(atMs).toISOString() } })
    expect(paths(object(uid, '5', Date.now()), object(otherUid, '7', Date.now() - 2_000))).toEqual([])
    expect(paths(object(uid, '5', 0), object(uid, '5', 1_000))).toEqual(['body.metadata.creationTimestamp'])
    expect(paths(object(uid, '5', 0), object(uid, 'x', 0))).toEqual(['body.metadata.resourceVersion'])
  })

  it('takes a difference for known only in its row and at its place', () => {
    expect(isKnown('no token at all', 'body.message')).toBe(true)
    expect(isKnown('no token at all', 'type')).toBe(false)
    expect(isKnown('a Lease is read', 'body.message')).toBe(false)
  })
})

describe('the list of known differences', () => {
  const lines = readFileSync(FIDELITY, 'utf8').split('\n')

  it('has at least 120 rows to be held against, each with a title of its own', () => {
    expect(ALL.length).toBeGreaterThanOrEqual(120)
    expect(new Set(ALL.map(({ title }) => title)).size).toBe(ALL.length)
  })

  it.each(KNOWN)('points to a line of FIDELITY.md and to rows that exist: $line', ({ line, rows }) => {
    expect(lines.filter(one => one.replace(/^(?:\| |- )/, '').startsWith(line))).toHaveLength(1)
    expect(rows.filter(row => !ALL.some(({ title }) => title === row))).toEqual([])
  })
})
