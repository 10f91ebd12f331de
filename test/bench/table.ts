// Tables for a terminal, plain or coloured, and for a document.

import CliTable from 'cli-table3'
import type { Paint } from '../../infra/local/terminal/paint.ts'
import type { Aim, Cell, Report, Table } from './report.ts'
import type { Spread } from './statistics.ts'

const NO_LINES = Object.fromEntries(
  ['top', 'bottom', 'mid'].flatMap(place => ['', '-mid', '-left', '-right'].map(end => [`${place}${end}`, ''])),
)
const SPACES = { ...NO_LINES, left: '', 'left-mid': '', 'mid-mid': '', right: '', 'right-mid': '', middle: '  ' }

/** A table's lines: the title, the columns' heads, and a row per line without trailing spaces. */
export function renderTable({ title, columns, rows }: Table, paint: Paint): string[] {
  const table = new CliTable({
    head: columns.map(paint.faint),
    chars: SPACES,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [], compact: true },
    colAligns: columns.map((_, i) => (i === 0 ? 'left' : 'right')),
  })
  table.push(...rows.map(row => row.map(formatCell)))
  const lines = table.toString().split('\n')
  return [paint.strong(title), ...lines.map(line => `  ${line.trimEnd()}`)]
}

/** A whole report for a terminal. */
export function renderReport({ title, how, tables, aims, dominates }: Report, paint: Paint): string[] {
  return [
    '',
    paint.strong(`── ${title}`),
    ...wrapped(how, '').map(paint.faint),
    ...tables.flatMap(table => ['', ...renderTable(table, paint)]),
    '',
    ...wrapped(dominates, ''),
    ...aims.flatMap(aim => renderAim(aim, paint)),
  ]
}

function renderAim(aim: Aim, paint: Paint): string[] {
  const verdict = aim.isMet ? paint.good('met') : paint.bad('missed')
  const line = `${verdict}  ${aim.aim}: ${aim.measured}`
  return [line, ...(aim.isMet || !aim.wouldTake ? [] : wrapped(`It would take: ${aim.wouldTake}`, '  '))]
}

/** A whole report as a section of a Markdown document. */
export function markdownReport({ title, how, tables, aims, dominates }: Report): string[] {
  return [
    `## ${title}`,
    '',
    ...wrapped(how, ''),
    ...tables.flatMap(table => ['', ...markdownTable(table)]),
    '',
    ...wrapped(dominates, ''),
    ...(aims.length > 0 ? ['', ...aims.flatMap(aim => wrapped(`- ${markdownAim(aim)}`, '  '))] : []),
  ]
}

function markdownTable({ title, columns, rows }: Table): string[] {
  const line = (cells: readonly string[]) => `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`
  const rule = columns.map((_, i) => (i === 0 ? '---' : '---:'))
  return [`**${title}**`, '', line(columns), line(rule), ...rows.map(row => line(row.map(formatCell)))]
}

function markdownAim({ aim, measured, isMet, wouldTake }: Aim): string {
  const rest = isMet || !wouldTake ? '' : ` It would take: ${wouldTake}`
  return `Aim: ${aim}. Measured: ${measured}. **${isMet ? 'Met' : 'Missed'}.**${rest}`
}

const WIDTH = 120

/** Breaks a text into lines of at most 120 characters; those after the first begin with `indent`. */
export function wrapped(text: string, indent: string): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line && line.length + 1 + word.length > WIDTH) {
      lines.push(line)
      line = `${indent}${word}`
    } else line = line ? `${line} ${word}` : word
  }
  return [...lines, line]
}

/** `84 ms (80–91)`, or the one figure where all were the same; a count or word as it is. */
export function formatCell(cell: Cell): string {
  if (typeof cell === 'string') return cell
  if (typeof cell === 'number') return formatNumber(cell)
  const [median, min, max] = [cell.median, cell.min, cell.max].map(value => formatNumber(value))
  const range = min === max ? '' : ` (${min}–${max})`
  return `${withUnit(cell, median as string)}${range}`
}

function withUnit({ unit }: Spread, figure: string): string {
  if (unit === '$') return `$${figure}`
  if (unit === 'x' || unit === '/s') return `${figure}${unit}`
  return unit === '' ? figure : `${figure} ${unit}`
}

/** Three significant digits, thousands apart by a space: `0.0123`, `4.56`, `78.9`, `1 234`. */
export function formatNumber(value: number): string {
  if (Number.isInteger(value) || Math.abs(value) >= 100)
    return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ' ')
  return String(Number(value.toPrecision(3)))
}
