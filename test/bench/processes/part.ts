// Runs a part that invokes functions inside its own process, in a process of its own: what they log is nobody's concern
// here, and the credentials they read are not the caller's. Its progress and its report are messages.

import { calls } from '../parts/calls.ts'
import { clusters } from '../parts/clusters.ts'
import { providers } from '../parts/providers.ts'
import { takeOver } from '../parts/take-over.ts'
import type { Part, Report, Setting } from '../report.ts'

const PARTS = { calls, 'take-over': takeOver, providers, clusters } satisfies Record<string, Part>

/** Which part, and how. */
export interface Order extends Omit<Setting, 'progress'> {
  readonly part: keyof typeof PARTS
}

/** What happens there. */
export type Message = { begin: string; steps: number } | { step: true } | { report: Report }

const tell = (message: Message) => void process.send?.(message)
const progress = {
  begin: (what: string, steps: number) => tell({ begin: what, steps }),
  step: () => tell({ step: true }),
  end: () => {},
}

process.on('message', async ({ part, ...setting }: Order) => {
  tell({ report: await PARTS[part]({ ...setting, progress }) })
})
process.on('disconnect', () => process.exit(0))
