import { describe, expect, it } from 'vitest'
import { toDocument } from '../../bench/document.ts'

const machine = {
  at: '2026-11-21',
  commit: 'abc1234',
  node: 'v24.21.0',
  platform: 'linux x64',
  cpu: 'Fast',
  cores: 2,
  memoryGiB: 24,
}
const report = { title: 'Calls', how: 'Counted.', tables: [], dominates: 'Lists.' }

describe('the document', () => {
  it('begins with the machine, the commit and the aims that are missed', () => {
    const aims = [
      { aim: 'few', measured: '3', isMet: true },
      { aim: 'fewer', measured: '9', isMet: false, wouldTake: 'work.' },
    ]
    const lines = toDocument(machine, [{ ...report, aims }]).split('\n')
    expect(lines.slice(0, 4).join(' ')).toContain(
      'on 2026-11-21 at commit abc1234, on Node v24.21.0 (linux x64), Fast, 2 cores, 24 GiB.',
    )
    expect(lines).toContain('1 of 2 aims are met. Missed:')
    expect(lines).toContain('- fewer: 9')
    expect(lines).toContain('## Calls')
  })

  it('has nothing missed to tell of where all aims are met', () => {
    expect(toDocument(machine, [{ ...report, aims: [] }])).toContain('0 of 0 aims are met.\n\n## Calls')
  })
})
