import { describe, expect, it } from 'vitest'
import { PermanentError } from '../../../lib/errors.ts'
import { cutStages, DEFAULT_STAGES, type Stages } from '../../../lib/tick/budget.ts'
import { type Shutdown, type ShutdownHandler, walkStages } from '../../../lib/tick/shutdown.ts'
import { createWorkers } from '../../../lib/tick/workers.ts'
import { manualClock } from '../../support/clock.ts'
import { recordingLog } from '../../support/log.ts'

/** Waits 30 s, drains 10 s, 5 s for each of two handlers. */
const stages = cutStages(900_000, DEFAULT_STAGES, 2) as Stages

function shutdownOf(change: Partial<Shutdown> = {}) {
  const clock = manualClock()
  const log = recordingLog()
  const aborted = new AbortController()
  const shutdown: Shutdown = {
    stages,
    workers: createWorkers(5),
    abort: () => aborted.abort(),
    handlers: [],
    clock,
    log,
    ...change,
  }
  return { shutdown, clock, log, aborted: aborted.signal }
}

/** One action in flight that ends when told to. */
function busyWorkers() {
  const workers = createWorkers(5)
  let finish = () => {}
  const running = workers.run(
    ['a'],
    () => new Promise<void>(resolve => (finish = resolve)),
    new AbortController().signal,
  )
  return { workers, running, finish: () => finish() }
}

const hanging: ShutdownHandler = { name: 'hanging', run: () => new Promise(() => {}) }

describe('the shutdown stages', () => {
  it('end at once, without a word, when nothing is in flight', async () => {
    const { shutdown, clock, log } = shutdownOf()
    expect(await clock.run(walkStages(shutdown))).toEqual({ abandoned: 0, errors: [] })
    expect(clock.monotonicMs()).toBe(0)
    expect(log.lines).toEqual([])
  })

  it('wait for what is in flight and do not abort it when it ends by itself after 12 s', async () => {
    const { workers, running, finish } = busyWorkers()
    const { shutdown, clock, log, aborted } = shutdownOf({ workers })
    const walking = walkStages(shutdown)
    await clock.advance(12_000)
    finish()
    expect(await walking).toEqual({ abandoned: 0, errors: [] })
    await running
    expect(aborted.aborted).toBe(false)
    expect(log.lines.map(({ message, fields }) => [message, fields.active, fields.leftMs])).toEqual([
      ['waiting for active work', 1, 30_000],
      ['waiting for active work', 1, 25_000],
      ['waiting for active work', 1, 20_000],
    ])
  })

  it('abort what is left after 30 s and wait 10 s more for it', async () => {
    const { workers, finish } = busyWorkers()
    const { shutdown, clock, aborted } = shutdownOf({ workers })
    aborted.addEventListener('abort', finish)
    expect(await clock.run(walkStages(shutdown))).toEqual({ abandoned: 0, errors: [] })
    expect(clock.monotonicMs()).toBe(30_000)
  })

  it('abandon work that ignores its abort after 40 s, and say so', async () => {
    const { workers } = busyWorkers()
    const { shutdown, clock } = shutdownOf({ workers })
    expect(await clock.run(walkStages(shutdown))).toEqual({ abandoned: 1, errors: [] })
    expect(clock.monotonicMs()).toBe(40_000)
  })

  it('give a hanging handler its 5 s, abort it, and still run the next one', async () => {
    let signal: AbortSignal | undefined
    const first: ShutdownHandler = {
      name: 'first',
      run: given => {
        signal = given
        return new Promise(() => {})
      },
    }
    const ran: string[] = []
    const second: ShutdownHandler = { name: 'second', run: async () => void ran.push('second') }
    const { shutdown, clock, log } = shutdownOf({ handlers: [first, second] })
    expect(await clock.run(walkStages(shutdown))).toEqual({ abandoned: 0, errors: ['first: timed out'] })
    expect([clock.monotonicMs(), signal?.aborted, ran]).toEqual([5_000, true, ['second']])
    expect(log.messages()).toEqual(['shutdown handlers failed'])
  })

  it('collect every error, in the handlers’ order, without foreign texts', async () => {
    const failing: ShutdownHandler[] = [
      { name: 'ours', run: () => Promise.reject(new PermanentError('Forbidden', 'no right to flush')) },
      { name: 'foreign', run: () => Promise.reject(new TypeError('token=secret')) },
      {
        name: 'synchronous',
        run: () => {
          throw new RangeError('secret')
        },
      },
      hanging,
    ]
    const { shutdown, clock } = shutdownOf({ handlers: failing })
    expect((await clock.run(walkStages(shutdown))).errors).toEqual([
      'ours: no right to flush',
      'foreign: unexpected TypeError (TypeError)',
      'synchronous: unexpected RangeError (RangeError)',
      'hanging: timed out',
    ])
  })
})
