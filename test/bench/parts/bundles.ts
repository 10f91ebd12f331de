// Sizes of what is deployed, and what is in it.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { type Bundles, withBundles } from '../bundled.ts'
import { contentsOf } from '../contents.ts'
import type { Report, Setting, Table } from '../report.ts'

const SHOWN = 8

/** Bytes of each function and chunk, raw and compressed, and of each package in them. */
export async function bundles({ progress }: Setting): Promise<Report> {
  progress.begin('bundling', 1)
  return await withBundles(async bundles => ({
    title: 'What is deployed',
    how: 'Bundles as they are packaged, minified; gzip at its default level. A function is deployed with both chunks and loads those that its settings ask for.',
    tables: [await sizes(bundles), ...outputsOf(bundles).map(output => contents(bundles, output))],
    aims: [],
    dominates:
      'zod, of which a function needs its parsers, and what is ours. The chunks are libraries whole: tree-shaking finds little to ' +
      'leave out of a generated API client.',
  }))
}

function outputsOf({ metafile }: Bundles): string[] {
  return Object.keys(metafile.outputs).filter(output => output.endsWith('.cjs'))
}

async function sizes(bundles: Bundles): Promise<Table> {
  const rows = outputsOf(bundles).map(async output => {
    const bytes = await readFile(join(bundles.root, output))
    return [nameOf(output), kilobytes(bytes.length), kilobytes(gzipSync(bytes).length)]
  })
  return { title: 'Sizes', columns: ['file', 'raw', 'gzip'], rows: await Promise.all(rows) }
}

function contents(bundles: Bundles, output: string): Table {
  const all = contentsOf(bundles.metafile.outputs[output]?.inputs ?? {})
  const whole = all.reduce((sum, { bytes }) => sum + bytes, 0)
  const others = all.slice(SHOWN)
  const row = (name: string, bytes: number) => [name, kilobytes(bytes), `${((bytes / whole) * 100).toFixed(1)} %`]
  return {
    title: `In ${nameOf(output)}`,
    columns: ['package', 'raw', 'share'],
    rows: [
      ...all.slice(0, SHOWN).map(({ name, bytes }) => row(name, bytes)),
      ...(others.length > 0
        ? [
            row(
              `${others.length} others`,
              others.reduce((sum, { bytes }) => sum + bytes, 0),
            ),
          ]
        : []),
    ],
  }
}

function nameOf(output: string): string {
  return output.replace(/^dist\//, '')
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1_000).toFixed(1)} kB`
}
