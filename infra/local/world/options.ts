// What `npm start` can be asked: options on the command line, and the environment where an option is not given.

import { parseArgs } from 'node:util'

/** Where a lease record may live. */
export type LeaseKind = 'kubernetes' | 'dynamodb'

/** The servers that listen on a port. */
export type ServerName = 'kubernetes' | 'dynamodb' | 'keycloak' | 'lambda' | 'http'

/** Ports by server; 0 takes a free one. */
export type Ports = Readonly<Record<ServerName, number>>

/** What was asked for. */
export interface Options {
  readonly isHelp: boolean
  /** Print the functions' own JSON lines. */
  readonly isJson: boolean
  /** Print the serverless CLI's chatter and the functions' other lines too. */
  readonly isVerbose: boolean
  /** End after the first ticks. */
  readonly isOnce: boolean
  /** Freeze a function and wake it after its successor's instead of running ticks. */
  readonly isZombie: boolean
  readonly lease: LeaseKind
  readonly ports: Ports
}

/** The option and the environment variable of each port. */
export const PORT_SETTINGS: Readonly<Record<ServerName, { option: string; variable: string; what: string }>> = {
  kubernetes: { option: 'kubernetes-port', variable: 'KUBERNETES_PORT', what: 'the embedded Kubernetes API' },
  dynamodb: { option: 'dynamodb-port', variable: 'DYNAMODB_PORT', what: 'the embedded DynamoDB' },
  keycloak: { option: 'keycloak-port', variable: 'KEYCLOAK_PORT', what: 'the embedded Keycloak' },
  lambda: { option: 'lambda-port', variable: 'LAMBDA_PORT', what: 'invocations of functions' },
  http: { option: 'http-port', variable: 'HTTP_PORT', what: 'HTTP functions' },
}

/** The servers that a run starts. */
export function serversOf(lease: LeaseKind): ServerName[] {
  return [...storesOf(lease), 'keycloak', 'lambda', 'http']
}

/** The servers that it starts where functions are processes of their own: those that hold state. */
export function storesOf(lease: LeaseKind): ServerName[] {
  return lease === 'dynamodb' ? ['kubernetes', 'dynamodb'] : ['kubernetes']
}

/** What `--help` prints. */
export const HELP = `npm start -- [options]

Runs Fencepost on this machine: an embedded Kubernetes API with sample objects, an embedded Keycloak with sample realms, the
functions in serverless offline, the first tick of each loop at once and then one every 5 or 10 minutes, until Ctrl-C.

  --once                     end after the first ticks: 0 when they succeeded, 1 when one failed or did not come within 90 s
  --zombie                   instead: freeze a function before its write, let another one finish, wake the first, and watch the API
                             server refuse it; half a minute, then 0, or 1 when its write was accepted
  --lease <where>            where the lease lives: kubernetes (default) or dynamodb, embedded too    LEASE
  --json                     print the functions' log lines as they are, everything else to stderr; with --zombie each step too,
                             one object a line
  --verbose                  print what the serverless CLI says, too
  --kubernetes-port <port>   0 (default) takes a free one                                             KUBERNETES_PORT
  --dynamodb-port <port>     likewise                                                                 DYNAMODB_PORT
  --keycloak-port <port>     likewise                                                                 KEYCLOAK_PORT
  --lambda-port <port>       likewise                                                                 LAMBDA_PORT
  --http-port <port>         likewise                                                                 HTTP_PORT
  --help                     this text

A variable named at the right counts where its option is not given. NO_COLOR=1 switches colours off.
Exit codes: 0 ended in order, 1 something failed, 2 an option that does not exist or can't be used.`

/** An option or variable that can't be used; the message says which and what would do. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Reads the options.
 *
 * @param args the arguments after the script's name.
 * @throws UsageError – unknown or unusable.
 */
export function readOptions(args: readonly string[], environment: Environment): Options {
  const values = parsed(args)
  return {
    isHelp: values.help ?? false,
    isJson: values.json ?? false,
    isVerbose: values.verbose ?? false,
    isOnce: values.once ?? false,
    isZombie: values.zombie ?? false,
    lease: leaseKind(values.lease, environment.LEASE),
    ports: {
      kubernetes: port('kubernetes', values['kubernetes-port'], environment),
      dynamodb: port('dynamodb', values['dynamodb-port'], environment),
      keycloak: port('keycloak', values['keycloak-port'], environment),
      lambda: port('lambda', values['lambda-port'], environment),
      http: port('http', values['http-port'], environment),
    },
  }
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        help: { type: 'boolean', short: 'h' },
        json: { type: 'boolean' },
        verbose: { type: 'boolean' },
        once: { type: 'boolean' },
        zombie: { type: 'boolean' },
        lease: { type: 'string' },
        'kubernetes-port': { type: 'string' },
        'dynamodb-port': { type: 'string' },
        'keycloak-port': { type: 'string' },
        'lambda-port': { type: 'string' },
        'http-port': { type: 'string' },
      },
    }).values
  } catch (error) {
    const [sentence] = (error as Error).message.split('. To specify')
    throw new UsageError(`${sentence?.replace(/\.$/, '')}; --help lists the options`, { cause: error })
  }
}

function leaseKind(option: string | undefined, variable: string | undefined): LeaseKind {
  const asked = option ?? (variable || 'kubernetes')
  if (asked === 'kubernetes' || asked === 'dynamodb') return asked
  throw new UsageError(`${option === undefined ? 'LEASE' : '--lease'}=${asked}: expected kubernetes or dynamodb`)
}

function port(server: ServerName, option: string | undefined, environment: Environment): number {
  const { option: name, variable } = PORT_SETTINGS[server]
  const asked = option ?? (environment[variable] || '0')
  if (/^\d{1,5}$/.test(asked) && Number(asked) <= 65_535) return Number(asked)
  throw new UsageError(
    `${option === undefined ? variable : `--${name}`}=${asked}: expected a port from 1 to 65535, or 0 for a free one`,
  )
}
