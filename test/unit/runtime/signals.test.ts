import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { setExitCode, stopOnSignal } from '../../../lib/runtime/signals.ts'
import type { TickOutcome } from '../../../lib/tick/outcome.ts'
import { type Child, startChild } from '../../support/child.ts'
import { at } from '../reconcilers/cleanup/fixtures.ts'
import { type Functions, isWork, overdue, startFunctions } from './harness.ts'

const SIGNALS = ['SIGTERM', 'SIGINT'] as const
const SESSIONS = ['a', 'b', 'c', 'd', 'e']

const children: Child[] = []
afterEach(() => {
  for (const child of children.splice(0)) child.process.kill('SIGKILL')
})

/** Runs a tick in a process of its own that gets the signal while its first write is held back; then that goes on as told. */
async function interrupt(
  functions: Functions,
  signal: NodeJS.Signals,
  options: { answer: 'late' | 'never'; times?: number; environment?: Record<string, string> },
) {
  const { answer, times = 1, environment = {} } = options
  let arrived = () => {}
  const isWriting = new Promise<void>(resolve => {
    arrived = resolve
  })
  let release = () => {}
  const isReleased = new Promise<void>(resolve => {
    release = resolve
  })
  functions.server.intercept = async request => {
    if (!isWork(request)) return undefined
    arrived()
    await isReleased
    return answer === 'never' ? 'hang' : undefined
  }
  const child = startChild('one-tick.ts', { ...functions.environment, TICK_TIME: at(0), WORKERS: '1', ...environment })
  children.push(child)
  const exited = new Promise<number | null>(resolve => child.process.on('exit', resolve))
  await isWriting
  for (let time = 0; time < times; time++) {
    child.process.kill(signal)
    expect(await child.next()).toEqual({ signal })
  }
  release()
  const { outcome } = await child.next<{ outcome: TickOutcome }>()
  functions.server.intercept = undefined
  return { outcome, exitCode: await exited }
}

describe('a process that gets a signal in the middle of a tick', () => {
  it.each(SIGNALS)(
    '%s: ends the write in flight, admits no other, gives the lease back and ends with 0',
    async signal => {
      const functions = await startFunctions({ sessions: SESSIONS.map(overdue) })
      const { outcome, exitCode } = await interrupt(functions, signal, { answer: 'late' })
      expect(outcome).toMatchObject({
        kind: 'yielded',
        stoppedBy: signal,
        counts: { changed: 1, failed: 0 },
        budgetLeftMs: 0,
      })
      expect(exitCode).toBe(0)
      expect(Object.values(await functions.states()).filter(state => state === 'Expired')).toHaveLength(1)
      expect(await functions.status()).toMatchObject({
        holder: null,
        drained: true,
        completedTick: null,
        checkpoint: { cursor: { phase: 'expire' } },
        lastOutcome: { kind: 'yielded' },
      })
    },
  )

  it('loses nothing: the same tick, delivered again, does the rest without a settle', async () => {
    const functions = await startFunctions({ sessions: SESSIONS.map(overdue) })
    await interrupt(functions, 'SIGTERM', { answer: 'late' })
    expect(await functions.tick()).toMatchObject({ kind: 'completed', settled: false, counts: { changed: 4 } })
    expect(new Set(Object.values(await functions.states()))).toEqual(new Set(['Expired']))
    expect(await functions.events()).toEqual(SESSIONS)
  })

  it('and a second one and a third walks the stages once', async () => {
    const functions = await startFunctions({ sessions: SESSIONS.map(overdue) })
    const { outcome, exitCode } = await interrupt(functions, 'SIGTERM', { answer: 'late', times: 3 })
    expect(outcome).toMatchObject({ kind: 'yielded', counts: { changed: 1 } })
    expect(exitCode).toBe(0)
  })

  it('aborts a write that is never answered, gives the lease back as not drained, and ends with 1', async () => {
    const functions = await startFunctions({ sessions: SESSIONS.map(overdue) })
    const environment = { SHUTDOWN_TIMEOUT: '0s' }
    const { outcome, exitCode } = await interrupt(functions, 'SIGTERM', { answer: 'never', environment })
    expect(outcome).toMatchObject({ kind: 'failed', stoppedBy: 'SIGTERM', failures: [{ code: 'OutcomeUnknown' }] })
    expect(exitCode).toBe(1)
    expect(await functions.status()).toMatchObject({ holder: null, drained: false, completedTick: null })
  })
})

describe('listening for signals', () => {
  it.each(SIGNALS)('%s stops the tick instead of the process, until listening ends', signal => {
    const before = process.listeners(signal)
    const heard: string[] = []
    const stopListening = stopOnSignal(name => heard.push(name))
    process.emit(signal, signal)
    stopListening()
    expect(process.listeners(signal)).toEqual(before)
    expect(heard).toEqual([signal])
  })

  it('of two ticks beside each other stops both', () => {
    const heard: string[] = []
    const ends = ['one', 'two'].map(name => stopOnSignal(() => heard.push(name)))
    process.emit('SIGINT', 'SIGINT')
    for (const end of ends) end()
    expect(heard).toEqual(['one', 'two'])
  })
})

describe('the exit code', () => {
  let before: typeof process.exitCode

  beforeEach(() => {
    before = process.exitCode
    process.exitCode = undefined
  })
  afterEach(() => {
    process.exitCode = before
  })

  it.each<[string, Partial<TickOutcome>, number]>([
    ['a tick that completed', { kind: 'completed' }, 0],
    ['a tick that yielded', { kind: 'yielded' }, 0],
    ['a tick that was fenced', { kind: 'fenced' }, 0],
    ['a tick that failed', { kind: 'failed' }, 1],
    ['a shutdown handler that failed', { kind: 'yielded', shutdownErrors: ['metrics: timed out'] }, 1],
  ])('after %s is %3$d', (_title, outcome, code) => {
    setExitCode({ shutdownErrors: [], ...outcome } as unknown as TickOutcome)
    expect(process.exitCode).toBe(code)
  })

  it.each<[string, Record<string, string>, number | undefined]>([
    ['set on somebody’s machine', {}, 0],
    ['left to the platform of a deployed function', { AWS_LAMBDA_FUNCTION_NAME: 'cleanup' }, undefined],
  ])('is %s', async (_title, environment, code) => {
    const functions = await startFunctions({ sessions: SESSIONS.map(overdue) })
    Object.assign(functions.environment, { WORKERS: '1', ...environment })
    functions.server.intercept = request => {
      if (isWork(request)) process.emit('SIGTERM', 'SIGTERM')
      return undefined
    }
    expect(await functions.tick()).toMatchObject({ kind: 'yielded', stoppedBy: 'SIGTERM' })
    expect(process.exitCode).toBe(code)
  })
})
