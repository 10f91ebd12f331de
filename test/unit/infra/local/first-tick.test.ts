import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { openJournal } from '../../../../infra/local/terminal/journal.ts'
import { openScreen } from '../../../../infra/local/terminal/screen.ts'
import type { Deliveries } from '../../../../infra/local/world/deliveries.ts'
import { deliverFirstTicks } from '../../../../infra/local/world/first-tick.ts'

const TICK = '2026-11-21T07:05:00Z'
const MINUTE_MS = 60_000
const SHORT = { name: 'cleanup', periodMs: 5 * MINUTE_MS, setting: 'CLEANUP_INTERVAL' }
const LONG = { name: 'status-sync', periodMs: 10 * MINUTE_MS, setting: 'ESCALATION_STATUS_UPDATE_INTERVAL' }

beforeEach(() => {
  vi.useFakeTimers({ now: Date.parse(TICK) + MINUTE_MS, toFake: ['Date'] })
})
afterEach(() => {
  vi.useRealTimers()
})

/** Functions that answer each delivery with a log line of the given kind. */
function functionThat(kinds: string[], onDelivery = () => {}) {
  const output = { isTTY: false, write: () => true }
  const screen = openScreen({ isJson: false, environment: {}, outputs: { stdout: output, stderr: output } })
  const journal = openJournal(screen, { isJson: false, isVerbose: false })
  const times: string[] = []
  const deliveries: Deliveries = {
    inFlight: () => 0,
    deliver: async (loop, event) => {
      const { time: tick } = event as { time: string }
      times.push(loop === 'cleanup' ? tick : `${loop} ${tick}`)
      const kind = kinds[times.length - 1]
      const counts = { observed: 0, changed: 0, failed: 0 }
      const line = { message: 'tick', kind, loop, tick, counts, durationMs: 1, budgetLeftMs: 1 }
      journal.take(JSON.stringify(line))
      onDelivery()
    },
  }
  return { deliveries, journal, times }
}

const ending = new AbortController()
const base = { loops: [SHORT], urlOf: (loop: string) => loop, tell: () => {}, signal: ending.signal }

describe('the first ticks', () => {
  it('are one of each loop, at the start of its own period, then each of them again', async () => {
    const { times, ...tools } = functionThat(['completed', 'completed', 'skipped', 'skipped'])
    const told: string[] = []
    const tell = (line: string) => told.push(`${line} after ${times.length}`)

    expect(await deliverFirstTicks({ ...base, ...tools, tell, loops: [SHORT, LONG] })).toBe(0)
    const both = [TICK, 'status-sync 2026-11-21T07:00:00Z']
    expect(times).toEqual([...both, ...both])
    expect(told).toEqual(['the same ticks are delivered again, as a schedule may do after 2'])
  })

  it('come to 1 when that of any loop failed, and the others are delivered all the same', async () => {
    const { times, ...tools } = functionThat(['completed', 'failed', 'skipped', 'skipped'])

    expect(await deliverFirstTicks({ ...base, ...tools, loops: [SHORT, LONG] })).toBe(1)
    expect(times).toHaveLength(4)
  })
})

describe('the first tick', () => {
  it('is the one that is due, delivered twice, and comes to 0', async () => {
    const { times, ...tools } = functionThat(['completed', 'skipped'])

    expect(await deliverFirstTicks({ ...base, ...tools })).toBe(0)
    expect(times).toEqual([TICK, TICK])
  })

  it('comes to 1 when it failed', async () => {
    const { times, ...tools } = functionThat(['failed', 'skipped'])

    expect(await deliverFirstTicks({ ...base, ...tools })).toBe(1)
    expect(times).toHaveLength(2)
  })

  it('is not delivered again once everything is to end', async () => {
    const stop = new AbortController()
    const { times, ...tools } = functionThat(['completed', 'skipped'], () => stop.abort())

    await expect(deliverFirstTicks({ ...base, ...tools, signal: stop.signal })).rejects.toThrow('aborted')
    expect(times).toHaveLength(1)
  })

  it('is the next one when the one that is due is nearly over', async () => {
    vi.setSystemTime(Date.parse(TICK) - 1)
    const { times, ...tools } = functionThat(['completed', 'skipped'], () => {})
    const delivered = deliverFirstTicks({ ...base, ...tools })
    vi.setSystemTime(Date.parse(TICK))

    await delivered
    expect(times).toEqual([TICK, TICK])
  })
})
