import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  functionMonth,
  type Prices,
  readPrices,
  replicasOnFargate,
  replicasOnNodes,
  type Usage,
} from '../../bench/costs.ts'

const price = (usd: number) => ({ usd, unit: 'thing', asOf: '2026-01', source: 'here' })
const free = price(0)
const nothing: Prices = {
  lambdaGbSecond: free,
  lambdaRequest: free,
  schedulerInvocation: free,
  dynamodbWriteUnit: free,
  logsGb: free,
  logsGbMonth: free,
  metricMonth: free,
  nodeHour: free,
  fargateVcpuHour: free,
  fargateGbHour: free,
}
/** 8 760 ticks of half a second with 2 GB. */
const usage: Usage = { periodMinutes: 5, billedMs: 500, memoryMb: 2_048, leaseWrites: 2, logBytes: 1_000, metrics: 3 }

describe('a month of a function', () => {
  it.each([
    ['GB-seconds', { lambdaGbSecond: price(0.001) }, 'compute', 8.76],
    ['requests', { lambdaRequest: price(0.001) }, 'requests', 8.76],
    ['starts by a schedule', { schedulerInvocation: price(0.001) }, 'schedule', 8.76],
    ['2 writes of a lease', { dynamodbWriteUnit: price(0.001) }, 'lease', 17.52],
    ['log lines, taken in and kept', { logsGb: price(1_000), logsGbMonth: price(500) }, 'logs', 13.14],
  ] as const)('costs its %s', (_, prices, part, usd) => {
    const month = functionMonth(usage, { ...nothing, ...prices })
    expect(month[part]).toBeCloseTo(usd)
    expect(month.sum).toBeCloseTo(usd)
  })

  it('has 8 760 ticks of 5 min', () => {
    expect(functionMonth(usage, nothing).ticks).toBe(8_760)
  })

  it('keeps custom metrics apart from the sum', () => {
    expect(functionMonth(usage, { ...nothing, metricMonth: price(0.5) })).toMatchObject({ sum: 0, metrics: 1.5 })
  })
})

describe('a month of replicas', () => {
  it('costs the greater of the two shares of a node: processor', () => {
    const month = replicasOnNodes({ count: 3, vcpu: 0.193, gib: 0.1 }, { ...nothing, nodeHour: price(1) })
    expect(month).toBeCloseTo(3 * 0.1 * 730)
  })

  it('costs the greater of the two shares of a node: memory', () => {
    const month = replicasOnNodes({ count: 1, vcpu: 0.1, gib: 3.55 }, { ...nothing, nodeHour: price(1) })
    expect(month).toBeCloseTo(0.5 * 730)
  })

  it('costs a quarter of a vCPU and half a GB at least on Fargate', () => {
    const prices = { ...nothing, fargateVcpuHour: price(4), fargateGbHour: price(2) }
    expect(replicasOnFargate({ count: 1, vcpu: 0.1, gib: 0.25 }, prices)).toBeCloseTo(2 * 730)
    expect(replicasOnFargate({ count: 1, vcpu: 0.5, gib: 1 }, prices)).toBeCloseTo(4 * 730)
  })
})

describe('prices', () => {
  it('all have a date and a source', async () => {
    for (const { usd, asOf, source } of Object.values(await readPrices(undefined))) {
      expect(usd).toBeGreaterThan(0)
      expect(asOf).toMatch(/^20\d\d(-\d\d)?$/)
      expect(source).toMatch(/^https:/)
    }
  })

  it('are taken from another file where that has them', async () => {
    await withFile({ nodeHour: price(7) }, async file => {
      const prices = await readPrices(file)
      expect(prices.nodeHour.usd).toBe(7)
      expect(prices.lambdaRequest.usd).toBe(0.0000002)
    })
  })

  it.each([
    ['a price that is not a number', { nodeHour: { ...free, usd: 'much' } }, 'nodeHour.usd'],
    ['a price that nobody asks for', { moonHour: free }, 'moonHour'],
  ])('refuse %s, by name', async (_, content, named) => {
    await withFile(content, async file => {
      await expect(readPrices(file)).rejects.toThrow(named)
    })
  })

  it('refuse a file that is not there', async () => {
    await expect(readPrices('/nonexistent.json')).rejects.toThrow('--prices /nonexistent.json: ENOENT')
  })
})

async function withFile(content: object, work: (file: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'fencepost-prices-'))
  try {
    const file = join(folder, 'prices.json')
    await writeFile(file, JSON.stringify(content))
    await work(file)
  } finally {
    await rm(folder, { recursive: true })
  }
}
