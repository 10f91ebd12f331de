// Many seeds on several threads.

import { Worker } from 'node:worker_threads'
import { addFindings, emptyFindings, type Findings } from './findings.ts'
import type { Batch, BatchResult } from './worker.ts'

/** Seeds that a worker plays before it tells of them. */
const BATCH = 50

/** What is to be explored. */
export interface Exploration {
  /** The built worker, see `bundle`. */
  readonly path: string
  readonly from: number
  readonly seeds: number
  readonly threads: number
  /** Ends with the first seed that fails. */
  readonly untilFailure: boolean
  readonly onProgress?: (played: number, failures: number) => void
}

/** Plays the seeds; with `untilFailure`, no failing seed is before the one that is found. */
export async function explore(exploration: Exploration): Promise<Findings & { readonly played: number }> {
  const { path, from, seeds, threads, untilFailure, onProgress } = exploration
  const findings = emptyFindings()
  let next = from
  let played = 0
  const end = from + seeds

  function nextBatch(): Batch | undefined {
    const isFound = untilFailure && findings.failures.length > 0
    if (next >= end || isFound) return undefined
    const batch = { from: next, to: Math.min(next + BATCH, end), untilFailure }
    next = batch.to
    return batch
  }

  async function work(): Promise<void> {
    const worker = new Worker(path)
    try {
      await new Promise<void>((resolve, reject) => {
        const feed = () => {
          const batch = nextBatch()
          if (batch) worker.postMessage(batch)
          else resolve()
        }
        worker.on('error', reject)
        worker.on('exit', code => reject(new Error(`a worker ended with code ${code}`)))
        worker.on('message', (result: BatchResult) => {
          addFindings(findings, result.findings)
          played += result.findings.explored.schedules ?? 0
          onProgress?.(played, findings.failures.length)
          feed()
        })
        feed()
      })
    } finally {
      await worker.terminate()
    }
  }

  await Promise.all(Array.from({ length: threads }, work))
  return { ...findings, played }
}
