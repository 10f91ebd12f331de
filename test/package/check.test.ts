import { describe, expect, it } from 'vitest'
import { type FunctionDeclaration, problemsOf } from '../../infra/build/check.ts'

/** A scheduled function with nothing wrong; each row below breaks one thing. */
const cleanup: FunctionDeclaration = {
  name: 'cleanup',
  timeoutSeconds: 120,
  maximumEventAgeSeconds: 300,
  schedules: ['cron(0/5 * * * ? *)'],
  environment: { CLEANUP_INTERVAL: '5m' },
  vpc: { subnetIds: ['subnet-1', 'subnet-2'], securityGroupIds: ['sg-1'] },
}
const reconcile: FunctionDeclaration = { ...cleanup, name: 'reconcile', schedules: [] }

describe('problemsOf', () => {
  it.each<[string, FunctionDeclaration]>([
    ['a scheduled function', cleanup],
    ['a function that is started by hand', reconcile],
    ['a timeout of exactly the period less tail and skew', { ...cleanup, timeoutSeconds: 280 }],
    ['a function outside any VPC', { ...cleanup, vpc: { subnetIds: [], securityGroupIds: [] } }],
    ['an empty variable, which counts as absent', { ...cleanup, environment: { LEASE_TABLE: '' } }],
    ['a period of 2 h', every('2h', 'cron(0 0/2 * * ? *)')],
    ['a period of 1 h', every('1h', 'cron(0 0/1 * * ? *)')],
    ['a period of a day', every('24h', 'cron(0 0 * * ? *)')],
    ['status-sync as it comes', { ...cleanup, name: 'status-sync', schedules: ['cron(0/10 * * * ? *)'] }],
    ['config-check as it comes', { ...cleanup, name: 'config-check', schedules: ['cron(0/10 * * * ? *)'] }],
  ])('finds nothing wrong with %s', (_, declaration) => {
    expect(problemsOf(declaration)).toEqual([])
  })

  it.each<[string, FunctionDeclaration, string]>([
    [
      'a timeout one second too long',
      { ...cleanup, timeoutSeconds: 281 },
      'cleanup: timeout 281 s + tail 15 s + skew 5 s = 301 s is more than CLEANUP_INTERVAL, the period of 300 s, so that a crash would cost more than one tick; set the timeout to at most 280 s, or a longer interval',
    ],
    [
      'a manual run whose crash would cost two ticks',
      { ...reconcile, timeoutSeconds: 281 },
      'reconcile: timeout 281 s + tail 15 s + skew 5 s = 301 s is more than CLEANUP_INTERVAL',
    ],
    [
      'a timeout that a settle would use up',
      { ...cleanup, timeoutSeconds: 20 },
      'cleanup: timeout 20 s is too short for the settle after a crash (15 s), work (1 s), the shutdown stages and the reserves (7.75 s); set it to at least 40 s',
    ],
    [
      'a rate',
      { ...cleanup, schedules: ['rate(5 minutes)'] },
      'needs the schedule cron(0/5 * * * ? *), not rate(5 minutes)',
    ],
    ['two schedules', { ...cleanup, schedules: [...cleanup.schedules, 'rate(1 day)'] }, 'needs the schedule cron(0/5'],
    [
      'another interval than its schedule’s',
      every('10m', 'cron(0/5 * * * ? *)'),
      'needs the schedule cron(0/10 * * * ? *)',
    ],
    [
      'a period that does not divide a day',
      every('7m', 'cron(0/7 * * * ? *)'),
      'the period of 420 s does not divide a day',
    ],
    ['a period of 90 s', every('90s', 'cron(0/1 * * * ? *)'), 'the period of 90 s does not divide a day'],
    [
      'events that may grow older than a period',
      { ...cleanup, maximumEventAgeSeconds: 301 },
      'maximumEventAge 301 s is more than CLEANUP_INTERVAL, the period of 300 s',
    ],
    [
      'events of any age',
      { ...cleanup, maximumEventAgeSeconds: undefined },
      'maximumEventAge is not set, which is 21600 s',
    ],
    [
      'a schedule without a loop',
      { ...cleanup, name: 'statusSync' },
      'statusSync: it has a schedule, but no setting of lib/config.ts is the period of statusSync; name the function as its loop',
    ],
    [
      'status-sync with the schedule of cleanup',
      { ...cleanup, name: 'status-sync' },
      'ESCALATION_STATUS_UPDATE_INTERVAL, the period of 600 s needs the schedule cron(0/10 * * * ? *)',
    ],
    [
      'config-check with another interval than its schedule’s',
      {
        ...cleanup,
        name: 'config-check',
        schedules: ['cron(0/10 * * * ? *)'],
        environment: { CLUSTER_CONFIG_CHECK_INTERVAL: '15m' },
      },
      'CLUSTER_CONFIG_CHECK_INTERVAL, the period of 900 s needs the schedule cron(0/15 * * * ? *)',
    ],
    [
      'a manual run whose crash would cost two ticks of the loop with the shortest period',
      { ...reconcile, environment: { CLUSTER_CONFIG_CHECK_INTERVAL: '2m' } },
      'reconcile: timeout 120 s + tail 15 s + skew 5 s = 140 s is more than CLUSTER_CONFIG_CHECK_INTERVAL, the period of 120 s',
    ],
    [
      'an unknown variable',
      { ...cleanup, environment: { LEASSE: 'x' } },
      'cleanup: LEASSE: no such setting in lib/config.ts',
    ],
    ['a wrong value', { ...cleanup, environment: { LEASE: 'redis' } }, 'LEASE=redis: expected kubernetes or dynamodb'],
    [
      'a deployed function without a shared lease',
      { ...cleanup, environment: { ENABLE_LEADER_ELECTION: 'false' } },
      'ENABLE_LEADER_ELECTION=false is for local runs',
    ],
    [
      'one subnet',
      { ...cleanup, vpc: { ...cleanup.vpc, subnetIds: ['subnet-1'] } },
      'one subnet (subnet-1): name at least two',
    ],
    [
      'the same subnet twice',
      { ...cleanup, vpc: { ...cleanup.vpc, subnetIds: ['subnet-1', 'subnet-1'] } },
      'one subnet (subnet-1): name at least two',
    ],
    [
      'security groups without subnets',
      { ...cleanup, vpc: { ...cleanup.vpc, subnetIds: [] } },
      '0 subnets and 1 security groups: give both, or neither',
    ],
    [
      'subnets without security groups',
      { ...cleanup, vpc: { ...cleanup.vpc, securityGroupIds: [] } },
      '2 subnets and 0 security groups: give both, or neither',
    ],
  ])('refuses %s', (_, declaration, problem) => {
    expect(problemsOf(declaration)).toEqual([expect.stringContaining(problem)])
  })
})

function every(interval: string, schedule: string): FunctionDeclaration {
  return {
    ...cleanup,
    schedules: [schedule],
    environment: { CLEANUP_INTERVAL: interval },
    ...(interval === '90s' && { timeoutSeconds: 70, maximumEventAgeSeconds: 60 }),
  }
}
