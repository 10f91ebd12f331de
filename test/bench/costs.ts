// What a month costs, as arithmetic: functions that run every few minutes, and replicas that always run.

import { readFile } from 'node:fs/promises'
import * as z from 'zod'
import { UsageError } from '../../infra/local/world/options.ts'

const priceSchema = z.object({
  usd: z.number().nonnegative(),
  unit: z.string(),
  asOf: z.string(),
  source: z.string(),
})
const pricesSchema = z.strictObject({
  lambdaGbSecond: priceSchema,
  lambdaRequest: priceSchema,
  schedulerInvocation: priceSchema,
  dynamodbWriteUnit: priceSchema,
  logsGb: priceSchema,
  logsGbMonth: priceSchema,
  metricMonth: priceSchema,
  nodeHour: priceSchema,
  fargateVcpuHour: priceSchema,
  fargateGbHour: priceSchema,
})

/** List prices of one region, with their date and source. */
export type Prices = z.infer<typeof pricesSchema>

/** A month as AWS counts it in its examples, hours. */
export const MONTH_HOURS = 730

/** What one loop uses. */
export interface Usage {
  /** Minutes between ticks. */
  readonly periodMinutes: number
  /** What a tick is billed for, its cold start included, ms. */
  readonly billedMs: number
  /** The function's memory, MB as Lambda counts them (1 024 to a GB). */
  readonly memoryMb: number
  /** Writes to the lease's item; 0 with a Kubernetes lease. */
  readonly leaseWrites: number
  readonly logBytes: number
  /** Distinct custom metrics. */
  readonly metrics: number
}

/** A month of one loop, US dollars. */
export interface FunctionMonth {
  readonly ticks: number
  readonly compute: number
  readonly requests: number
  readonly schedule: number
  readonly lease: number
  readonly logs: number
  /** All of the above. */
  readonly sum: number
  /** What custom metrics cost besides. */
  readonly metrics: number
}

/** What a month of ticks costs; free tiers are not taken off. */
export function functionMonth(usage: Usage, prices: Prices): FunctionMonth {
  const ticks = (MONTH_HOURS * 60) / usage.periodMinutes
  const compute = ticks * (usage.billedMs / 1_000) * (usage.memoryMb / 1_024) * prices.lambdaGbSecond.usd
  const requests = ticks * prices.lambdaRequest.usd
  const schedule = ticks * prices.schedulerInvocation.usd
  const lease = ticks * usage.leaseWrites * prices.dynamodbWriteUnit.usd
  const logs = ((ticks * usage.logBytes) / 1e9) * (prices.logsGb.usd + prices.logsGbMonth.usd)
  const sum = compute + requests + schedule + lease + logs
  return { ticks, compute, requests, schedule, lease, logs, sum, metrics: usage.metrics * prices.metricMonth.usd }
}

/** Replicas that always run, and what each asks for. */
export interface Replicas {
  readonly count: number
  readonly vcpu: number
  readonly gib: number
}

/** What is left for pods of a node's 2 vCPU and 8 GiB. */
export const ALLOCATABLE = { vcpu: 1.93, gib: 7.1 }
/** The least that a Fargate pod is billed for. */
export const FARGATE_POD = { vcpu: 0.25, gb: 0.5 }

/** A month of replicas on nodes that are full: each pays for the greater of its two shares of a node. */
export function replicasOnNodes({ count, vcpu, gib }: Replicas, prices: Prices): number {
  const share = Math.max(vcpu / ALLOCATABLE.vcpu, gib / ALLOCATABLE.gib)
  return count * share * prices.nodeHour.usd * MONTH_HOURS
}

/** A month of replicas on Fargate, which bills at least a quarter of a vCPU and half a GB for each. */
export function replicasOnFargate({ count, vcpu, gib }: Replicas, prices: Prices): number {
  const hour =
    Math.max(vcpu, FARGATE_POD.vcpu) * prices.fargateVcpuHour.usd +
    Math.max(gib, FARGATE_POD.gb) * prices.fargateGbHour.usd
  return count * hour * MONTH_HOURS
}

/**
 * Reads the prices, with those of another file in place of the ones here.
 *
 * @param file JSON of the same shape; it may name only some.
 * @throws UsageError – it can't be read, or a price in it can't be understood.
 */
export async function readPrices(file: string | undefined): Promise<Prices> {
  const here = await readJson(new URL('prices.json', import.meta.url))
  const own = file === undefined ? {} : await readJson(file)
  const parsed = pricesSchema.safeParse({ ...here, ...own })
  if (parsed.success) return parsed.data
  const wrong = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
  throw new UsageError(`--prices ${file}: ${wrong.join('; ')}`)
}

async function readJson(file: string | URL): Promise<object> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as object
  } catch (error) {
    throw new UsageError(`--prices ${file}: ${(error as Error).message}`, { cause: error })
  }
}
