// What the functions and the serverless CLI write, line by line, sorted into what a person wants to see. The shape of a
// log line is all that is known here about the functions.

import * as z from 'zod'

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for.
const CONTROL = /[\u0000-\u001f\u007f-\u009f]+/g

/** Text for a terminal: an error's message may carry anything, and must not move the cursor or break the row. */
const words = z.string().transform(text => text.replace(CONTROL, ' '))

const change = z.object({
  object: words,
  from: words,
  to: words,
  reason: words,
  note: words.default(''),
})

const failure = z.object({ object: words, code: words, message: words })

const tick = z.object({
  message: z.literal('tick'),
  kind: z.enum(['completed', 'yielded', 'skipped', 'fenced', 'failed']),
  loop: words,
  tick: words,
  reason: words.optional(),
  token: z.number().optional(),
  holder: words.optional(),
  counts: z.object({ observed: z.number(), changed: z.number(), failed: z.number() }),
  changes: z.array(change).default([]),
  failures: z.array(failure).default([]),
  tookOverFrom: words.optional(),
  settled: z.boolean().default(false),
  missedTicks: z.number().default(0),
  durationMs: z.number(),
  budgetLeftMs: z.number(),
  stoppedBy: words.optional(),
  error: z.object({ code: words, message: words }).optional(),
  shutdownErrors: z.array(words).default([]),
  abandoned: z.number().default(0),
})

/** What a tick came to, as its log line tells it: `tick` is an RFC 3339 instant or `manual/<id>`, times are ms. */
export type Tick = z.infer<typeof tick>

/**
 * One line.
 *
 * `tick`     a tick's outcome.
 * `problem`  a warning or an error of a function; `fields` is everything that varies in it.
 * `detail`   any other JSON line of a function: audit records, metrics, debugging.
 * `chatter`  text that is not a function's.
 */
export type LogLine =
  | { readonly kind: 'tick'; readonly tick: Tick; readonly text: string }
  | {
      readonly kind: 'problem'
      readonly level: 'WARN' | 'ERROR'
      readonly message: string
      readonly fields: Readonly<Record<string, unknown>>
      readonly text: string
    }
  | { readonly kind: 'detail'; readonly text: string }
  | { readonly kind: 'chatter'; readonly text: string }

const problem = z.looseObject({ level: z.enum(['WARN', 'ERROR']), message: words })

/** Fields that every line has and no person needs. */
const USUAL = new Set(['level', 'message', 'timestamp', 'service', 'sampling_rate', 'cold_start', 'xray_trace_id'])

/** Sorts one line; never throws. */
export function parseLine(text: string): LogLine {
  const value = parseObject(text)
  if (!value) return { kind: 'chatter', text }
  const asTick = tick.safeParse(value)
  if (asTick.success) return { kind: 'tick', tick: asTick.data, text }
  const asProblem = problem.safeParse(value)
  if (!asProblem.success) return { kind: 'detail', text }
  const { level, message } = asProblem.data
  const fields = Object.fromEntries(Object.entries(value).filter(([key]) => !USUAL.has(key)))
  return { kind: 'problem', level, message, fields, text }
}

function parseObject(text: string): object | undefined {
  if (!text.startsWith('{')) return undefined
  try {
    return JSON.parse(text) as object
  } catch {
    return undefined
  }
}
