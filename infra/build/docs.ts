// Writes the parts of the README that are made from code: `npm run docs`. A test holds the README to them.

import { readFileSync, writeFileSync } from 'node:fs'
import { argv } from 'node:process'
import { fileURLToPath } from 'node:url'
import * as z from 'zod'
import { SETTINGS } from '../../lib/config.ts'
import { COUNTERPARTS } from './counterparts.ts'

/** What a variable's JSON schema tells. */
interface Setting {
  readonly description?: string
  readonly default?: unknown
  readonly unit?: string
}

/** The environment variables, in the schema's order. */
export function settingsTable(): string {
  const { properties = {} } = z.toJSONSchema(SETTINGS, { io: 'input', unrepresentable: 'any' })
  const rows = Object.entries(properties as Record<string, Setting>).map(([name, setting]) => [
    `\`${name}\``,
    setting.default === undefined ? '' : `\`${setting.default}\``,
    setting.unit ? `${setting.description} (${setting.unit})` : `${setting.description}`,
  ])
  return table(['variable', 'default', 'what it does'], rows)
}

/** The settings of the controllers that Fencepost replaces, and what they are here. */
export function counterpartsTable(): string {
  return table(
    ['there', 'here'],
    COUNTERPARTS.map(({ there, here }) => [there.map(spelling => `\`${spelling}\``).join(', '), here]),
  )
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

/**
 * Replaces what stands between the marks `<!-- name:begin -->` and `<!-- name:end -->`.
 * @throws Error – when a mark is missing.
 */
export function withParts(text: string, parts: Readonly<Record<string, string>>): string {
  return Object.entries(parts).reduce((whole, [name, part]) => {
    const marks = new RegExp(`(<!-- ${name}:begin -->\\n)[\\s\\S]*?(\\n<!-- ${name}:end -->)`)
    if (!marks.test(whole)) throw new Error(`the marks <!-- ${name}:begin --> and <!-- ${name}:end --> are missing`)
    return whole.replace(marks, (_, begin: string, end: string) => `${begin}${part}${end}`)
  }, text)
}

/** The README's parts by the names of their marks. */
export function readmeParts(): Record<string, string> {
  return { settings: settingsTable(), counterparts: counterpartsTable() }
}

/** Where the README is. */
export const README = fileURLToPath(new URL('../../README.md', import.meta.url))

if (argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(README, withParts(readFileSync(README, 'utf8'), readmeParts()))
