import { describe, expect, it } from 'vitest'
import { parseLine, type Tick } from '../../../../infra/local/terminal/log-lines.ts'
import { createPaint } from '../../../../infra/local/terminal/paint.ts'
import { renderTick } from '../../../../infra/local/terminal/tick-table.ts'

const plain = createPaint(false)

/** The log line of a tick that changed two sessions, as the functions write it. */
const LINE = {
  level: 'INFO',
  message: 'tick',
  timestamp: '2026-11-21T07:05:00.123Z',
  service: 'fencepost',
  kind: 'completed',
  loop: 'cleanup',
  tick: '2026-11-21T07:05:00Z',
  token: 42,
  settled: false,
  counts: { observed: 12, planned: 2, changed: 2, unchanged: 0, failed: 0 },
  changes: [
    {
      object: 'breakglass-system/prod-admin-x7f2',
      from: 'Approved',
      to: 'Expired',
      reason: 'timeExpired',
      note: 'ended 3 min ago',
    },
    {
      object: 'breakglass-system/prod-dba-2k9q',
      from: 'WaitingForScheduledTime',
      to: 'Approved',
      reason: 'activated',
      note: 'start 07:04:30Z reached',
    },
  ],
  failures: [],
  missedTicks: 0,
  durationMs: 84,
  budgetLeftMs: 28_912,
  shutdownErrors: [],
}

function tick(differs: object = {}): Tick {
  const line = parseLine(JSON.stringify({ ...LINE, ...differs }))
  if (line.kind !== 'tick') throw new Error(`not a tick line: ${line.text}`)
  return line.tick
}

const render = (differs: object = {}) => renderTick(tick(differs), plain)

describe('the table of a tick', () => {
  it('has an aligned row for each change and tells how it ended', () => {
    expect(render()).toEqual([
      'cleanup  tick 07:05:00Z  token 42  acted in breakglass-system',
      '  prod-admin-x7f2  Approved → Expired                  timeExpired  ended 3 min ago',
      '  prod-dba-2k9q    WaitingForScheduledTime → Approved  activated    start 07:04:30Z reached',
      '  completed in 84 ms · 12 observed · 2 changed · 0 failed · 28.9 s of budget left',
    ])
  })

  it('keeps the namespaces in the rows when there are several', () => {
    const [first, second] = LINE.changes
    const lines = render({ changes: [first, { ...second, object: 'team-a/prod-dba-2k9q' }] })

    expect(lines[0]).toBe('cleanup  tick 07:05:00Z  token 42  acted')
    expect(lines[1]).toMatch(/^ {2}breakglass-system\/prod-admin-x7f2 {2}Approved/)
    expect(lines[2]).toMatch(/^ {2}team-a\/prod-dba-2k9q {15}Waiting/)
  })

  it('says so when there was nothing to do', () => {
    expect(render({ changes: [], counts: { ...LINE.counts, planned: 0, changed: 0 } })).toEqual([
      'cleanup  tick 07:05:00Z  token 42  found nothing to do',
      '  completed in 84 ms · 12 observed · 0 changed · 0 failed · 28.9 s of budget left',
    ])
  })

  it('names a run by hand by the beginning of its id', () => {
    expect(render({ tick: 'manual/5e0c26a2-7f0e-4be5-9b3f-4a1b' })[0]).toMatch(
      /^cleanup {2}manual 5e0c26a2… {2}token 42/,
    )
  })

  it('counts the changes that the outcome does not list', () => {
    expect(render({ counts: { ...LINE.counts, changed: 250 } })).toContain('  … and 248 more changes')
  })

  it('shows a state that was never set as -', () => {
    const [first] = LINE.changes
    expect(render({ changes: [{ ...first, from: '' }] })[1]).toContain('- → Expired')
  })

  const endings: { title: string; differs: object; head: RegExp; last: string }[] = [
    {
      title: 'a yielded tick says that the next one goes on',
      differs: { kind: 'yielded', durationMs: 70_050, budgetLeftMs: 0 },
      head: /yielded in breakglass-system$/,
      last: '  yielded after 1 min 10 s · 12 observed · 2 changed · 0 failed · the next tick goes on from here',
    },
    {
      title: 'a tick that was stopped says by what',
      differs: { kind: 'yielded', stoppedBy: 'SIGTERM' },
      head: /yielded/,
      last: '  yielded after 84 ms · 12 observed · 2 changed · 0 failed · stopped by SIGTERM · the next tick goes on from here',
    },
    {
      title: 'a fenced tick says that another has taken over',
      differs: { kind: 'fenced', stoppedBy: 'lease lost' },
      head: /token 42 {2}fenced in/,
      last: '  fenced after 84 ms · 12 observed · 2 changed · 0 failed · stopped by lease lost · another holder has taken over',
    },
    {
      title: 'a failed tick counts what failed',
      differs: { kind: 'failed', counts: { ...LINE.counts, failed: 1 } },
      head: /token 42 {2}failed in/,
      last: '  failed after 84 ms · 12 observed · 2 changed · 1 failed · 28.9 s of budget left',
    },
  ]
  it.each(endings)('$title', ({ differs, head, last }) => {
    const lines = render(differs)

    expect(lines[0]).toMatch(head)
    expect(lines.at(-1)).toBe(last)
  })

  it('lists every object that failed, in the same namespace', () => {
    const failures = [
      { object: 'breakglass-system/prod-odd-1', code: 'InvalidResource', message: 'spec.user: a number' },
    ]

    expect(render({ kind: 'failed', failures, counts: { ...LINE.counts, failed: 3 } }).slice(3, 5)).toEqual([
      '  prod-odd-1  InvalidResource  spec.user: a number',
      '  … and 2 more failures',
    ])
  })

  const remarks: { title: string; differs: object; remark: string }[] = [
    {
      title: 'an error of the whole tick',
      differs: { kind: 'failed', error: { code: 'LeaseMissing', message: 'Lease a/b does not exist' } },
      remark: '  LeaseMissing  Lease a/b does not exist',
    },
    {
      title: 'whom it took over from',
      differs: { tookOverFrom: 'fencepost-cleanup/r1/n1' },
      remark: '  took over from fencepost-cleanup/r1/n1, whose term had ended',
    },
    {
      title: 'a settle',
      differs: { settled: true },
      remark: '  waited first, until no write of the term before could still be in flight',
    },
    {
      title: 'one missed tick',
      differs: { missedTicks: 1 },
      remark: '  1 tick before it never completed; it did their work',
    },
    {
      title: 'missed ticks',
      differs: { missedTicks: 3 },
      remark: '  3 ticks before it never completed; it did their work',
    },
    {
      title: 'changes without an answer',
      differs: { abandoned: 2 },
      remark: '  2 changes cut off unanswered; the next tick waits before it begins',
    },
    {
      title: 'a shutdown handler that failed',
      differs: { shutdownErrors: ['metrics: timed out'] },
      remark: '  shutdown  metrics: timed out',
    },
  ]
  it.each(remarks)('tells about $title', ({ differs, remark }) => {
    expect(render(differs)).toContain(remark)
  })

  const skips: { reason: string; differs?: object; line: string }[] = [
    { reason: 'already-completed', line: 'already completed by token 42' },
    {
      reason: 'held',
      differs: { holder: 'fencepost-cleanup/r1/n1' },
      line: 'held by fencepost-cleanup/r1/n1 with token 42',
    },
    { reason: 'superseded', line: 'a newer tick is completed already' },
    { reason: 'suspended', line: 'suspended by hand; resume it with {"loop":"cleanup","action":"resume"}' },
    { reason: 'too-late', differs: { token: undefined }, line: 'delivered too late; the next tick does its work' },
    {
      reason: 'insufficient-time',
      differs: { token: undefined },
      line: 'too little of the invocation’s time was left to begin',
    },
    {
      reason: 'upstream-active',
      differs: { token: undefined, holder: 'breakglass-7d9c' },
      line: 'breakglass-7d9c leads upstream; nothing is written beside it',
    },
    { reason: 'disabled', differs: { token: undefined }, line: 'this loop is switched off' },
    { reason: 'a-reason-of-tomorrow', line: 'a-reason-of-tomorrow' },
  ]
  it.each(skips)('shows a tick that was skipped as $reason in one line', ({ reason, differs, line }) => {
    expect(render({ kind: 'skipped', reason, ...differs })).toEqual([`cleanup  tick 07:05:00Z  skipped  ${line}`])
  })

  it('is aligned by what is seen when it is coloured', () => {
    const coloured = renderTick(tick(), createPaint(true))
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is looked for.
    const seen = coloured.map(line => line.replace(/\u001b\[\d+m/g, ''))

    expect(coloured.join('')).toContain('\u001b[32m')
    expect(seen).toEqual(render())
  })

  it('lets no text of an object move the cursor', () => {
    const counts = { ...LINE.counts, changed: 0, failed: 1 }
    const failures = [{ object: 'a/b', code: 'Odd', message: 'line one\nline two\u001b[2J' }]

    expect(render({ kind: 'failed', failures, changes: [], counts })[1]).toBe('  b  Odd  line one line two [2J')
  })
})
