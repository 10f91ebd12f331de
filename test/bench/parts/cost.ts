// What a month of ticks costs beside always-on replicas.

import { withBundles } from '../bundled.ts'
import {
  type FunctionMonth,
  functionMonth,
  type Prices,
  type Replicas,
  readPrices,
  replicasOnFargate,
  replicasOnNodes,
} from '../costs.ts'
import { withEmbedded } from '../embedded.ts'
import { findNodes } from '../machine.ts'
import type { Aim, Cell, Report, Setting, Table } from '../report.ts'
import { spreadOf } from '../statistics.ts'
import { openTicks, type RanTick } from '../ticks.ts'

const REPLICAS: Replicas = { count: 3, vcpu: 0.1, gib: 0.25 }
const AIM = 1 / 20
const SESSIONS = 1_000
/** Sessions that become due in each tick. */
const DUE = [0, 5, 50]
/** serverless.yml's memory and period of cleanup. */
const FUNCTION = { memoryMb: 1_769, periodMinutes: 5 }
const WORKERS = 5
/** What a request costs in a cluster beside a server on the same machine, ms: an assumption. */
const NETWORK_MS = 10
/** Requests one after the other: 3 of the lease, a raise, 5 lists; then 2 canaries; patch and Event, 5 sessions at a time. */
const requestsInTurn = (due: number) => 3 + 1 + 5 + (due > 0 ? 2 : 0) + 2 * Math.ceil(due / WORKERS)

/** A month of one amount of work. */
interface Month extends FunctionMonth {
  readonly due: number
  readonly measuredMs: number
  readonly billedMs: number
  readonly logBytes: number
  readonly metricNames: readonly string[]
}

/** A month of the cleanup loop, from ticks that are measured here. */
export async function cost({ isQuick, prices: file, progress }: Setting): Promise<Report> {
  const prices = await readPrices(file)
  const times = isQuick ? 1 : 7
  progress.begin('cost', DUE.length * times)
  const [node] = await findNodes()
  const months = await withBundles(bundles =>
    withEmbedded(async servers => {
      await servers.load('live', 50, 'live')
      await servers.load('kept', SESSIONS - 50, 'kept')
      const tick = openTicks(bundles, servers, node?.path)
      const found: Month[] = []
      for (const due of DUE) {
        const ticks: RanTick[] = []
        for (let time = 0; time < times; time++) {
          await servers.load('due', due, 'due')
          ticks.push(await tick())
          await servers.drop('due')
          progress.step()
        }
        found.push(monthOf(due, ticks, prices))
      }
      return found
    }),
  )
  const [onNodes, onFargate] = [replicasOnNodes(REPLICAS, prices), replicasOnFargate(REPLICAS, prices)]
  const names = [...new Set(months.flatMap(({ metricNames }) => metricNames))]
  return {
    title: 'A month in money',
    how:
      `The cleanup loop every ${FUNCTION.periodMinutes} min with ${FUNCTION.memoryMb} MB (arm64), ${SESSIONS} sessions, Node ${node?.version}. Every tick is taken for a cold start: billed is the ` +
      `median whole process as measured here, and ${NETWORK_MS} ms for each request in turn, since here the server is next door. That the ` +
      "function's processor is as fast as this one is an assumption. List prices of us-east-1 without free tiers, as " +
      'articles of the given dates quote the pages that are named: check them there, and give your own by --prices.',
    tables: [
      monthTable(months),
      replicaTable(months, [
        [`${REPLICAS.count} replicas of 100m and 256 Mi on full m7g.large nodes`, onNodes],
        [`${REPLICAS.count} replicas on Fargate, 0.25 vCPU and 0.5 GB each`, onFargate],
      ]),
      priceTable(prices),
    ],
    aims: months.map(month => aimOf(month, onNodes)),
    dominates:
      `Compute, and with many changes the log lines. Custom metrics are a price of their own: ${names.length} of them (${names.join(', ')}) cost ` +
      `$${(names.length * prices.metricMonth.usd).toFixed(2)} a month, more than all the rest, whatever writes them; they stand apart, since the replicas' own metrics, logs and alarms are ` +
      'not counted either.',
  }
}

function monthOf(due: number, ticks: readonly RanTick[], prices: Prices): Month {
  const measuredMs = spreadOf(
    ticks.map(({ wallMs }) => wallMs),
    'ms',
  ).median
  const billedMs = Math.ceil(measuredMs + requestsInTurn(due) * NETWORK_MS)
  const logBytes = spreadOf(
    ticks.map(({ output }) => Buffer.byteLength(output)),
    '',
  ).median
  const metricNames = [...new Set(ticks.flatMap(({ output }) => metricsIn(output)))]
  const usage = { ...FUNCTION, billedMs, leaseWrites: 2, logBytes, metrics: metricNames.length }
  return { due, measuredMs, billedMs, logBytes, metricNames, ...functionMonth(usage, prices) }
}

/** Names of the metrics in embedded metric format among some log lines. */
function metricsIn(output: string): string[] {
  const lines = output.split('\n').filter(line => line.includes('"CloudWatchMetrics"'))
  return lines.flatMap(line => {
    const { _aws } = JSON.parse(line) as { _aws: { CloudWatchMetrics: { Metrics: { Name: string }[] }[] } }
    return _aws.CloudWatchMetrics.flatMap(({ Metrics }) => Metrics.map(({ Name }) => Name))
  })
}

const dollars = (usd: number) => `$${usd.toFixed(3)}`

function monthTable(months: readonly Month[]): Table {
  const row = (name: string, cell: (month: Month) => Cell): Cell[] => [name, ...months.map(cell)]
  return {
    title: 'The function, a month',
    columns: ['', ...months.map(({ due }) => `${due} due in each tick`)],
    rows: [
      row('ticks', ({ ticks }) => Math.round(ticks)),
      row('measured, a tick', ({ measuredMs }) => `${Math.round(measuredMs)} ms`),
      row('billed, a tick', ({ billedMs }) => `${billedMs} ms`),
      row('logs, a tick', ({ logBytes }) => `${(logBytes / 1_000).toFixed(1)} kB`),
      row('Lambda GB-seconds', ({ compute }) => dollars(compute)),
      row('Lambda requests', ({ requests }) => dollars(requests)),
      row('schedule', ({ schedule }) => dollars(schedule)),
      row('DynamoDB lease (none with Kubernetes)', ({ lease }) => dollars(lease)),
      row('CloudWatch Logs', ({ logs }) => dollars(logs)),
      row('sum', ({ sum }) => dollars(sum)),
      row('custom metrics besides', ({ metrics }) => dollars(metrics)),
    ],
  }
}

function replicaTable(months: readonly Month[], replicas: readonly (readonly [string, number])[]): Table {
  return {
    title: 'Replicas, a month',
    columns: ['', 'cost', ...months.map(({ due }) => `function, ${due} due`)],
    rows: replicas.map(([name, usd]) => [
      name,
      `$${usd.toFixed(2)}`,
      ...months.map(({ sum }) => `1/${Math.floor(usd / sum)}`),
    ]),
  }
}

function priceTable(prices: Prices): Table {
  return {
    title: 'Prices (us-east-1)',
    columns: ['for a', 'US dollars', 'as of', 'source'],
    rows: Object.values(prices).map(({ usd, unit, asOf, source }) => [unit, decimal(usd), asOf, source]),
  }
}

/** Without an exponent. */
function decimal(usd: number): string {
  return usd.toFixed(12).replace(/0+$/, '').replace(/\.$/, '')
}

function aimOf({ due, sum }: Month, replicas: number): Aim {
  return {
    aim: `less than 1/${1 / AIM} of the replicas on nodes, ${due} due in each tick`,
    measured: `1/${Math.floor(replicas / sum)} (${dollars(sum)} beside $${replicas.toFixed(2)})`,
    isMet: sum < replicas * AIM,
    wouldTake: 'fewer milliseconds (see the cold start) or less memory for the function, and shorter audit lines.',
  }
}
