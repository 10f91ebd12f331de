// Sample objects: every YAML file of a folder, with instants written relative to now. `{{now}}`, `{{now-3m}}`, `{{now+1h30m}}` and
// `{{now-30d}}` become RFC 3339 UTC to the second; a value may be nothing but such a mark.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'

const UNIT_MS: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/**
 * Reads the objects of a folder's `.yaml` files, in the order of the file names and of the documents in them.
 * @param nowMs the instant that `now` stands for, ms since the epoch
 * @throws Error – naming the file, for YAML that does not parse or a mark that is not understood
 */
export function loadSamples(dir: string, nowMs: number): object[] {
  const files = readdirSync(dir)
    .filter(file => file.endsWith('.yaml'))
    .sort()
  return files.flatMap(file => {
    const text = readFileSync(join(dir, file), 'utf8').replace(/\{\{(.*?)\}\}/g, (_, mark: string) =>
      toInstant(mark.trim(), nowMs, file),
    )
    return parseAllDocuments(text).map(document => {
      const [error] = document.errors
      if (error !== undefined) throw new Error(`${file}: ${error.message}`)
      return document.toJS() as object
    })
  })
}

function toInstant(mark: string, nowMs: number, file: string): string {
  const match = /^now(?:([+-])((?:\d+[smhd])+))?$/.exec(mark)
  if (match === null)
    throw new Error(`${file}: {{${mark}}} is not an instant; write {{now}}, {{now-3m}} or {{now+1h30m}}`)
  const parts = [...(match[2] ?? '').matchAll(/(\d+)([smhd])/g)]
  const offsetMs = parts.reduce((sum, [, count, unit]) => sum + Number(count) * (UNIT_MS[unit as string] ?? 0), 0)
  return `${new Date(nowMs + (match[1] === '-' ? -offsetMs : offsetMs)).toISOString().slice(0, 19)}Z`
}
