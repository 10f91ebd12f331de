import { describe, expect, it } from 'vitest'
import { type Environment, readAwsCredentials, readConfig, SETTINGS } from '../../lib/config.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../lib/time.ts'

/** Why an environment is refused, without the words that begin every refusal. */
function refusalOf(environment: Environment): string {
  try {
    readConfig(environment)
  } catch (error) {
    expect(error).toMatchObject({ name: 'PermanentError', code: 'InvalidConfiguration' })
    return (error as Error).message.replace(/^the environment is not usable: /, '')
  }
  return 'it is not refused'
}

describe('an empty environment', () => {
  it('gives the documented defaults', () => {
    expect(readConfig({})).toEqual({
      LEASE: 'kubernetes',
      LEADER_ELECT_ID: 'fencepost',
      ENABLE_LEADER_ELECTION: true,
      FENCE: 'enforced',
      ENABLE_CLEANUP: true,
      CLEANUP_INTERVAL: 5 * MINUTE_MS,
      ENABLE_STATUS_SYNC: true,
      ESCALATION_STATUS_UPDATE_INTERVAL: 10 * MINUTE_MS,
      EMPTY_GROUPS: 'lock',
      DISABLED_USERS: 'drop',
      ENABLE_CONFIG_CHECK: true,
      CLUSTER_CONFIG_CHECK_INTERVAL: 10 * MINUTE_MS,
      UPSTREAM_MODE: 'refuse',
      TICK_DEADLINE: 0,
      WORKERS: 5,
      SHUTDOWN_TIMEOUT: 30 * SECOND_MS,
      DRAIN_TIMEOUT: 10 * SECOND_MS,
      SHUTDOWN_HANDLER_TIMEOUT: 5 * SECOND_MS,
      DEBUG_SESSION_RETENTION_PERIOD: 168 * HOUR_MS,
      DEBUG_SESSION_APPROVAL_TIMEOUT: 24 * HOUR_MS,
      EXPIRE_DEBUG_SESSIONS: false,
      LOG_LEVEL: 'INFO',
      leaseNamespace: 'fencepost-system',
      isDeployed: false,
    })
  })

  it('is what an environment of empty variables is', () => {
    const empty = Object.fromEntries(Object.keys(SETTINGS.shape).map(name => [name, '']))
    expect(readConfig(empty)).toEqual(readConfig({}))
  })

  it('is what an environment of foreign variables is', () => {
    expect(readConfig({ PATH: '/bin', WORKERS_: 'x', lease: 'etcd' })).toEqual(readConfig({}))
  })
})

const OBJECT_NAME = 'a name of lower-case letters, digits, - and .'
const WORKERS = 'a whole number from 1 to 16'
const SECRET_ARN = 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:kubeconfig-a1B2c3'

/** For each variable: values that are right, with what they are read as, and the sentence that every wrong one is refused with. */
const VARIABLES: [name: string, right: [string, unknown][], wrong: string[], expected: string][] = [
  ['LEASE', [['kubernetes', 'kubernetes']], ['etcd', 'Kubernetes', ' '], 'kubernetes or dynamodb'],
  [
    'LEADER_ELECT_ID',
    [
      ['a', 'a'],
      ['edge-7.blue', 'edge-7.blue'],
    ],
    ['Edge', '-a', 'a-', 'a/b', 'a_b', ' a'],
    OBJECT_NAME,
  ],
  ['LEADER_ELECT_NAMESPACE', [['ops', 'ops']], ['Ops', 'ops/x'], OBJECT_NAME],
  ['POD_NAMESPACE', [['ops', 'ops']], ['Ops', '..'], OBJECT_NAME],
  [
    'ENABLE_LEADER_ELECTION',
    [
      ['true', true],
      ['false', false],
    ],
    ['TRUE', '1', 'yes'],
    'true or false',
  ],
  ['LEASE_TABLE', [['abc', 'abc']], ['ab'], 'a table name of at least 3 characters'],
  [
    'DYNAMODB_ENDPOINT',
    [['http://127.0.0.1:8000', 'http://127.0.0.1:8000']],
    ['127.0.0.1', 'http://'],
    'a URL such as http://127.0.0.1:8000',
  ],
  [
    'FENCE',
    [
      ['enforced', 'enforced'],
      ['advisory', 'advisory'],
    ],
    ['off', 'Enforced', 'true'],
    'enforced or advisory',
  ],
  [
    'ENABLE_CLEANUP',
    [
      ['true', true],
      ['false', false],
    ],
    ['off'],
    'true or false',
  ],
  [
    'CLEANUP_INTERVAL',
    [
      ['1m', MINUTE_MS],
      ['1h30m', 90 * MINUTE_MS],
      ['24h', DAY_MS],
      ['1d', DAY_MS],
    ],
    ['59s', '25h', '5', '5 m', '-5m', 'often'],
    'a duration from 1 min to 24 h, such as 5m',
  ],
  [
    'ENABLE_STATUS_SYNC',
    [
      ['true', true],
      ['false', false],
    ],
    ['no'],
    'true or false',
  ],
  [
    'ESCALATION_STATUS_UPDATE_INTERVAL',
    [
      ['1m', MINUTE_MS],
      ['24h', DAY_MS],
    ],
    ['59s', '25h', '-10m'],
    'a duration from 1 min to 24 h, such as 10m',
  ],
  [
    'EMPTY_GROUPS',
    [
      ['lock', 'lock'],
      ['keep', 'keep'],
    ],
    ['drop', 'Lock', 'true'],
    'lock or keep',
  ],
  [
    'DISABLED_USERS',
    [
      ['drop', 'drop'],
      ['keep', 'keep'],
    ],
    ['lock', 'false'],
    'drop or keep',
  ],
  [
    'ENABLE_CONFIG_CHECK',
    [
      ['true', true],
      ['false', false],
    ],
    ['never'],
    'true or false',
  ],
  [
    'CLUSTER_CONFIG_CHECK_INTERVAL',
    [
      ['1m', MINUTE_MS],
      ['24h', DAY_MS],
    ],
    ['0s', '25h'],
    'a duration from 1 min to 24 h, such as 10m',
  ],
  [
    'TICK_DEADLINE',
    [
      ['0s', 0],
      ['90s', 90 * SECOND_MS],
    ],
    ['2d', '-1s'],
    'a duration from 0 ms to 24 h, such as 0s',
  ],
  [
    'WORKERS',
    [
      ['1', 1],
      ['16', 16],
    ],
    ['0', '17', '2.5', '0.5', 'five', ' ', 'Infinity'],
    WORKERS,
  ],
  [
    'SHUTDOWN_TIMEOUT',
    [
      ['0s', 0],
      ['15m', 15 * MINUTE_MS],
    ],
    ['15m1s', '30'],
    'a duration from 0 ms to 15 min, such as 30s',
  ],
  ['DRAIN_TIMEOUT', [['500ms', 500]], ['1h'], 'a duration from 0 ms to 15 min, such as 10s'],
  ['SHUTDOWN_HANDLER_TIMEOUT', [['5s', 5 * SECOND_MS]], ['soon'], 'a duration from 0 ms to 15 min, such as 5s'],
  [
    'DEBUG_SESSION_RETENTION_PERIOD',
    [['7d', 7 * DAY_MS]],
    ['0s', '366d', '2y'],
    'a duration from 1.0 s to 365 d, such as 168h',
  ],
  ['DEBUG_SESSION_APPROVAL_TIMEOUT', [['2h', 2 * HOUR_MS]], ['999ms'], 'a duration from 1.0 s to 365 d, such as 24h'],
  ['EXPIRE_DEBUG_SESSIONS', [['true', true]], ['True'], 'true or false'],
  [
    'LOG_LEVEL',
    [
      ['DEBUG', 'DEBUG'],
      ['ERROR', 'ERROR'],
    ],
    ['debug', 'TRACE'],
    'DEBUG, INFO, WARN or ERROR',
  ],
  [
    'KUBECONFIG_SECRET_ARN',
    [
      [SECRET_ARN, SECRET_ARN],
      [
        'arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:fencepost/prod+a=b.c@d_e-f-a1B2c3',
        'arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:fencepost/prod+a=b.c@d_e-f-a1B2c3',
      ],
    ],
    [
      'fencepost/kubeconfig',
      'arn:aws:secretsmanager:eu-west-1:123456789012:secret:abc',
      'arn:aws:secretsmanager:eu-west-1:123456789012:secret:*',
      'arn:aws:ssm:eu-west-1:123456789012:secret:abc-a1B2c3',
    ],
    'the full ARN of a secret, with the six characters at its end',
  ],
  [
    'SECRETS_MANAGER_ENDPOINT',
    [
      ['https://vpce.example.com', 'https://vpce.example.com'],
      ['http://127.0.0.1:5000', 'http://127.0.0.1:5000'],
    ],
    ['vpce.example.com'],
    'a URL such as https://vpce-1.secretsmanager.eu-central-1.vpce.amazonaws.com',
  ],
  [
    'EKS_ENDPOINT',
    [['https://abc.eks.amazonaws.com', 'https://abc.eks.amazonaws.com']],
    ['http://abc.eks.amazonaws.com', 'abc'],
    'an https URL',
  ],
  [
    'EKS_CA',
    [['Y2E=', 'Y2E=']],
    ['-----BEGIN CERTIFICATE-----', 'Y2E'],
    'the certificate authority in base64, as EKS gives it',
  ],
  [
    'UPSTREAM_LEASE',
    [
      ['breakglass-system/breakglass.telekom.io', 'breakglass-system/breakglass.telekom.io'],
      [`${'n'.repeat(63)}/x`, `${'n'.repeat(63)}/x`],
    ],
    ['breakglass.telekom.io', 'a/b/c', '/b', 'a/', 'A/b', 'a.b/c', 'a/-b'],
    '<namespace>/<name>, such as breakglass-system/breakglass.telekom.io',
  ],
  ['UPSTREAM_MODE', [['refuse', 'refuse']], ['Hold', 'take'], 'hold or refuse'],
]

describe('a variable', () => {
  it('has rows here unless any text is right for it', () => {
    const free = ['KUBECONFIG', 'EKS_CLUSTER', 'AWS_REGION']
    expect([...VARIABLES.map(([name]) => name), ...free].sort()).toEqual(Object.keys(SETTINGS.shape).sort())
  })

  it.each(VARIABLES.flatMap(([name, right]) => right.map(([text, value]) => [name, text, value] as const)))(
    '%s=%s is read as %s',
    (name, text, value) => {
      expect(readConfig({ [name]: text })[name as 'LEASE']).toBe(value)
    },
  )

  it.each(VARIABLES.flatMap(([name, , wrong, expected]) => wrong.map(text => [name, text, expected] as const)))(
    '%s=%s is refused once: %s',
    (name, text, expected) => {
      expect(refusalOf({ [name]: text })).toBe(`${name}=${text}: expected ${expected}`)
    },
  )

  it('that names an object has at most 150 characters', () => {
    expect(readConfig({ LEADER_ELECT_ID: 'a'.repeat(150) }).LEADER_ELECT_ID).toHaveLength(150)
    expect(refusalOf({ LEADER_ELECT_ID: 'a'.repeat(151) })).toMatch(/: expected a name of at most 150 characters$/)
  })

  it('is shown with at most 60 characters of its value', () => {
    expect(refusalOf({ LOG_LEVEL: 'x'.repeat(61) })).toBe(
      `LOG_LEVEL=${'x'.repeat(60)}: expected DEBUG, INFO, WARN or ERROR`,
    )
  })

  it('has a description, since the README’s table is made of these', () => {
    for (const [name, field] of Object.entries(SETTINGS.shape))
      expect([name, field.meta()?.description]).toEqual([name, expect.any(String)])
  })
})

describe('variables', () => {
  it('that are wrong are all named at once', () => {
    expect(refusalOf({ LEASE: 'etcd', WORKERS: '0', LOG_LEVEL: 'loud', CLEANUP_INTERVAL: '5m' })).toBe(
      `LEASE=etcd: expected kubernetes or dynamodb; WORKERS=0: expected ${WORKERS}; LOG_LEVEL=loud: expected DEBUG, INFO, WARN or ERROR`,
    )
  })

  it.each<[string, Environment, string]>([
    [
      'LEASE=dynamodb needs a table',
      { LEASE: 'dynamodb' },
      'LEASE_TABLE is missing: LEASE=dynamodb needs the table’s name',
    ],
    [
      'EKS_CLUSTER needs three others',
      { EKS_CLUSTER: 'edge' },
      'EKS_ENDPOINT is missing: EKS_CLUSTER=edge needs it; EKS_CA is missing: EKS_CLUSTER=edge needs it; AWS_REGION is missing: EKS_CLUSTER=edge needs it',
    ],
    [
      'EKS_CLUSTER with two of them needs the third',
      { EKS_CLUSTER: 'edge', EKS_ENDPOINT: 'https://x', AWS_REGION: 'eu-central-1' },
      'EKS_CA is missing: EKS_CLUSTER=edge needs it',
    ],
    [
      'a deployed function needs a shared lease',
      { ENABLE_LEADER_ELECTION: 'false', AWS_LAMBDA_FUNCTION_NAME: 'cleanup' },
      'ENABLE_LEADER_ELECTION=false is for local runs: a deployed function without a shared lease could act twice',
    ],
    [
      'a secret and a file are two kubeconfigs',
      { KUBECONFIG_SECRET_ARN: SECRET_ARN, KUBECONFIG: '/opt/kubeconfig' },
      'KUBECONFIG_SECRET_ARN and KUBECONFIG each name a cluster: give one of them',
    ],
    [
      'a kubeconfig and EKS are two clusters',
      {
        KUBECONFIG_SECRET_ARN: SECRET_ARN,
        EKS_CLUSTER: 'edge',
        EKS_ENDPOINT: 'https://x',
        EKS_CA: 'Y2E=',
        AWS_REGION: 'eu-central-1',
      },
      'KUBECONFIG_SECRET_ARN and EKS_CLUSTER each name a cluster: give one of them',
    ],
    [
      'a secret crosses a network',
      { SECRETS_MANAGER_ENDPOINT: 'http://10.0.0.1:5000' },
      'SECRETS_MANAGER_ENDPOINT=http://10.0.0.1:5000: a secret crosses no network in clear text; use https',
    ],
    [
      'nothing is named that is to be held',
      { UPSTREAM_MODE: 'hold' },
      'UPSTREAM_LEASE is missing: UPSTREAM_MODE=hold needs the Lease that is to be held, as <namespace>/<name>',
    ],
    [
      'upstream’s Lease is our own',
      { UPSTREAM_LEASE: 'leases/edge-cleanup', LEADER_ELECT_ID: 'edge', LEADER_ELECT_NAMESPACE: 'leases' },
      'UPSTREAM_LEASE=leases/edge-cleanup: that is a Lease of this installation; name the one that upstream elects by',
    ],
    [
      'all of it at once',
      { LEASE: 'dynamodb', ENABLE_LEADER_ELECTION: 'false', AWS_LAMBDA_FUNCTION_NAME: 'cleanup' },
      'LEASE_TABLE is missing: LEASE=dynamodb needs the table’s name; ENABLE_LEADER_ELECTION=false is for local runs: a deployed function without a shared lease could act twice',
    ],
  ])('that contradict each other are refused: %s', (_title, environment, expected) => {
    expect(refusalOf(environment)).toBe(expected)
  })

  it.each<[string, Environment]>([
    ['LEASE=dynamodb with a table', { LEASE: 'dynamodb', LEASE_TABLE: 'leases' }],
    [
      'EKS_CLUSTER with its three',
      { EKS_CLUSTER: 'edge', EKS_ENDPOINT: 'https://x', EKS_CA: 'Y2E=', AWS_REGION: 'eu-central-1' },
    ],
    ['a Lease to be held', { UPSTREAM_LEASE: 'a/b', UPSTREAM_MODE: 'hold' }],
    ['a Lease of upstream’s in our namespace', { UPSTREAM_LEASE: 'fencepost-system/breakglass.telekom.io' }],
    ['no shared lease on somebody’s machine', { ENABLE_LEADER_ELECTION: 'false' }],
    [
      'no shared lease in serverless offline',
      { ENABLE_LEADER_ELECTION: 'false', AWS_LAMBDA_FUNCTION_NAME: 'cleanup', IS_OFFLINE: 'true' },
    ],
    [
      'no shared lease in serverless invoke local',
      { ENABLE_LEADER_ELECTION: 'false', AWS_LAMBDA_FUNCTION_NAME: 'cleanup', IS_LOCAL: 'true' },
    ],
  ])('that go together are read: %s', (_title, environment) => {
    expect(readConfig(environment)).toMatchObject({ leaseNamespace: 'fencepost-system' })
  })

  it.each<[string, Environment, string]>([
    ['LEADER_ELECT_NAMESPACE before POD_NAMESPACE', { LEADER_ELECT_NAMESPACE: 'elect', POD_NAMESPACE: 'pod' }, 'elect'],
    ['POD_NAMESPACE without it', { POD_NAMESPACE: 'pod' }, 'pod'],
    ['POD_NAMESPACE where it is empty', { LEADER_ELECT_NAMESPACE: '', POD_NAMESPACE: 'pod' }, 'pod'],
    ['fencepost-system without both', {}, 'fencepost-system'],
  ])('name the leases’ namespace: %s', (_title, environment, namespace) => {
    expect(readConfig(environment).leaseNamespace).toBe(namespace)
  })

  it.each<[string, Environment, boolean]>([
    ['a function', { AWS_LAMBDA_FUNCTION_NAME: 'cleanup' }, true],
    ['serverless offline', { AWS_LAMBDA_FUNCTION_NAME: 'cleanup', IS_OFFLINE: 'true' }, false],
    ['serverless invoke local', { AWS_LAMBDA_FUNCTION_NAME: 'cleanup', IS_LOCAL: 'true' }, false],
    ['anything else', {}, false],
  ])('tell whether this is a deployment: %s', (_title, environment, isDeployed) => {
    expect(readConfig(environment).isDeployed).toBe(isDeployed)
  })

  it('never show AWS credentials, right or wrong', () => {
    const environment = {
      AWS_ACCESS_KEY_ID: 'AKID-secret',
      AWS_SECRET_ACCESS_KEY: 'secret',
      AWS_SESSION_TOKEN: 'secret',
    }
    expect(JSON.stringify(readConfig(environment))).not.toContain('secret')
    expect(refusalOf({ ...environment, WORKERS: 'x' })).not.toContain('secret')
  })
})

describe('AWS credentials', () => {
  const both = { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'secret' }

  it('are read with their session token where there is one', () => {
    const pair = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' }
    expect(readAwsCredentials(both)).toEqual(pair)
    expect(readAwsCredentials({ ...both, AWS_SESSION_TOKEN: '' })).toEqual(pair)
    expect(readAwsCredentials({ ...both, AWS_SESSION_TOKEN: 'temporary' })).toEqual({
      ...pair,
      sessionToken: 'temporary',
    })
  })

  it.each<[string, Environment]>([
    ['none', {}],
    ['only a key', { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE' }],
    ['only a secret', { AWS_SECRET_ACCESS_KEY: 'secret' }],
    ['an empty secret', { ...both, AWS_SECRET_ACCESS_KEY: '' }],
  ])('are refused where there is %s, and not shown', (_title, environment) => {
    expect(() => readAwsCredentials(environment)).toThrow(
      expect.objectContaining({
        code: 'Unauthorized',
        message: 'AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set; the function’s role sets them',
      }),
    )
  })
})
