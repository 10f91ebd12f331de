// docs/performance.md: the last run, with its machine.

import { writeFile } from 'node:fs/promises'
import type { Machine } from './machine.ts'
import type { Report } from './report.ts'
import { markdownReport, wrapped } from './table.ts'

const DOCUMENT = new URL('../../docs/performance.md', import.meta.url)

/** Writes the document. */
export async function writeDocument(machine: Machine, reports: readonly Report[]): Promise<void> {
  await writeFile(DOCUMENT, toDocument(machine, reports))
}

/** The document's text. */
export function toDocument(machine: Machine, reports: readonly Report[]): string {
  const { at, commit, node, platform, cpu, cores, memoryGiB } = machine
  const aims = reports.flatMap(report => report.aims)
  const missed = aims.filter(({ isMet }) => !isMet)
  const lines = [
    '# Performance',
    '',
    ...wrapped(
      `Measured on ${at} at commit ${commit}, on Node ${node} (${platform}), ${cpu}, ${cores} cores, ${memoryGiB} GiB. ` +
        'Written by `npm run bench -- --write`; `npm run bench -- --help` tells what else it can do.',
      '',
    ),
    '',
    ...wrapped(
      'Each figure is a median, with the least and the greatest measured in brackets. The machine did other work at the same ' +
        'time, so that times vary; whatever is compared was measured in turn in one run, and ratios are taken pair by pair.',
      '',
    ),
    '',
    `${aims.length - missed.length} of ${aims.length} aims are met.${missed.length > 0 ? ' Missed:' : ''}`,
    ...missed.flatMap(({ aim, measured }) => wrapped(`- ${aim}: ${measured}`, '  ')),
    ...reports.flatMap(report => ['', ...markdownReport(report)]),
  ]
  return `${lines.join('\n')}\n`
}
