// What `npm run simulate` can be asked.

import { parseArgs } from 'node:util'

/** What was asked for. */
export interface Options {
  readonly isHelp: boolean
  readonly isJson: boolean
  readonly isTrace: boolean
  readonly isMutants: boolean
  readonly isWrite: boolean
  readonly from: number
  readonly seeds: number
  readonly threads: number
}

/** An option that can't be used; the message says what would do. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** Within how many seeds a mutant must be found. */
export const MUTANT_SEEDS = 20_000

/** What `--help` prints. */
export const HELP = `npm run simulate -- [options]

Plays seeded schedules of ticks, faults and people against the production code, in virtual time, and checks the invariants
of each on the store's log. The same seed plays the same schedule.

  --seeds <n>     how many schedules (default 5000); from 100000 on, faults that were hardly tried fail the run
  --from <seed>   the first seed (default 1)
  --threads <n>   default: one for each core
  --trace         print the schedule, step by step, of each seed; for --seeds 1
  --json          print one JSON object: what was explored, coverage, failures
  --mutants       put each known bug into lib, one at a time, and tell after how many seeds it is found
  --write         with --mutants: write docs/simulation.md
  --help          this text

Exit codes: 0 every invariant held (every mutant was found), 1 not so, 2 an option that does not exist or can't be used.`

/** Reads the options. @throws UsageError */
export function readOptions(args: readonly string[], cores: number): Options {
  const values = parsed(args)
  const isMutants = values.mutants ?? false
  if (values.write && !isMutants) throw new UsageError('--write goes with --mutants')
  return {
    isHelp: values.help ?? false,
    isJson: values.json ?? false,
    isTrace: values.trace ?? false,
    isMutants,
    isWrite: values.write ?? false,
    from: whole('from', values.from, 1),
    seeds: whole('seeds', values.seeds, isMutants ? MUTANT_SEEDS : 5_000),
    threads: whole('threads', values.threads, cores),
  }
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        help: { type: 'boolean', short: 'h' },
        json: { type: 'boolean' },
        trace: { type: 'boolean' },
        mutants: { type: 'boolean' },
        write: { type: 'boolean' },
        from: { type: 'string' },
        seeds: { type: 'string' },
        threads: { type: 'string' },
      },
    }).values
  } catch (error) {
    const [sentence] = (error as Error).message.split('. To specify')
    throw new UsageError(`${sentence?.replace(/\.$/, '')}; --help lists the options`, { cause: error })
  }
}

function whole(option: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise
  if (/^\d{1,9}$/.test(text) && Number(text) > 0) return Number(text)
  throw new UsageError(`--${option}=${text}: expected a whole number from 1`)
}
