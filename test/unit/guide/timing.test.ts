import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { withParts } from '../../../infra/build/docs.ts'
import { readConfig } from '../../../lib/config.ts'
import { cutStages, DEFAULT_STAGES, type Stages, sumOfStages } from '../../../lib/tick/budget.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../../lib/time.ts'

const TIMING = 'docs/timing.md'
const timing = readFileSync(TIMING, 'utf8')
const UNITS: Readonly<Record<string, number>> = { ms: 1, s: SECOND_MS, min: MINUTE_MS, h: HOUR_MS }
/** Shutdown handlers of a tick: its metrics'. */
const HANDLERS = 1

type Row = readonly string[]

/** The rows of the table between two marks, without its head. */
function rowsOf(mark: string): Row[] {
  const [, table = ''] = new RegExp(`<!-- ${mark}:begin -->\\n([\\s\\S]*?)\\n<!-- ${mark}:end -->`).exec(timing) ?? []
  const rows = table.split('\n').map(line => line.split('|').slice(1, -1))
  return rows.slice(2).map(cells => cells.map(cell => cell.trim()))
}

function tableOf(mark: string, rows: readonly Row[]): string {
  const [, head = ''] = new RegExp(`<!-- ${mark}:begin -->\\n(.*\\n.*)\\n`).exec(timing) ?? []
  return [head, ...rows.map(cells => `| ${cells.join(' | ')} |`)].join('\n')
}

const unquoted = (cell = '') => cell.replaceAll('`', '')
const source = (file: string) => readFileSync(file, 'utf8')

/** What a constant is in the code; durations in ms. */
function numberIn(constant: string, file: string): number {
  const [first = '', ...rest] = constant.split('.')
  if (first === 'SETTINGS') return readConfig({})[rest[0] as 'WORKERS']
  if (file === 'serverless.yml') {
    const service = parse(source(file), { logLevel: 'silent' }) as Record<string, unknown>
    const seconds = [first, ...rest].reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], service)
    return Number(seconds) * SECOND_MS
  }
  const [, declared] = new RegExp(`^(?:export )?const ${first} = (.+)$`, 'm').exec(source(file)) ?? []
  if (declared === undefined) throw new Error(`${file} declares no ${constant}`)
  const expression = rest.length === 0 ? declared : new RegExp(`${rest[0]}: ([^,}]+)`).exec(declared)?.[1]
  const value = sum(expression ?? '', name => numberIn(name, homeOf(name, file)))
  return first.endsWith('_SECONDS') ? value * SECOND_MS : value
}

/** Where a constant that another one is made of is declared. */
function homeOf(constant: string, file: string): string {
  const [, path] = new RegExp(`\\b${constant}\\b[^;]*?from '([^']+)'`).exec(source(file)) ?? []
  return path === undefined ? file : new URL(path, `file:///${file}`).pathname.slice(1)
}

/** Reads `3 * A + B`: sums of products of numbers and names. */
function sum(expression: string, numberOfName: (name: string) => number): number {
  const factor = (text: string) => (/^[\d_.]+$/.test(text) ? Number(text.replaceAll('_', '')) : numberOfName(text))
  const product = (text: string) => text.split('*').reduce((all, part) => all * factor(part.trim()), 1)
  return expression.split(/\+/).reduce((all, part) => all + product(part.trim()), 0)
}

/** Every row's value in ms, or as it counts, by the constant's name; the first of two of the same name. */
function constants(): Map<string, number> {
  const known = new Map<string, number>()
  for (const [, , , constant, file] of rowsOf('times')) {
    const name = unquoted(constant)
    if (!known.has(name)) known.set(name, numberIn(name, unquoted(file)))
  }
  return known
}

function withValues(rows: readonly Row[]): Row[] {
  return rows.map(([what = '', , unit = '', constant = '', file = '', from = '']) => {
    const value = numberIn(unquoted(constant), unquoted(file)) / (UNITS[unit] ?? 1)
    return [what, String(value), unit, constant, file, from]
  })
}

/** A whole number of seconds, or what counts. */
function inSeconds(name: string, known: Map<string, number>): number {
  const work = /^work\((.+)\)$/.exec(name)?.[1]
  if (work !== undefined) return Math.floor((stagesOf(known.get(work) as number)?.workMs ?? 0) / SECOND_MS)
  const value = known.get(name)
  if (value === undefined) throw new Error(`${name} is not in the table`)
  return /_MS$|^functions\.|_(INTERVAL|TIMEOUT|DEADLINE)$/.test(name) ? value / SECOND_MS : value
}

function judged(rule: string): { numbers: string; holds: boolean } {
  const known = constants()
  const [left = '', right = ''] = unquoted(rule).split('<=')
  const read = (side: string) => sum(side.trim(), name => inSeconds(name, known))
  const spelled = (side: string) =>
    side.trim().replace(/[A-Za-z](?:[\w.()]|-(?=\w))*/g, name => String(inSeconds(name, known)))
  const total = /[+*]/.test(left) ? `${spelled(left)} = ${read(left)}` : spelled(left)
  return { numbers: `${total} ≤ ${read(right)}`, holds: read(left) <= read(right) }
}

function stagesOf(remainingMs: number): Stages | undefined {
  return cutStages(remainingMs, DEFAULT_STAGES, HANDLERS)
}

function leastMs(): number {
  let ms = 0
  while (!stagesOf(ms)) ms++
  return ms
}

function stagesTable(): string {
  const seconds = (ms: number) => String(ms / SECOND_MS)
  const rows = [280 * SECOND_MS, 120 * SECOND_MS, 60 * SECOND_MS, 20 * SECOND_MS, leastMs()].map(remainingMs => {
    const { workMs, waitMs, drainMs, handlerMs, releaseMs, flushMs, marginMs } = stagesOf(remainingMs) as Stages
    return [remainingMs, workMs, waitMs, drainMs, handlerMs, releaseMs, flushMs, marginMs].map(seconds)
  })
  const head = ['left, s', 'work', 'wait', 'drain', 'handler', 'release', 'flush', 'margin']
  return [head, head.map(() => '---'), ...rows].map(cells => `| ${cells.join(' | ')} |`).join('\n')
}

describe('the table of times', () => {
  it('has the numbers of the code, in its own units, in the inequalities as well', async () => {
    const parts = {
      times: tableOf('times', withValues(rowsOf('times'))),
      stages: stagesTable(),
      inequalities: tableOf(
        'inequalities',
        rowsOf('inequalities').map(([rule = '', , otherwise = '', by = '']) => [
          rule,
          judged(rule).numbers,
          otherwise,
          by,
        ]),
      ),
    }
    // `npx vitest run test/unit/guide -u` writes them anew.
    await expect(withParts(timing, parts)).toMatchFileSnapshot(`../../../${TIMING}`)
  })

  it('reads constants as the code has them', async () => {
    const times = await import('../../../lib/tick/times.ts')
    const names = ['TAIL_MS', 'SETTLE_MS', 'SKEW_MS', 'ETCD_TAIL_MS'] as const
    for (const name of names) expect(numberIn(name, 'lib/tick/times.ts')).toBe(times[name])
    expect(numberIn('PARAMETER_LAG_MS', 'lib/fence/refusal.ts')).toBe(3 * SECOND_MS)
    expect(numberIn('DYNAMODB_LIMITS.requestTimeout', 'lib/runtime/wiring.ts')).toBe(3 * SECOND_MS)
    expect(() => numberIn('GONE_MS', 'lib/tick/times.ts')).toThrow('lib/tick/times.ts declares no GONE_MS')
  })

  it('leaves out no time of the tick and of its requests', () => {
    const files = ['lib/kubernetes/api.ts', 'lib/kubernetes/transport.ts']
    const rooms = ['lib/tick', 'lib/fence'].flatMap(room => readdirSync(room).map(file => `${room}/${file}`))
    const declared = [...files, ...rooms].flatMap(file =>
      [...source(file).matchAll(/^(?:export )?const ([A-Z_]+_MS) /gm)].map(([, name]) => name),
    )
    expect(declared.length).toBeGreaterThan(10)
    const known = constants()
    expect(declared.filter(name => !known.has(name as string))).toEqual([])
  })

  it('has a unit that is known, or one that counts', () => {
    for (const [what, , unit = ''] of rowsOf('times'))
      expect([what, unit in UNITS || /^(objects|tries|groups|connections|characters|part)$/.test(unit)]).toEqual([
        what,
        true,
      ])
  })
})

describe('the inequalities', () => {
  it.each(rowsOf('inequalities').map(([rule = '']) => rule))('%s holds', rule => {
    expect(judged(rule)).toMatchObject({ holds: true })
  })

  it('would be found broken', () => {
    expect(judged('`REQUEST_DEADLINE_MS <= SERVER_TIMEOUT_MS`')).toEqual({ numbers: '20 ≤ 5', holds: false })
  })

  it('are checked by files that exist', () => {
    for (const [, , , by = ''] of rowsOf('inequalities'))
      for (const [, file = ''] of by.matchAll(/`([\w./-]+\.ts)`/g)) expect(source(file).length).toBeGreaterThan(0)
  })
})

describe('the budget', () => {
  it('never gives its stages more than is left, from 0 to 15 min', () => {
    for (let remainingMs = 0; remainingMs <= 15 * MINUTE_MS; remainingMs += 997) {
      const stages = stagesOf(remainingMs)
      if (stages) expect(sumOfStages(stages)).toBeLessThanOrEqual(remainingMs)
    }
  })

  it.each(['CLEANUP_INTERVAL', 'ESCALATION_STATUS_UPDATE_INTERVAL', 'CLUSTER_CONFIG_CHECK_INTERVAL'] as const)(
    'has a period that divides a day: %s',
    setting => {
      expect(DAY_MS % readConfig({})[setting]).toBe(0)
    },
  )
})
