// Sessions changed per second, beside a bare client that sends the same writes.

import { startChild } from '../../support/child.ts'
import { withEmbedded } from '../embedded.ts'
import type { Round, RoundResult } from '../processes/writer.ts'
import { withReal } from '../real.ts'
import type { Aim, Report, Setting } from '../report.ts'
import { ratios, type Spread, spreadOf } from '../statistics.ts'

const AIM = 0.9

/** What was measured on one server. */
interface Measured {
  readonly server: string
  readonly product: Spread
  readonly tick: Spread
  readonly bare: Spread
  readonly ratio: Spread
  readonly cpu: readonly [Spread, Spread]
}

/** Sessions changed per second through the product, and through a bare client in the same run. */
export async function throughput(setting: Setting): Promise<Report> {
  const size = setting.isQuick ? { sessions: 20, rounds: 3, warmUps: 1 } : { sessions: 100, rounds: 40, warmUps: 15 }
  const measured = [
    await withEmbedded(servers => measure('embedded API', servers.environment('kubernetes'), size, setting)),
  ]
  if (setting.isReal)
    measured.push(
      await withReal(async ({ administrator, installation }) => {
        await installation.enforce(true)
        return await measure('kube-apiserver', environment(administrator), size, setting)
      }),
    )
  return {
    title: 'Sessions changed per second',
    how:
      `In each round ${2 * size.sessions} sessions are due, half of them for each; every one costs a merge patch of its status and a create of its Event, 5 sessions at a time. ` +
      'One process sends them through the product and through a bare client of node:http(s) with kept-alive connections and the same headers, one right after the ' +
      `other (${size.rounds} rounds, who is first alternates, ${size.warmUps} rounds before them don't count); the server is another process. ` +
      "Timed from the first write sent to the last answered, with one of the two canaries in between; the whole tick also has its lease, its raise and its five lists. Processor time is the client's.",
    tables: [
      {
        title: 'Sessions per second',
        columns: ['server', 'product', 'bare client', 'product / bare', 'whole tick'],
        rows: measured.map(({ server, product, bare, ratio, tick }) => [server, product, bare, ratio, tick]),
      },
      {
        title: 'Processor time of the client for a session',
        columns: ['server', 'product', 'bare client'],
        rows: measured.map(({ server, cpu }) => [server, ...cpu]),
      },
    ],
    aims: measured.map(aimOf),
    dominates:
      'On a real API server the server: the client waits for it. The embedded API answers in the time that the client needs for ' +
      'asking, and there every microsecond of the client counts: the time limit of each try with its timer and its abort ' +
      'signals, the answer read and parsed, the audit line and the counter, all on the one thread that also sends.',
  }
}

function aimOf({ server, ratio }: Measured): Aim {
  return {
    aim: `at least ${AIM} of the bare client on the ${server}`,
    measured: `${ratio.median.toFixed(2)} (${ratio.min.toFixed(2)}–${ratio.max.toFixed(2)})`,
    isMet: ratio.median >= AIM,
    wouldTake:
      'fewer clocks for each request: its try, all its tries and its term are each watched by themselves, and each can be ' +
      'aborted; the bare client has none of that.',
  }
}

async function measure(
  server: string,
  environment: Record<string, string>,
  { sessions, rounds, warmUps }: { sessions: number; rounds: number; warmUps: number },
  { progress }: Setting,
): Promise<Measured> {
  progress.begin(`throughput, ${server}`, rounds + warmUps)
  const child = startChild('../bench/processes/writer.ts', { ...environment, LOG_LEVEL: 'INFO' })
  try {
    await child.next()
    const results: RoundResult[] = []
    for (let round = 0; round < rounds + warmUps; round++) {
      child.send({ sessions, isBareFirst: round % 2 === 0 } satisfies Round)
      const result = await child.next<RoundResult>()
      if (round >= warmUps) results.push(result)
      progress.step()
    }
    const rates = (timeMs: (result: RoundResult) => number) =>
      results.map(result => (sessions / timeMs(result)) * 1_000)
    const cpu = (of: 'product' | 'bare') =>
      spreadOf(
        results.map(result => result[of].cpuMs / sessions),
        'ms',
      )
    const [product, bare] = [rates(result => result.product.ms), rates(result => result.bare.ms)]
    return {
      server,
      product: spreadOf(product, '/s'),
      bare: spreadOf(bare, '/s'),
      ratio: spreadOf(ratios(product, bare), 'x'),
      cpu: [cpu('product'), cpu('bare')],
      tick: spreadOf(
        rates(({ tickMs }) => tickMs),
        '/s',
      ),
    }
  } finally {
    await child.kill('SIGTERM')
  }
}

const environment = (kubeconfig: string) => ({ LEASE: 'kubernetes', KUBECONFIG: kubeconfig })
