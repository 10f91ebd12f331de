import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { parse } from 'yaml'
import { openCleanups } from '../../../../infra/local/world/cleanups.ts'
import { openDeliveries, scheduledEvent, tickAt } from '../../../../infra/local/world/deliveries.ts'
import { openEnding } from '../../../../infra/local/world/ending.ts'
import { WAIT_MS, waitForTicks } from '../../../../infra/local/world/in-flight.ts'
import { intervals, LOOPS } from '../../../../infra/local/world/loops.ts'
import { newcomersFor, scheduleNewcomers } from '../../../../infra/local/world/newcomers.ts'

const T0 = Date.parse('2026-11-21T07:05:00Z')
const PERIOD_MS = 5 * 60_000

afterEach(() => {
  vi.useRealTimers()
})

describe('newcomers', () => {
  it('follow from their tick alone', () => {
    expect(newcomersFor(T0)).toEqual(newcomersFor(T0))
    expect(newcomersFor(T0)).not.toEqual(newcomersFor(T0 + PERIOD_MS))
  })

  it('are two for each tick, of all four kinds in a row, and no two have the same name or user', () => {
    const ticks = Array.from({ length: 100 }, (_, index) => newcomersFor(T0 + index * PERIOD_MS))
    const all = ticks.flat()

    expect(ticks.every(newcomers => newcomers.length === 2)).toBe(true)
    expect(new Set(all.map(({ object }) => object.metadata.name)).size).toBe(200)
    expect(new Set(all.map(({ object }) => object.spec.user)).size).toBe(200)
    expect(new Set(all.map(({ what }) => what.replace(/ at .*/, ''))).size).toBe(4)
  })

  it('appear a minute before each tick, and at once when less is left', () => {
    vi.useFakeTimers({ now: T0 + PERIOD_MS - 30_000 })
    const appeared: string[] = []
    const stop = scheduleNewcomers(newcomers =>
      appeared.push(new Date(Date.now()).toISOString().slice(11, 19), newcomers[0]?.what ?? ''),
    )

    vi.advanceTimersByTime(PERIOD_MS)
    stop()
    vi.advanceTimersByTime(10 * PERIOD_MS)

    expect(appeared).toEqual([
      '07:09:30',
      expect.stringMatching(/at 07:10:00Z$/),
      '07:14:00',
      expect.stringMatching(/at 07:15:00Z$/),
    ])
  })
})

describe('a tick', () => {
  it.each([
    ['07:05:00.000Z', '07:05:00Z'],
    ['07:09:59.999Z', '07:05:00Z'],
    ['07:10:00.000Z', '07:10:00Z'],
  ])('that is due at %s is the one of %s', (now, due) => {
    expect(scheduledEvent(tickAt(Date.parse(`2026-11-21T${now}`), PERIOD_MS))).toMatchObject({
      source: 'aws.events',
      time: `2026-11-21T${due}`,
    })
  })
})

describe('the loops', () => {
  it('are those of serverless.yml that have a schedule, with its intervals', () => {
    const service = parse(readFileSync('serverless.yml', 'utf8'), { logLevel: 'silent' })
    const scheduled = Object.entries<{ events?: object[] }>(service.functions).filter(([, { events }]) => events)
    expect(LOOPS.map(({ name }) => name)).toEqual(scheduled.map(([name]) => name))
    const { environment } = service.provider
    const declared = LOOPS.map(({ setting }) => {
      const [, parameter = ''] = /^\$\{param:(\w+)\}$/.exec(environment[setting]) ?? []
      return [setting, service.params.default[parameter]]
    })
    expect(intervals()).toEqual(Object.fromEntries(declared))
  })
})

describe('deliveries', () => {
  let server: Server | undefined
  afterEach(() => {
    server?.closeAllConnections()
    server?.close()
    server = undefined
  })

  /** A function that answers as told. */
  async function functionThat(status: number, body: string, headers: Record<string, string> = {}): Promise<string> {
    server = createServer((_request, response) => response.writeHead(status, headers).end(body))
    await new Promise<void>(resolve => server?.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  it('are in flight until they are answered', async () => {
    const deliveries = openDeliveries()
    const delivered = deliveries.deliver(await functionThat(200, '{"kind":"completed"}'), scheduledEvent(T0))

    expect(deliveries.inFlight()).toBe(1)
    await delivered
    expect(deliveries.inFlight()).toBe(0)
  })

  it.each([
    {
      status: 200,
      headers: { 'x-amz-function-error': 'Unhandled' },
      body: '{"errorMessage":"tick failed"}',
      message: 'tick failed',
    },
    { status: 404, headers: {}, body: '{"Message":"Function not found: x"}', message: 'Function not found: x' },
    { status: 502, headers: {}, body: 'no JSON', message: 'no JSON' },
  ])('fail with what the function says: $message', async ({ status, headers, body, message }) => {
    const deliveries = openDeliveries()

    await expect(deliveries.deliver(await functionThat(status, body, headers), {})).rejects.toThrow(message)
    expect(deliveries.inFlight()).toBe(0)
  })
})

describe('the wait for ticks in flight', () => {
  const none = { deliveries: () => 0, leases: async () => [] }
  /** Time that passes only by sleeping. */
  function passing() {
    let nowMs = 0
    return {
      nowMs: () => nowMs,
      sleep: async (ms: number) => {
        nowMs += ms
      },
    }
  }

  it('says nothing when there are none', async () => {
    const told: string[] = []

    await waitForTicks(none, what => told.push(what))

    expect(told).toEqual([])
  })

  it('says once what it waits for and ends with it', async () => {
    const told: string[] = []
    const held = [['fencepost-cleanup (token 3)'], ['fencepost-cleanup (token 3)'], []]

    await waitForTicks({ ...none, leases: async () => held.shift() ?? [] }, what => told.push(what), passing())

    expect(told).toEqual(['the tick that holds fencepost-cleanup (token 3)'])
    expect(held).toEqual([])
  })

  it('gives up after 10 s and says on what', async () => {
    const time = passing()

    await expect(waitForTicks({ ...none, deliveries: () => 2 }, () => {}, time)).rejects.toThrow(
      '2 deliveries without an answer yet did not end within 10 s',
    )
    expect(time.nowMs()).toBe(WAIT_MS)
  })
})

describe('cleanups', () => {
  it('run the last one first, and one that fails keeps no other from running', async () => {
    const ran: string[] = []
    const cleanups = openCleanups()
    cleanups.add('first', () => void ran.push('first'))
    cleanups.add('broken', async () => {
      throw new Error('it is stuck')
    })
    cleanups.add('last', () => void ran.push('last'))

    expect(await cleanups.run()).toEqual(['broken: it is stuck'])
    expect(ran).toEqual(['last', 'first'])
    expect(await cleanups.run()).toEqual([])
  })
})

describe('the ending', () => {
  it('is asked for by one key press, though a script gets it twice, and forced by a second one', () => {
    vi.useFakeTimers()
    const atOnce = vi.fn()
    const ending = openEnding(atOnce)

    process.emit('SIGINT')
    process.emit('SIGINT')
    expect(ending.signal.aborted).toBe(true)
    expect(atOnce).not.toHaveBeenCalled()

    vi.advanceTimersByTime(501)
    process.emit('SIGINT')
    expect(atOnce).toHaveBeenCalledOnce()
    ending.close()
  })

  it('leaves no listener behind', () => {
    const before = process.listenerCount('SIGINT')

    openEnding(() => {}).close()

    expect(process.listenerCount('SIGINT')).toBe(before)
  })
})
