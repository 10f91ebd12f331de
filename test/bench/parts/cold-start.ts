// Cold start of every packaged function beside an empty Node process.

import { type Bundles, FUNCTIONS, withBundles } from '../bundled.ts'
import { findNodes, type Node } from '../machine.ts'
import { runProcess } from '../processes/run.ts'
import type { Aim, Report, Setting, Table } from '../report.ts'
import { differences, spreadOf } from '../statistics.ts'

const AIM_MS = 50

/** What a started function tells. */
interface Told {
  readonly importMs: number
  readonly chunkMs: number
  readonly invocationMs: number
}

/** One way to start. */
interface Start {
  readonly name: string
  readonly words: readonly string[]
  readonly environment: Readonly<Record<string, string>>
}

/** What it came to, one entry a round. */
interface Timed {
  readonly wallMs: number[]
  readonly told: Told[]
}

const EKS = {
  EKS_CLUSTER: 'production',
  EKS_ENDPOINT: 'https://127.0.0.1:1',
  EKS_CA: 'Y2VydGlmaWNhdGU=',
  AWS_REGION: 'eu-central-1',
  AWS_LAMBDA_FUNCTION_NAME: 'cleanup',
}

/** Starts each function with each lease store, over and over, in turn with an empty process. */
export async function coldStart({ isQuick, progress }: Setting): Promise<Report> {
  const rounds = isQuick ? 3 : 25
  const nodes = await findNodes()
  progress.begin('cold start', rounds + 1)
  const tables: Table[] = []
  const aims: Aim[] = []
  await withBundles(async bundles => {
    const starts = startsOf(bundles)
    const timed = await timeAll(nodes, starts, rounds, () => progress.step())
    for (const [i, node] of nodes.entries()) {
      tables.push(tableOf(node, starts, timed[i] as Timed[]))
      aims.push(aimOf(node, starts, timed[i] as Timed[]))
    }
  })
  return {
    title: 'Cold start',
    how:
      `${rounds} rounds; in each, every row is started once, one after the other, so that a difference is one of neighbours. A process loads ` +
      'the bundle, the chunk that the row names, and runs an invocation that has no time left: configuration, log and handler ' +
      'come to life and nothing is sent. A platform that is warm already has the part of the empty process behind it.',
    tables,
    aims,
    dominates:
      'JavaScript that is compiled and evaluated: zod and the log and metrics libraries make up most of the bundle, and Node itself ' +
      'loads its own https and crypto at their first use. Either chunk costs as much again or more, and is loaded only where it is asked for.',
  }
}

function startsOf(bundles: Bundles): Start[] {
  const start = (name: string, lease: string, environment: Record<string, string>, ...chunk: string[]) => ({
    name: `${name}, ${lease}`,
    words: ['cold-start.cjs', bundles.fileOf(name), ...chunk],
    environment,
  })
  const dynamodb = { LEASE: 'dynamodb', LEASE_TABLE: 'fencepost-leases', ...EKS }
  return [
    { name: 'an empty process', words: ['-e', '0'], environment: {} },
    ...FUNCTIONS.flatMap(name => [
      start(name, 'Kubernetes lease, EKS', EKS),
      start(name, 'DynamoDB lease, EKS', dynamodb, bundles.chunkOf('dynamodb-client'), 'DynamoDBClient'),
      start(name, 'Kubernetes lease, kubeconfig', {}, bundles.chunkOf('kubeconfig-library'), 'KubeConfig'),
    ]),
  ]
}

/** Starts everything once a round, with one Node after the other; what was timed, by Node and start. */
async function timeAll(
  nodes: readonly Node[],
  starts: readonly Start[],
  rounds: number,
  step: () => void,
): Promise<Timed[][]> {
  const timed = nodes.map(() => starts.map((): Timed => ({ wallMs: [], told: [] })))
  for (let round = -1; round < rounds; round++) {
    for (const [n, node] of nodes.entries())
      for (const [i, { words, environment }] of starts.entries()) {
        const { wallMs, told } = await runProcess<Told>(node.path, words, environment)
        // The first round warms the system's file cache.
        if (round < 0) continue
        timed[n]?.[i]?.wallMs.push(wallMs)
        timed[n]?.[i]?.told.push(told)
      }
    step()
  }
  return timed
}

function tableOf(node: Node, starts: readonly Start[], timed: readonly Timed[]): Table {
  const bare = (timed[0] as Timed).wallMs
  return {
    title: `Node ${node.version}`,
    columns: ['', 'whole process', 'over empty', 'import', 'chunk', 'first invocation'],
    rows: starts.map(({ name }, i) => {
      const { wallMs, told } = timed[i] as Timed
      const wall = spreadOf(wallMs, 'ms')
      if (i === 0) return [name, wall, '', '', '', '']
      const hasChunk = starts[i]?.words.length !== 2
      return [
        name,
        wall,
        spreadOf(differences(wallMs, bare), 'ms'),
        spreadOf(
          told.map(({ importMs }) => importMs),
          'ms',
        ),
        hasChunk
          ? spreadOf(
              told.map(({ chunkMs }) => chunkMs),
              'ms',
            )
          : '',
        spreadOf(
          told.map(({ invocationMs }) => invocationMs),
          'ms',
        ),
      ]
    }),
  }
}

function aimOf({ version }: Node, starts: readonly Start[], timed: readonly Timed[]): Aim {
  const at = starts.findIndex(({ name }) => name.startsWith('cleanup, Kubernetes lease, EKS'))
  const over = spreadOf(differences((timed[at] as Timed).wallMs, (timed[0] as Timed).wallMs), 'ms')
  return {
    aim: `cleanup with the Kubernetes lease at most ${AIM_MS} ms over an empty process, Node ${version}`,
    measured: `${over.median.toFixed(1)} ms (${over.min.toFixed(1)}–${over.max.toFixed(1)})`,
    isMet: over.median <= AIM_MS,
    wouldTake:
      'less to evaluate at the start: schemas in zod/mini, and a log and metrics of a few lines instead of libraries.',
  }
}
