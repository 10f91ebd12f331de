// The environment as one checked value. The only file that reads `process.env`. A wrong variable is refused before
// anything is read or written, with its name, its value and what it should be. The tables in the README are made from
// `SETTINGS`, so a variable without a description does not exist.

import * as z from 'zod'
import { PermanentError } from './errors.ts'
import { describeMs, HOUR_MS, MINUTE_MS, parseDuration, SECOND_MS } from './time.ts'

/** A duration such as `5m`, between two bounds; read as ms. */
function duration(fallback: string, minMs: number, maxMs: number) {
  const expected = `a duration from ${describeMs(minMs)} to ${describeMs(maxMs)}, such as ${fallback}`
  return z
    .string()
    .default(fallback)
    .transform((text, context) => {
      const ms = parseDuration(text)
      if (ms !== undefined && ms >= minMs && ms <= maxMs) return ms
      context.addIssue({ code: 'custom', message: expected })
      return z.NEVER
    })
}

/** `true` or `false`, as the controllers this replaces write them. */
function flag(fallback: 'true' | 'false') {
  return z
    .enum(['true', 'false'], { error: 'true or false' })
    .default(fallback)
    .transform(text => text === 'true')
}

/** A name that can be part of a Kubernetes object's name. */
function objectName() {
  return (
    z
      .string()
      .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, 'a name of lower-case letters, digits, - and .')
      // With a loop, a request id and a nonce it is a holder, of which a Fence keeps 253 characters.
      .max(150, 'a name of at most 150 characters')
  )
}

/** A Lease, as `<namespace>/<name>`. */
function leaseName() {
  return z
    .string()
    .regex(
      /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\/[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/,
      '<namespace>/<name>, such as breakglass-system/breakglass.telekom.io',
    )
}

/**
 * Every variable, in the order of the README's table.
 *
 * `meta.description` says what it does, `meta.unit` what the value is, `meta.periodOf` which loop's period.
 */
export const SETTINGS = z.object({
  LEASE: z
    .enum(['kubernetes', 'dynamodb'], { error: 'kubernetes or dynamodb' })
    .default('kubernetes')
    .meta({ description: 'Where the lease records live.' }),
  LEADER_ELECT_ID: objectName().default('fencepost').meta({
    description:
      'Names the installation: each loop’s lease is `<id>-<loop>`. Two installations in one cluster need two ids.',
  }),
  LEADER_ELECT_NAMESPACE: objectName().optional().meta({
    description: 'Namespace of the Lease objects. Default: `POD_NAMESPACE`, else `fencepost-system`.',
  }),
  POD_NAMESPACE: objectName().optional().meta({
    description: 'Namespace of the Lease objects where `LEADER_ELECT_NAMESPACE` is not set.',
  }),
  ENABLE_LEADER_ELECTION: flag('true').meta({
    description: '`false` keeps the lease in memory: for local runs only, refused in a deployed function.',
  }),
  LEASE_TABLE: z
    .string()
    .min(3, 'a table name of at least 3 characters')
    .optional()
    .meta({ description: 'DynamoDB table of the lease items; needed with `LEASE=dynamodb`.' }),
  DYNAMODB_ENDPOINT: z
    .url({ error: 'a URL such as http://127.0.0.1:8000' })
    .optional()
    .meta({ description: 'Another DynamoDB endpoint, for local runs.' }),
  FENCE: z.enum(['enforced', 'advisory'], { error: 'enforced or advisory' }).default('enforced').meta({
    description:
      '`enforced` writes nothing unless the API server is shown to refuse overtaken writes; `advisory` writes all the same, and says so.',
  }),
  ENABLE_CLEANUP: flag('true').meta({
    description: '`false` lets the scheduled cleanup skip every tick; a manual reconcile still works.',
  }),
  CLEANUP_INTERVAL: duration('5m', MINUTE_MS, 24 * HOUR_MS).meta({
    description: 'Period of the cleanup loop; must be that of its schedule, since ticks are named by it.',
    unit: 'duration',
    periodOf: 'cleanup',
  }),
  ENABLE_STATUS_SYNC: flag('true').meta({
    description: '`false` lets the scheduled status-sync skip every tick; a manual reconcile still works.',
  }),
  ESCALATION_STATUS_UPDATE_INTERVAL: duration('10m', MINUTE_MS, 24 * HOUR_MS).meta({
    description: 'Period of the status-sync loop; must be that of its schedule.',
    unit: 'duration',
    periodOf: 'status-sync',
  }),
  EMPTY_GROUPS: z.enum(['lock', 'keep'], { error: 'lock or keep' }).default('lock').meta({
    description:
      '`lock`: a group of approvers that two ticks running find empty or gone is written as empty, and nobody of it may approve; `keep`: its last members stay, and may.',
  }),
  DISABLED_USERS: z.enum(['drop', 'keep'], { error: 'drop or keep' }).default('drop').meta({
    description: '`drop`: a user who is disabled in Keycloak is no approver; `keep`: like any other user.',
  }),
  ENABLE_CONFIG_CHECK: flag('true').meta({
    description: '`false` lets the scheduled config-check skip every tick; a manual reconcile still works.',
  }),
  CLUSTER_CONFIG_CHECK_INTERVAL: duration('10m', MINUTE_MS, 24 * HOUR_MS).meta({
    description: 'Period of the config-check loop; must be that of its schedule.',
    unit: 'duration',
    periodOf: 'config-check',
  }),
  UPSTREAM_LEASE: leaseName().optional().meta({
    description:
      'The Lease `<namespace>/<name>` by which a live k8s-breakglass elects its leader: before each tick it is looked at, see [beside a live upstream](docs/beside-upstream.md). Default: it is not.',
  }),
  UPSTREAM_MODE: z.enum(['hold', 'refuse'], { error: 'hold or refuse' }).default('refuse').meta({
    description:
      'What is done about `UPSTREAM_LEASE`: `refuse` skips every tick while somebody else renews it; `hold` keeps it between ticks, so that the loops of upstream’s leader stand still.',
  }),
  TICK_DEADLINE: duration('0s', 0, 24 * HOUR_MS).meta({
    description: 'How late a scheduled tick may begin before it is skipped as too late; `0s` is one period.',
    unit: 'duration',
  }),
  WORKERS: z.coerce
    .number({ error: 'a whole number from 1 to 16' })
    .int('a whole number from 1 to 16')
    .min(1, 'a whole number from 1 to 16')
    .max(16, 'a whole number from 1 to 16')
    .default(5)
    .meta({ description: 'How many objects are changed at a time.', unit: 'objects' }),
  SHUTDOWN_TIMEOUT: duration('30s', 0, 15 * MINUTE_MS).meta({
    description:
      'For changes in flight to end by themselves, at the end of a tick. Shrinks to fit the function’s timeout.',
    unit: 'duration',
  }),
  DRAIN_TIMEOUT: duration('10s', 0, 15 * MINUTE_MS).meta({
    description: 'For aborted changes to end after that. Shrinks likewise.',
    unit: 'duration',
  }),
  SHUTDOWN_HANDLER_TIMEOUT: duration('5s', 0, 15 * MINUTE_MS).meta({
    description: 'For each shutdown handler. Shrinks likewise.',
    unit: 'duration',
  }),
  DEBUG_SESSION_RETENTION_PERIOD: duration('168h', SECOND_MS, 365 * 24 * HOUR_MS).meta({
    description: 'How long an ended DebugSession is kept.',
    unit: 'duration',
  }),
  DEBUG_SESSION_APPROVAL_TIMEOUT: duration('24h', SECOND_MS, 365 * 24 * HOUR_MS).meta({
    description: 'When an unapproved DebugSession fails; only with `EXPIRE_DEBUG_SESSIONS=true`.',
    unit: 'duration',
  }),
  EXPIRE_DEBUG_SESSIONS: flag('false').meta({
    description:
      '`true` also expires DebugSessions. Upstream’s reconciler does that and tears their pods down; without it, they run on.',
  }),
  LOG_LEVEL: z
    .enum(['DEBUG', 'INFO', 'WARN', 'ERROR'], { error: 'DEBUG, INFO, WARN or ERROR' })
    .default('INFO')
    .meta({ description: 'The least severe log lines that are written.' }),
  KUBECONFIG: z
    .string()
    .optional()
    .meta({ description: 'Kubeconfig files. Default: `~/.kube/config`, else a pod’s service account.' }),
  KUBECONFIG_SECRET_ARN: z
    .string()
    .regex(
      /^arn:[\w-]+:secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@-]+-[A-Za-z0-9]{6}$/,
      'the full ARN of a secret, with the six characters at its end',
    )
    .optional()
    .meta({
      description:
        'A secret of AWS Secrets Manager whose text is a kubeconfig, with a token or client certificate in it and no commands or files. Read at a cold start and again after 10 min.',
    }),
  SECRETS_MANAGER_ENDPOINT: z
    .url({ error: 'a URL such as https://vpce-1.secretsmanager.eu-central-1.vpce.amazonaws.com' })
    .optional()
    .meta({ description: 'Another Secrets Manager endpoint: https, or one on this machine.' }),
  EKS_CLUSTER: z
    .string()
    .optional()
    .meta({ description: 'Name of an EKS cluster to connect to with a signed token; needs the next three.' }),
  EKS_ENDPOINT: z
    .url({ protocol: /^https$/, error: 'an https URL' })
    .optional()
    .meta({ description: 'Its API server endpoint.' }),
  EKS_CA: z
    .base64({ error: 'the certificate authority in base64, as EKS gives it' })
    .optional()
    .meta({ description: 'Its certificate authority.', unit: 'base64' }),
  AWS_REGION: z
    .string()
    .optional()
    .meta({ description: 'Its region, and that of the lease table. A function has it set.' }),
})

/** The environment, checked; absent optional variables are undefined. */
export type Settings = z.output<typeof SETTINGS>

/** What the rooms above work with. */
export interface Config extends Settings {
  /** Namespace of the Lease objects. */
  readonly leaseNamespace: string
  /** Running on a platform that deployed it, not on somebody's machine. */
  readonly isDeployed: boolean
}

/** A set of environment variables. */
export type Environment = Readonly<Record<string, string | undefined>>

/**
 * Reads and checks the environment; an empty variable counts as absent.
 * @throws PermanentError – InvalidConfiguration, naming every wrong variable at once.
 */
export function readConfig(environment: Environment = process.env): Config {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''))
  const parsed = SETTINGS.safeParse(given)
  if (!parsed.success)
    throw invalid(
      parsed.error.issues.map(
        ({ path, message }) =>
          `${path.join('.')}=${given[String(path[0])]?.slice(0, LONGEST_VALUE)}: expected ${message}`,
      ),
    )
  const settings = parsed.data
  const isDeployed = Boolean(given.AWS_LAMBDA_FUNCTION_NAME) && !given.IS_OFFLINE && !given.IS_LOCAL
  const leaseNamespace = settings.LEADER_ELECT_NAMESPACE ?? settings.POD_NAMESPACE ?? 'fencepost-system'
  const wrong = [...contradictions(settings, isDeployed), ...besideUpstream(settings, leaseNamespace)]
  if (wrong.length > 0) throw invalid(wrong)
  return { ...settings, leaseNamespace, isDeployed }
}

/** Variables that are right by themselves and wrong together. */
function contradictions(settings: Settings, isDeployed: boolean): string[] {
  const wrong: string[] = []
  if (settings.LEASE === 'dynamodb' && !settings.LEASE_TABLE)
    wrong.push('LEASE_TABLE is missing: LEASE=dynamodb needs the table’s name')
  if (!settings.ENABLE_LEADER_ELECTION && isDeployed)
    wrong.push(
      'ENABLE_LEADER_ELECTION=false is for local runs: a deployed function without a shared lease could act twice',
    )
  for (const other of ['KUBECONFIG', 'EKS_CLUSTER'] as const)
    if (settings.KUBECONFIG_SECRET_ARN && settings[other])
      wrong.push(`KUBECONFIG_SECRET_ARN and ${other} each name a cluster: give one of them`)
  if (settings.SECRETS_MANAGER_ENDPOINT && !isSafe(settings.SECRETS_MANAGER_ENDPOINT))
    wrong.push(
      `SECRETS_MANAGER_ENDPOINT=${settings.SECRETS_MANAGER_ENDPOINT}: a secret crosses no network in clear text; use https`,
    )
  if (settings.EKS_CLUSTER)
    for (const needed of ['EKS_ENDPOINT', 'EKS_CA', 'AWS_REGION'] as const)
      if (!settings[needed]) wrong.push(`${needed} is missing: EKS_CLUSTER=${settings.EKS_CLUSTER} needs it`)
  return wrong
}

function besideUpstream(settings: Settings, leaseNamespace: string): string[] {
  const { UPSTREAM_LEASE: lease, UPSTREAM_MODE, LEADER_ELECT_ID } = settings
  if (!lease)
    return UPSTREAM_MODE === 'hold'
      ? ['UPSTREAM_LEASE is missing: UPSTREAM_MODE=hold needs the Lease that is to be held, as <namespace>/<name>']
      : []
  return lease.startsWith(`${leaseNamespace}/${LEADER_ELECT_ID}-`)
    ? [`UPSTREAM_LEASE=${lease}: that is a Lease of this installation; name the one that upstream elects by`]
    : []
}

/** Whether what is sent there stays on this machine or is encrypted. */
function isSafe(url: string): boolean {
  const { protocol, hostname } = new URL(url)
  return protocol === 'https:' || ['127.0.0.1', '[::1]', 'localhost'].includes(hostname)
}

/** How much of a wrong value is shown, characters. */
const LONGEST_VALUE = 60

function invalid(lines: string[]): PermanentError {
  return new PermanentError('InvalidConfiguration', `the environment is not usable: ${lines.join('; ')}`)
}

/** AWS credentials in the environment, as the platform renews them. */
export interface AwsCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** Present for temporary credentials, as every function has. */
  readonly sessionToken?: string
}

/**
 * Reads the AWS credentials anew.
 * @throws PermanentError – Unauthorized, when there are none.
 */
export function readAwsCredentials(environment: Environment = process.env): AwsCredentials {
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } = environment
  if (!AWS_ACCESS_KEY_ID || !AWS_SECRET_ACCESS_KEY)
    throw new PermanentError(
      'Unauthorized',
      'AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set; the function’s role sets them',
    )
  return {
    accessKeyId: AWS_ACCESS_KEY_ID,
    secretAccessKey: AWS_SECRET_ACCESS_KEY,
    ...(AWS_SESSION_TOKEN ? { sessionToken: AWS_SESSION_TOKEN } : {}),
  }
}
