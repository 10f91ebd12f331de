// Plays the seeds that it is told of, in a thread of its own, and adds up what came out.

import { parentPort } from 'node:worker_threads'
import { addVerdict, emptyFindings, type Findings } from './findings.ts'
import { play } from './schedule.ts'

/** What the main thread asks for: seeds from `from`, before `to`; up to the first failure, if asked. */
export interface Batch {
  readonly from: number
  readonly to: number
  readonly untilFailure: boolean
}

/** What a worker answers. */
export interface BatchResult {
  readonly batch: Batch
  readonly findings: Findings
}

parentPort?.on('message', async (batch: Batch) => {
  const findings = emptyFindings()
  for (let seed = batch.from; seed < batch.to; seed++) {
    addVerdict(findings, await play(seed))
    if (batch.untilFailure && findings.failures.length > 0) break
  }
  parentPort?.postMessage({ batch, findings } satisfies BatchResult)
})
