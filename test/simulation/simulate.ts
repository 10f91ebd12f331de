// The command: explores schedules on all cores, or shows one, or looks for the known bugs.

import { writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import Table from 'cli-table3'
import { createPaint, isColoured } from '../../infra/local/terminal/paint.ts'
import { openProgress } from '../bench/progress.ts'
import { bundle } from './bundle.ts'
import { explore } from './explore.ts'
import { MUTANTS } from './mutants.ts'
import { type Detection, detect, documentOf, rowOf } from './mutation.ts'
import { HELP, type Options, readOptions, UsageError } from './options.ts'
import { missedIn, type Run, renderRun, runAsJson } from './report.ts'
import { play } from './schedule.ts'

const paint = createPaint(isColoured(process.stdout.isTTY === true, process.env))
const progress = openProgress(process.stderr, process.env)
/** Parts that the bar is cut into. */
const STEPS = 200

async function simulate(options: Options): Promise<number> {
  if (options.isMutants) return await lookForMutants(options)
  if (options.isTrace) return await show(options)
  const { from, seeds, threads, isJson } = options
  const path = await bundle()
  const startedMs = performance.now()
  let step = 0
  progress.begin('schedules', Math.min(STEPS, seeds))
  const { played, ...findings } = await explore({
    path,
    from,
    seeds,
    threads,
    untilFailure: false,
    onProgress: done => {
      for (; step < Math.floor((done / seeds) * Math.min(STEPS, seeds)); step++) progress.step()
    },
  })
  progress.end()
  const run: Run = { findings, played, elapsedMs: performance.now() - startedMs }
  console.log(isJson ? JSON.stringify(runAsJson(run), null, 2) : renderRun(run, paint).join('\n'))
  return findings.failures.length + missedIn(run).length > 0 ? 1 : 0
}

async function show({ from, seeds }: Options): Promise<number> {
  let broken = 0
  for (let seed = from; seed < from + seeds; seed++) {
    const { violations } = await play(seed, line => console.log(line))
    for (const { invariant, detail } of violations) console.log(paint.bad(`${invariant}: ${detail}`))
    if (violations.length === 0) console.log(paint.good(`seed ${seed}: every invariant held`))
    broken += violations.length
  }
  return broken > 0 ? 1 : 0
}

async function lookForMutants({ from, seeds, threads, isJson, isWrite }: Options): Promise<number> {
  const detections: Detection[] = []
  progress.begin('bugs', MUTANTS.length)
  for (const mutant of MUTANTS) {
    detections.push(await detect(mutant, { from, seeds, threads }))
    progress.step()
  }
  progress.end()
  if (isJson)
    console.log(
      JSON.stringify(
        detections.map(({ mutant, ...found }) => ({ bug: mutant.name, ...found })),
        null,
        2,
      ),
    )
  else {
    const table = new Table({
      head: ['bug', 'what the code then does', 'schedules until found', 'by'],
      style: { head: [], border: [] },
    })
    table.push(...detections.map(rowOf))
    console.log(table.toString())
  }
  if (isWrite) await writeFile('docs/simulation.md', documentOf(detections, seeds))
  return detections.every(({ seeds }) => seeds !== undefined) ? 0 : 1
}

try {
  const options = readOptions(process.argv.slice(2), availableParallelism())
  if (options.isHelp) console.log(HELP)
  else process.exitCode = await simulate(options)
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  console.error(error.message)
  process.exitCode = 2
}
