import { describe, expect, it } from 'vitest'
import { createPaint } from '../../../infra/local/terminal/paint.ts'
import type { Report } from '../../bench/report.ts'
import { formatCell, formatNumber, markdownReport, renderReport, renderTable, wrapped } from '../../bench/table.ts'

const plain = createPaint(false)
const table = {
  title: 'Sizes',
  columns: ['file', 'raw'],
  rows: [
    ['cleanup.cjs', { median: 84.25, min: 80, max: 91, unit: 'ms' }],
    ['x', 1_234_567],
  ],
} as const

const report: Report = {
  title: 'Cold start',
  how: 'Twenty rounds.',
  tables: [table],
  aims: [
    { aim: 'fast', measured: '1 ms', isMet: true, wouldTake: 'nothing' },
    { aim: 'small', measured: '2 MB', isMet: false, wouldTake: 'less.' },
  ],
  dominates: 'JavaScript.',
}

describe('a number', () => {
  it.each([
    [0.012345, '0.0123'],
    [4.5678, '4.57'],
    [99.96, '100'],
    [123.4, '123'],
    [1_234.5, '1 235'],
    [1_234_567, '1 234 567'],
    [50, '50'],
    [0, '0'],
  ])('%d is told as %s', (value, text) => {
    expect(formatNumber(value)).toBe(text)
  })
})

describe('a cell', () => {
  it.each([
    ['a word', 'held', 'held'],
    ['a count', 1_000, '1 000'],
    ['measurements with a unit', { median: 84.2, min: 80, max: 91, unit: 'ms' }, '84.2 ms (80–91)'],
    ['measurements that were all the same', { median: 3, min: 3, max: 3, unit: '' }, '3'],
    ['a rate', { median: 500, min: 400, max: 600, unit: '/s' }, '500/s (400–600)'],
    ['dollars', { median: 0.5, min: 0.5, max: 0.5, unit: '$' }, '$0.5'],
  ] as const)('shows %s', (_, cell, text) => {
    expect(formatCell(cell)).toBe(text)
  })
})

describe('a table', () => {
  it('is plain lines in columns, figures at the right, nothing behind the last', () => {
    expect(renderTable(table, plain)).toEqual([
      'Sizes',
      '  file                     raw',
      '  cleanup.cjs  84.3 ms (80–91)',
      '  x                  1 234 567',
    ])
  })

  it('has escape sequences only where it is painted', () => {
    const sequence = '\u001b['
    expect(renderTable(table, plain).join('')).not.toContain(sequence)
    expect(renderTable(table, createPaint(true)).join('')).toContain(sequence)
  })
})

describe('a report', () => {
  it('tells of each aim whether it is met, and what it would take only where it is not', () => {
    const text = renderReport(report, plain).join('\n')
    expect(text).toContain('met  fast: 1 ms')
    expect(text).toContain('missed  small: 2 MB\nIt would take: less.')
    expect(text).not.toContain('nothing')
  })

  it('is a section of Markdown', () => {
    expect(markdownReport(report)).toEqual([
      '## Cold start',
      '',
      'Twenty rounds.',
      '',
      '**Sizes**',
      '',
      '| file | raw |',
      '| --- | ---: |',
      '| cleanup.cjs | 84.3 ms (80–91) |',
      '| x | 1 234 567 |',
      '',
      'JavaScript.',
      '',
      '- Aim: fast. Measured: 1 ms. **Met.**',
      '- Aim: small. Measured: 2 MB. **Missed.** It would take: less.',
    ])
  })
})

describe('wrapped', () => {
  it('breaks between words at 120 characters and indents what follows', () => {
    const lines = wrapped(Array.from({ length: 60 }, () => 'word').join(' '), '  ')
    expect(lines.length).toBe(3)
    expect(lines.every(line => line.length <= 120)).toBe(true)
    expect(lines[1]).toMatch(/^ {2}word/)
  })
})
