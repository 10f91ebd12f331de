// `npm run bench`: measures Fencepost on this machine, part by part, and prints what came out.

import { createPaint, isColoured } from '../../infra/local/terminal/paint.ts'
import { UsageError } from '../../infra/local/world/options.ts'
import { writeDocument } from './document.ts'
import { inChild } from './in-child.ts'
import { describeMachine } from './machine.ts'
import { HELP, type Options, PARTS, type PartName, readOptions } from './options.ts'
import { bundles } from './parts/bundles.ts'
import { coldStart } from './parts/cold-start.ts'
import { contention } from './parts/contention.ts'
import { cost } from './parts/cost.ts'
import { fence } from './parts/fence.ts'
import { memory } from './parts/memory.ts'
import { throughput } from './parts/throughput.ts'
import { openProgress } from './progress.ts'
import type { Part, Report } from './report.ts'
import { renderReport } from './table.ts'

const RUN: Readonly<Record<PartName, Part>> = {
  calls: inChild('calls'),
  fence,
  throughput,
  memory,
  'cold-start': coldStart,
  bundles,
  'take-over': inChild('take-over'),
  contention,
  providers: inChild('providers'),
  clusters: inChild('clusters'),
  cost,
}

async function main(options: Options): Promise<void> {
  if (options.isHelp) return console.log(HELP)
  const people = options.isJson ? process.stderr : process.stdout
  const paint = createPaint(isColoured(people.isTTY === true, process.env))
  const progress = openProgress(process.stderr, process.env)
  const say = (lines: readonly string[]) => people.write(`${lines.join('\n')}\n`)

  const machine = await describeMachine()
  const { commit, node, cpu, cores, memoryGiB } = machine
  say([paint.faint(`Node ${node} · ${cpu}, ${cores} cores, ${memoryGiB} GiB · commit ${commit}`)])
  if (options.isQuick) say([paint.careful('a quick run: tiny sizes, its numbers mean nothing')])
  const reports: Report[] = []
  for (const name of options.only) {
    const report = await RUN[name]({ ...options, progress }).finally(() => progress.end())
    reports.push(report)
    say(renderReport(report, paint))
  }
  if (options.isJson) console.log(JSON.stringify({ machine, reports }, null, 2))
  if (!options.isWrite) return
  await writeDocument(machine, reports)
  say(['', `docs/performance.md holds all ${PARTS.length} parts of this run`])
}

try {
  await main(readOptions(process.argv.slice(2), process.env))
} catch (error) {
  console.error(error instanceof UsageError ? error.message : error)
  process.exitCode = error instanceof UsageError ? 2 : 1
}
