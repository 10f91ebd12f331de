import { describe, expect, it } from 'vitest'
import { createWorkers } from '../../../lib/tick/workers.ts'

const open = new AbortController().signal

/** Tasks that end when their gate is opened. */
function gatedWork() {
  const gates = new Map<number, () => void>()
  const started: number[] = []
  const work = (task: number) =>
    new Promise<void>(resolve => {
      started.push(task)
      gates.set(task, resolve)
    })
  return { work, started, finish: (task: number) => gates.get(task)?.() }
}

const turn = () => new Promise(resolve => setImmediate(resolve))

describe('workers', () => {
  it('run every task, in their order, at most 3 at a time', async () => {
    const { work, started, finish } = gatedWork()
    const workers = createWorkers(3)
    const running = workers.run([1, 2, 3, 4, 5], work, open)
    await turn()
    expect([started, workers.active()]).toEqual([[1, 2, 3], 3])
    finish(2)
    await turn()
    expect(started).toEqual([1, 2, 3, 4])
    for (const task of [1, 3, 4]) finish(task)
    await turn()
    finish(5)
    await running
    expect([started, workers.active()]).toEqual([[1, 2, 3, 4, 5], 0])
  })

  it('start nothing more once admission ended, and return while tasks are in flight', async () => {
    const { work, started, finish } = gatedWork()
    const workers = createWorkers(2)
    const ended = new AbortController()
    const running = workers.run([1, 2, 3], work, ended.signal)
    await turn()
    ended.abort()
    await running
    expect([started, workers.active()]).toEqual([[1, 2], 2])
    finish(1)
    finish(2)
    await workers.idle()
    expect([started, workers.active()]).toEqual([[1, 2], 0])
  })

  it('start nothing at all after admission ended', async () => {
    const { work, started } = gatedWork()
    await createWorkers(2).run([1, 2], work, AbortSignal.abort())
    expect(started).toEqual([])
  })

  it('leave no listener on the signal after 50 pages', async () => {
    const ended = new AbortController()
    const workers = createWorkers(2)
    const warnings: string[] = []
    const listen = (warning: Error) => warnings.push(warning.name)
    process.on('warning', listen)
    for (let page = 0; page < 50; page++) await workers.run([1, 2], async () => {}, ended.signal)
    await turn()
    process.off('warning', listen)
    expect(warnings).toEqual([])
  })
})
