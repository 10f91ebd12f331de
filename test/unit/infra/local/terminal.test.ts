import { describe, expect, it } from 'vitest'
import { openJournal } from '../../../../infra/local/terminal/journal.ts'
import { parseLine } from '../../../../infra/local/terminal/log-lines.ts'
import { isColoured } from '../../../../infra/local/terminal/paint.ts'
import { openScreen } from '../../../../infra/local/terminal/screen.ts'
import { describeMs } from '../../../../infra/local/terminal/units.ts'

const TICK = {
  level: 'INFO',
  message: 'tick',
  kind: 'skipped',
  reason: 'disabled',
  loop: 'cleanup',
  tick: '2026-11-21T07:05:00Z',
  counts: { observed: 0, planned: 0, changed: 0, unchanged: 0, failed: 0 },
  durationMs: 3,
  budgetLeftMs: 0,
}
const WARNING = {
  level: 'WARN',
  message: 'event not written',
  timestamp: '2026-11-21T07:05:00.123Z',
  service: 'fencepost',
  object: 'a/b',
  code: 'Unavailable',
  error: 'the API server did not answer',
}
const FAILED = { level: 'ERROR', message: 'invocation failed', code: 'TickFailed', reason: 'cleanup tick … failed' }
const AUDIT = { level: 'INFO', message: 'session transition', object: 'a/b' }

/** Two outputs that remember what was written. */
function outputs() {
  const texts = { stdout: '', stderr: '' }
  const output = (name: 'stdout' | 'stderr') => ({
    isTTY: false,
    write: (text: string) => {
      texts[name] += text
      return true
    },
  })
  return { texts, stdout: output('stdout'), stderr: output('stderr') }
}

function journal({ isJson = false, isVerbose = false } = {}) {
  const { texts, stdout, stderr } = outputs()
  const screen = openScreen({ isJson, environment: {}, outputs: { stdout, stderr } })
  return { texts, journal: openJournal(screen, { isJson, isVerbose }) }
}

const LINES = [TICK, WARNING, FAILED, AUDIT].map(line => JSON.stringify(line)).concat('Offline listening')

describe('a line', () => {
  const rows: { text: string; kind: string }[] = [
    { text: JSON.stringify(TICK), kind: 'tick' },
    { text: JSON.stringify(WARNING), kind: 'problem' },
    { text: JSON.stringify(AUDIT), kind: 'detail' },
    { text: JSON.stringify({ _aws: { Timestamp: 1 } }), kind: 'detail' },
    { text: JSON.stringify({ ...TICK, loop: 7 }), kind: 'detail' },
    { text: JSON.stringify({ ...TICK, level: 'ERROR', durationMs: undefined }), kind: 'problem' },
    { text: 'Offline [http for lambda] listening on http://127.0.0.1:3002', kind: 'chatter' },
    { text: '{ not JSON', kind: 'chatter' },
    { text: '', kind: 'chatter' },
  ]
  it.each(rows)('$text is a $kind', ({ text, kind }) => {
    expect(parseLine(text)).toMatchObject({ kind, text })
  })
})

describe('the journal', () => {
  it('shows ticks and problems in a line each, and neither details nor chatter', () => {
    const { texts, journal: shown } = journal()

    for (const line of LINES) shown.take(line)

    expect(texts.stdout.split('\n')).toEqual([
      'cleanup  tick 07:05:00Z  skipped  this loop is switched off',
      'warning  event not written  object=a/b code=Unavailable error="the API server did not answer"',
      '',
    ])
    expect(texts.stderr).toBe('')
  })

  it('shows everything else too when it is verbose', () => {
    const { texts, journal: shown } = journal({ isVerbose: true })

    for (const line of LINES) shown.take(line)

    expect(texts.stdout).toContain(`${JSON.stringify(AUDIT)}\nOffline listening\n`)
  })

  it('gives the functions’ lines as they are, and only them, when JSON is asked for', () => {
    const { texts, journal: shown } = journal({ isJson: true })

    for (const line of LINES) shown.take(line)

    expect(texts.stdout).toBe(`${LINES.slice(0, 4).join('\n')}\n`)
  })

  it('waits for as many outcomes of a loop’s tick as are asked for', async () => {
    const { journal: shown } = journal()
    shown.take(JSON.stringify({ ...TICK, kind: 'completed' }))
    const both = shown.outcomes('cleanup', TICK.tick, 2)

    shown.take(JSON.stringify({ ...TICK, tick: '2026-11-21T07:10:00Z' }))
    shown.take(JSON.stringify({ ...TICK, kind: 'failed', loop: 'status-sync' }))
    shown.take(JSON.stringify(TICK))

    expect((await both).map(({ kind }) => kind)).toEqual(['completed', 'skipped'])
  })
})

describe('the screen', () => {
  it('speaks to people on stderr when stdout is for programs', () => {
    const { texts, stdout, stderr } = outputs()
    const screen = openScreen({ isJson: true, environment: {}, outputs: { stdout, stderr } })

    screen.say('hello', 'people')
    screen.raw('{}')

    expect(texts).toEqual({ stdout: '{}\n', stderr: 'hello\npeople\n' })
  })

  const colours: { isTerminal: boolean; environment: Record<string, string>; expected: boolean }[] = [
    { isTerminal: true, environment: {}, expected: true },
    { isTerminal: true, environment: { NO_COLOR: '' }, expected: true },
    { isTerminal: true, environment: { NO_COLOR: '1' }, expected: false },
    { isTerminal: true, environment: { TERM: 'dumb' }, expected: false },
    { isTerminal: false, environment: {}, expected: false },
  ]
  it.each(colours)('has colours: $expected, on a terminal: $isTerminal, with $environment', row => {
    expect(isColoured(row.isTerminal, row.environment)).toBe(row.expected)
  })
})

describe('a duration', () => {
  it.each([
    [0, '0 ms'],
    [84.4, '84 ms'],
    [999, '999 ms'],
    [1_000, '1.0 s'],
    [28_999, '28.9 s'],
    [59_999, '59.9 s'],
    [60_000, '1 min'],
    [252_000, '4 min 12 s'],
  ])('of %d ms reads %s', (ms, text) => {
    expect(describeMs(ms)).toBe(text)
  })
})
