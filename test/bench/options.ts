// What `npm run bench` can be asked.

import { parseArgs } from 'node:util'
import { UsageError } from '../../infra/local/world/options.ts'

/** The parts, in the order in which they run. */
export const PARTS = [
  'calls',
  'fence',
  'throughput',
  'memory',
  'cold-start',
  'bundles',
  'take-over',
  'contention',
  'providers',
  'clusters',
  'cost',
] as const

/** One of them. */
export type PartName = (typeof PARTS)[number]

/** What was asked for. */
export interface Options {
  readonly isHelp: boolean
  readonly isJson: boolean
  readonly isQuick: boolean
  /** Write docs/performance.md. */
  readonly isWrite: boolean
  /** Measure on a real API server as well. */
  readonly isReal: boolean
  readonly only: readonly PartName[]
  readonly prices: string | undefined
}

/** What `--help` prints. */
export const HELP = `npm run bench -- [options]

Measures Fencepost on this machine and prints tables: medians with least and greatest in brackets. Whatever is compared is
measured in turn, in one run. On a machine that does other work, trust the ratios and not the times.

  --only <part>     one part; may be given several times
                    ${PARTS.slice(0, 4).join(', ')},
                    ${PARTS.slice(4).join(', ')}
  --real            fence and throughput on a real API server too: that of KUBEBUILDER_ASSETS, or one that is built
                    from its sources once (minutes, needs Go); implied where KUBEBUILDER_ASSETS is set
  --prices <file>   JSON with prices that count instead of those in test/bench/prices.json
  --json            print the measurements as JSON, everything else to stderr
  --write           write docs/performance.md; for a run of all parts
  --quick           tiny sizes, to try the benchmark itself; its numbers mean nothing
  --help            this text

Exit codes: 0 measured, whether or not the aims are met; 1 something failed; 2 an option that does not exist or can't be used.`

/**
 * Reads the options.
 * @throws UsageError – unknown or unusable.
 */
export function readOptions(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Options {
  const values = parsed(args)
  const only = values.only?.map(partName) ?? PARTS
  const isWhole = PARTS.every(part => only.includes(part))
  if (values.write && (!isWhole || values.quick))
    throw new UsageError('--write is for a whole run: without --only and --quick')
  return {
    isHelp: values.help ?? false,
    isJson: values.json ?? false,
    isQuick: values.quick ?? false,
    isWrite: values.write ?? false,
    isReal: values.real ?? Boolean(environment.KUBEBUILDER_ASSETS),
    only: PARTS.filter(part => only.includes(part)),
    prices: values.prices,
  }
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        help: { type: 'boolean', short: 'h' },
        json: { type: 'boolean' },
        quick: { type: 'boolean' },
        write: { type: 'boolean' },
        real: { type: 'boolean' },
        only: { type: 'string', multiple: true },
        prices: { type: 'string' },
      },
    }).values
  } catch (error) {
    const [sentence] = (error as Error).message.split('. To specify')
    throw new UsageError(`${sentence?.replace(/\.$/, '')}; --help lists the options`, { cause: error })
  }
}

function partName(asked: string): PartName {
  const found = PARTS.find(part => part === asked)
  if (!found) throw new UsageError(`--only ${asked}: expected one of ${PARTS.join(', ')}`)
  return found
}
