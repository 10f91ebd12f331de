// What must hold between a function's settings, its time limits and its schedule, checked before anything is packaged:
// the platform would accept a service that breaks it, and nobody would notice until a tick crashes.

import { type Config, type Environment, readConfig, SETTINGS } from '../../lib/config.ts'
import { errorMessage } from '../../lib/errors.ts'
import { cutStages, FLUSH_MS, LEAST_WORK_MS, MARGIN_MS, RELEASE_MS } from '../../lib/tick/budget.ts'
import { SETTLE_MS, SKEW_MS, TAIL_MS } from '../../lib/tick/times.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../lib/time.ts'

/** A function as the service declares it. */
export interface FunctionDeclaration {
  /** A scheduled function is named as its loop. */
  readonly name: string
  readonly timeoutSeconds: number
  /** How long an event may wait to be delivered; undefined is the platform's own, 6 h. */
  readonly maximumEventAgeSeconds: number | undefined
  /** Its schedule expressions; none: it is started by hand. */
  readonly schedules: readonly string[]
  readonly environment: Environment
  /** Its place in a VPC; empty lists: in none. */
  readonly vpc: { readonly subnetIds: readonly string[]; readonly securityGroupIds: readonly string[] }
}

/** Names of the settings, which are all the environment variables there are. */
export const SETTING_NAMES: readonly string[] = Object.keys(SETTINGS.shape)

/** Shutdown handlers of a tick: its metrics'. */
const SHUTDOWN_HANDLERS = 1
/** The longest timeout that the platform knows, s. */
const LONGEST_TIMEOUT_SECONDS = 900

/** Everything that is wrong with a function, each with the numbers and how to mend it. */
export function problemsOf(declaration: FunctionDeclaration): string[] {
  const { name, environment } = declaration
  const unknown = Object.keys(environment).filter(variable => !SETTING_NAMES.includes(variable))
  if (unknown.length > 0) return [`${name}: ${unknown.join(', ')}: no such setting in lib/config.ts`]
  let config: Config
  try {
    config = readConfig({ ...environment, AWS_REGION: 'any', AWS_LAMBDA_FUNCTION_NAME: name })
  } catch (error) {
    return [`${name}: ${errorMessage(error)}`]
  }
  return [
    ...network(declaration),
    ...lowerBound(declaration, config),
    ...(declaration.schedules.length > 0 ? schedule(declaration, config) : upperBound(declaration, shortest(config))),
  ].map(problem => `${name}: ${problem}`)
}

function network({ vpc: { subnetIds, securityGroupIds } }: FunctionDeclaration): string[] {
  if (new Set(subnetIds).size === 1)
    return [
      `one subnet (${subnetIds[0]}): name at least two, in two availability zones, so that losing one costs no tick`,
    ]
  return subnetIds.length > 0 === securityGroupIds.length > 0
    ? []
    : [`${subnetIds.length} subnets and ${securityGroupIds.length} security groups: give both, or neither`]
}

/** A loop's period and the variable that sets it. */
interface Period {
  readonly loop: string
  readonly variable: string
  readonly ms: number
}

function periods(config: Config): Period[] {
  return Object.entries(SETTINGS.shape).flatMap(([variable, schema]) => {
    const loop = schema.meta()?.periodOf
    return typeof loop === 'string' ? [{ loop, variable, ms: config[variable as keyof Config] as number }] : []
  })
}

/** A function that is started by hand takes the lease of any loop, so that the shortest period binds it. */
function shortest(config: Config): Period {
  return periods(config).reduce((one, other) => (other.ms < one.ms ? other : one))
}

function schedule(declaration: FunctionDeclaration, config: Config): string[] {
  const { name, schedules, maximumEventAgeSeconds } = declaration
  const period = periods(config).find(({ loop }) => loop === name)
  if (!period)
    return [
      `it has a schedule, but no setting of lib/config.ts is the period of ${name}; name the function as its loop, and give the setting periodOf: '${name}'`,
    ]

  const problems = upperBound(declaration, period)
  const expected = expressionOf(period.ms)
  if (expected === undefined)
    problems.push(`${describe(period)} does not divide a day, so that no schedule is aligned with its ticks`)
  else if (schedules.length !== 1 || schedules[0] !== expected)
    problems.push(`${describe(period)} needs the schedule ${expected}, not ${schedules.join(', ')}`)
  if (!(Number(maximumEventAgeSeconds) * SECOND_MS <= period.ms))
    problems.push(
      `maximumEventAge ${maximumEventAgeSeconds ?? 'is not set, which is 21600'} s is more than ${describe(period)}: an older event is a tick that the next one has superseded`,
    )
  return problems
}

/** A term outlives its invocation by the tail, so that this is what a crash keeps the next tick waiting for. */
function upperBound({ timeoutSeconds }: FunctionDeclaration, period: Period): string[] {
  const reservedMs = TAIL_MS + SKEW_MS
  if (timeoutSeconds * SECOND_MS + reservedMs <= period.ms) return []
  return [
    `timeout ${timeoutSeconds} s + tail ${seconds(TAIL_MS)} + skew ${seconds(SKEW_MS)} = ${seconds(timeoutSeconds * SECOND_MS + reservedMs)} is more than ${describe(period)}, ` +
      `so that a crash would cost more than one tick; set the timeout to at most ${seconds(period.ms - reservedMs)}, or a longer interval`,
  ]
}

/** After a crash a tick settles first, and must still have time for work. */
function lowerBound({ timeoutSeconds }: FunctionDeclaration, config: Config): string[] {
  if (mayWork(timeoutSeconds, config)) return []
  let least = Math.ceil(timeoutSeconds)
  while (least < LONGEST_TIMEOUT_SECONDS && !mayWork(least, config)) least++
  return [
    `timeout ${timeoutSeconds} s is too short for the settle after a crash (${seconds(SETTLE_MS)}), work (${seconds(LEAST_WORK_MS)}), ` +
      `the shutdown stages and the reserves (${seconds(RELEASE_MS + FLUSH_MS + MARGIN_MS)}); set it to at least ${least} s`,
  ]
}

function mayWork(timeoutSeconds: number, config: Config): boolean {
  const settings = {
    waitMs: config.SHUTDOWN_TIMEOUT,
    drainMs: config.DRAIN_TIMEOUT,
    handlerMs: config.SHUTDOWN_HANDLER_TIMEOUT,
  }
  const stages = cutStages(timeoutSeconds * SECOND_MS, settings, SHUTDOWN_HANDLERS)
  return stages !== undefined && stages.workMs >= SETTLE_MS + LEAST_WORK_MS
}

/**
 * The schedule that fires at every multiple of a period since midnight UTC, which is where ticks begin; a rate would fire
 * at multiples since its deployment.
 *
 * @returns undefined when there is none.
 */
function expressionOf(periodMs: number): string | undefined {
  if (periodMs === DAY_MS) return 'cron(0 0 * * ? *)'
  const minutes = periodMs / MINUTE_MS
  const hours = periodMs / HOUR_MS
  if (Number.isInteger(hours) && 24 % hours === 0) return `cron(0 0/${hours} * * ? *)`
  return Number.isInteger(minutes) && 60 % minutes === 0 ? `cron(0/${minutes} * * * ? *)` : undefined
}

function describe({ variable, ms }: Period): string {
  return `${variable}, the period of ${seconds(ms)}`
}

function seconds(ms: number): string {
  return `${ms / SECOND_MS} s`
}
