// The settings of the always-on controllers that Fencepost replaces, and what becomes of each: honoured under the same
// environment variable, or why it has no counterpart.

/** One setting as it is spelled there, with all its spellings, and what it is here. */
export interface Counterpart {
  readonly there: readonly string[]
  readonly here: string
}

/** Every setting around election, shutdown and intervals; a test checks that variables named here exist. */
export const COUNTERPARTS: readonly Counterpart[] = [
  {
    there: ['ENABLE_LEADER_ELECTION', '--enable-leader-election', '--leader-elect'],
    here: '`ENABLE_LEADER_ELECTION`. `false` keeps the lease in memory and is refused in a deployed function: without a shared lease every delivery would act.',
  },
  {
    there: ['LEADER_ELECT_ID', '--leader-elect-id', '--leader-election-id'],
    here: '`LEADER_ELECT_ID`, but it names the installation, and each loop has a lease of its own, `<id>-<loop>`. Never give it the id of a running controller.',
  },
  {
    there: ['LEADER_ELECT_NAMESPACE', '--leader-elect-namespace', '--leader-election-namespace'],
    here: '`LEADER_ELECT_NAMESPACE`.',
  },
  { there: ['POD_NAMESPACE', '--pod-namespace'], here: '`POD_NAMESPACE`, where `LEADER_ELECT_NAMESPACE` is not set.' },
  {
    there: ['POD_NAME'],
    here: 'None. A pod’s name is one identity for many attempts; a holder here is `<id>-<loop>/<request id>/<nonce>`, unique per attempt.',
  },
  {
    there: ['--leader-elect-lease-duration', 'LeaseDuration (15 s)'],
    here: 'None. A term is what the platform leaves the invocation, plus 15 s.',
  },
  {
    there: [
      '--leader-elect-renew-deadline',
      'RenewDeadline (10 s)',
      '--leader-elect-retry-period',
      'RetryPeriod (2 s)',
    ],
    here: 'None. A function knows its end when it starts, so nothing is renewed and nothing is retried: the next tick is the retry.',
  },
  {
    there: ['ReleaseOnCancel'],
    here: 'Always: a term ends with one write that gives the lease back, and says whether all its writes are known.',
  },
  { there: ['replicas (2 or 3)', 'PodDisruptionBudget'], here: 'None. Nothing runs between ticks.' },
  {
    there: ['ENABLE_CLEANUP', '--enable-cleanup'],
    here: '`ENABLE_CLEANUP`, for the schedule; a manual reconcile still works.',
  },
  {
    there: ['CLEANUP_INTERVAL'],
    here: '`CLEANUP_INTERVAL`, from 1 minute; the schedule in `serverless.yml` must agree, and packaging checks that.',
  },
  { there: ['--workers (5)'], here: '`WORKERS`.' },
  {
    there: ['ShutdownTimeoutSeconds (30 s)', 'queue drain (10 s)', 'shutdown handler (5 s)'],
    here: '`SHUTDOWN_TIMEOUT`, `DRAIN_TIMEOUT`, `SHUTDOWN_HANDLER_TIMEOUT`, shrunk in proportion so that their sum fits the function’s timeout.',
  },
  { there: ['DEBUG_SESSION_RETENTION_PERIOD'], here: '`DEBUG_SESSION_RETENTION_PERIOD`.' },
  {
    there: ['DEBUG_SESSION_APPROVAL_TIMEOUT'],
    here: '`DEBUG_SESSION_APPROVAL_TIMEOUT`, only with `EXPIRE_DEBUG_SESSIONS=true`.',
  },
  {
    there: ['ESCALATION_STATUS_UPDATE_INTERVAL'],
    here: '`ESCALATION_STATUS_UPDATE_INTERVAL`, from 1 minute, with the schedule of `status-sync`.',
  },
  {
    there: ['CLUSTER_CONFIG_CHECK_INTERVAL', '--cluster-config-check-interval'],
    here: '`CLUSTER_CONFIG_CHECK_INTERVAL`, from 1 minute, with the schedule of `config-check`.',
  },
  {
    there: ['--enable-controllers'],
    here: 'None. It stops more there than those two loops; [beside a live upstream](docs/beside-upstream.md) they are stopped by holding its lease.',
  },
]
