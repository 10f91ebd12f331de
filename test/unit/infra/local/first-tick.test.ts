import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { openJournal } from '../../../../infra/local/terminal/journal.ts'
import { openScreen } from '../../../../infra/local/terminal/screen.ts'
import type { Deliveries } from '../../../../infra/local/world/deliveries.ts'
import { deliverFirstTick } from '../../../../infra/local/world/first-tick.ts'

const TICK = '2026-11-21T07:05:00Z'

beforeEach(() => {
  vi.useFakeTimers({ now: Date.parse(TICK) + 60_000, toFake: ['Date'] })
})
afterEach(() => {
  vi.useRealTimers()
})

/** A function that answers each delivery with a log line of the given kind. */
function functionThat(kinds: string[], onDelivery = () => {}) {
  const output = { isTTY: false, write: () => true }
  const screen = openScreen({ isJson: false, environment: {}, outputs: { stdout: output, stderr: output } })
  const journal = openJournal(screen, { isJson: false, isVerbose: false })
  const times: string[] = []
  const deliveries: Deliveries = {
    inFlight: () => 0,
    deliver: async (_url, event) => {
      times.push((event as { time: string }).time)
      const kind = kinds[times.length - 1]
      const counts = { observed: 0, changed: 0, failed: 0 }
      const line = { message: 'tick', kind, loop: 'cleanup', tick: TICK, counts, durationMs: 1, budgetLeftMs: 1 }
      journal.take(JSON.stringify(line))
      onDelivery()
    },
  }
  return { deliveries, journal, times }
}

const ending = new AbortController()
const base = { url: 'http://127.0.0.1:1', tell: () => {}, signal: ending.signal }

describe('the first tick', () => {
  it('is the one that is due, delivered twice, and comes to 0', async () => {
    const { times, ...tools } = functionThat(['completed', 'skipped'])

    expect(await deliverFirstTick({ ...base, ...tools })).toBe(0)
    expect(times).toEqual([TICK, TICK])
  })

  it('comes to 1 when it failed', async () => {
    const { times, ...tools } = functionThat(['failed', 'skipped'])

    expect(await deliverFirstTick({ ...base, ...tools })).toBe(1)
    expect(times).toHaveLength(2)
  })

  it('is not delivered again once everything is to end', async () => {
    const stop = new AbortController()
    const { times, ...tools } = functionThat(['completed', 'skipped'], () => stop.abort())

    await expect(deliverFirstTick({ ...base, ...tools, signal: stop.signal })).rejects.toThrow('aborted')
    expect(times).toHaveLength(1)
  })

  it('is the next one when the one that is due is nearly over', async () => {
    vi.setSystemTime(Date.parse(TICK) - 1)
    const { times, ...tools } = functionThat(['completed', 'skipped'], () => {})
    const delivered = deliverFirstTick({ ...base, ...tools })
    vi.setSystemTime(Date.parse(TICK))

    await delivered
    expect(times).toEqual([TICK, TICK])
  })
})
