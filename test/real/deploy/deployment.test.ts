// The packaged service through cfn-lint, and deployed to and removed from a stand-in for AWS's control plane. That runs no
// function, and its CloudFormation knows neither alarms, access entries, how events are retried nor a table's encryption
// and recovery; test/package looks at those in the template.

import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readSecret } from '../../../lib/kubernetes/secrets-manager.ts'
import { systemClock } from '../../../lib/time.ts'
import { type DeploymentRow, deploymentTable } from '../../package/deployment-table.ts'
import { copyService, EVERYTHING, type Ran, run, SECRET, type ServiceCopy } from '../../package/service.ts'
import { describeWith } from '../world/left-out.ts'
import { type Account, openAccount } from './account.ts'
import { type AwsTools, awsTools, whyNoTools } from './python.ts'

const LIMIT_MS = 300_000
const LOOPBACK_ONLY = fileURLToPath(new URL('loopback-only.cjs', import.meta.url))
/** Ids as AWS gives them, since the stand-in looks at their form. */
const PARAMETERS = { ...EVERYTHING, subnetIds: 'subnet-0a1b2c3d,subnet-1a1b2c3d', securityGroupIds: 'sg-0a1b2c3d' }
/** What the stand-in's CloudFormation does not know; it says so and goes on. */
const NOT_IN_STAND_IN = ['access entries', 'alarms']
/** What it does not delete with a stack. */
const LEFT_BY_STAND_IN = ['managed policy']

describeWith((await whyNoTools()) ?? {}, 'the packaged service', () => {
  let tools: AwsTools
  let copy: ServiceCopy

  beforeAll(async () => {
    tools = await awsTools()
    copy = await copyService()
  }, LIMIT_MS)
  afterAll(() => copy?.remove())

  describe('to cfn-lint', () => {
    it.each([
      ['as it comes', {}],
      ['with everything that can be asked for', PARAMETERS],
      ['with a kubeconfig in a secret', SECRET],
    ])(
      'has nothing wrong %s',
      async (_, parameters) => {
        await copy.pack(parameters)
        await tools.lint(join(copy.root, 'packaged/cloudformation-template-update-stack.json'))
        await tools.lint(join(copy.root, 'packaged/cloudformation-template-create-stack.json'))
      },
      LIMIT_MS,
    )

    it('would be found out with a property that does not exist', async () => {
      await expect(tools.lint(fileURLToPath(new URL('broken-template.json', import.meta.url)))).rejects.toThrow(
        'Nothing',
      )
    })
  })

  describe('in an account', () => {
    let account: Account
    let server: Awaited<ReturnType<AwsTools['startAccount']>>
    let rows: DeploymentRow[]
    let found: Record<string, string[]>

    beforeAll(async () => {
      rows = await deploymentTable()
      server = await tools.startAccount()
      account = openAccount(server.url)
      succeeded(await serverless('deploy'))
      found = await account.resources()
    }, LIMIT_MS)
    afterAll(() => server?.stop())

    /** Runs a command against the stand-in, from where nobody else can be reached. */
    async function serverless(command: 'deploy' | 'remove'): Promise<Ran> {
      const given = Object.entries(PARAMETERS).map(([name, value]) => `--param=${name}=${value}`)
      return await copy.serverless([command, '--stage', 'real', '--region', 'eu-central-1', ...given], {
        AWS_ENDPOINT_URL: server.url,
        AWS_ACCESS_KEY_ID: 'test',
        AWS_SECRET_ACCESS_KEY: 'test',
        NODE_OPTIONS: `--require=${LOOPBACK_ONLY}`,
      })
    }

    function succeeded({ exitCode, output }: Ran): void {
      if (exitCode !== 0) throw new Error(output)
    }

    it('is reached from a process that nobody else can be reached from', async () => {
      const get = 'require("node:https").get("https://cloudformation.eu-central-1.amazonaws.com")'
      const { exitCode, output } = await run(copy.root, ['-e', get], { NODE_OPTIONS: `--require=${LOOPBACK_ONLY}` })
      expect(exitCode).toBe(1)
      expect(output).toContain('only this machine can be reached here, not cloudformation.eu-central-1.amazonaws.com')
    })

    const saidOf = (what: string) => rows.find(row => row.what === what)?.text

    it('makes what docs/deploy.md says it does, and nothing else', () => {
      const said = rows.filter(({ what }) => !NOT_IN_STAND_IN.includes(what)).map(({ what, count }) => [what, count])
      const counted = Object.entries(found).map(([what, names]) => [what, names.length])
      expect(counted.sort()).toEqual(said.sort())
    })

    it('has functions of the size, time limit and concurrency that it says, in both subnets', async () => {
      const { Functions } = await account.get('lambda', '/2015-03-31/functions/')
      for (const { FunctionName, MemorySize, Timeout, Runtime, VpcConfig, Environment } of Functions) {
        const { ReservedConcurrentExecutions: at } = await account.get(
          'lambda',
          `/2019-09-30/functions/${FunctionName}/concurrency`,
        )
        expect(saidOf('functions')).toContain(`${MemorySize} MB, ${Timeout} s, concurrency ${at}`)
        expect(Runtime).toBe('nodejs24.x')
        expect(VpcConfig.SubnetIds).toHaveLength(2)
        expect(Environment.Variables).toMatchObject({ LEASE: 'dynamodb', LEASE_TABLE: 'fencepost-real-leases' })
      }
    })

    it('has rules that start the cleanup every five minutes and the other loops every ten', async () => {
      const { Rules } = await account.ask('events', 'AWSEvents.ListRules')
      const started: Record<string, string> = {}
      for (const { Name, ScheduleExpression, State } of Rules) {
        const { Targets } = await account.ask('events', 'AWSEvents.ListTargetsByRule', { Rule: Name })
        const [{ Arn }] = Targets
        started[Arn.replace(/^.*:function:fencepost-real-/, '')] = `${ScheduleExpression} ${State}`
      }
      expect(started).toEqual({
        cleanup: 'cron(0/5 * * * ? *) ENABLED',
        'status-sync': 'cron(0/10 * * * ? *) ENABLED',
        'config-check': 'cron(0/10 * * * ? *) ENABLED',
      })
    })

    it('has roles that hold the lease items of their loops and write their own log', async () => {
      const loops = ['cleanup', 'status-sync', 'config-check']
      const leasesOf = { ...Object.fromEntries(loops.map(loop => [loop, [loop]])), reconcile: loops }
      for (const [name, leases] of Object.entries(leasesOf)) {
        const id = name.replace(/(?:^|-)./g, start => start.slice(-1).toUpperCase())
        const RoleName = found.roles?.find(role => role.includes(`-${id}Role-`)) ?? ''
        const xml = await account.query('iam', 'GetRolePolicy', { RoleName, PolicyName: name })
        const document = decodeURIComponent(/<PolicyDocument>([\s\S]*)<\/PolicyDocument>/.exec(xml)?.[1] ?? '')
        expect(document).toContain('table/fencepost-real-leases')
        expect(loops.filter(loop => document.includes(`fencepost-${loop}`))).toEqual(leases)
        expect(document).toContain(`log-group:/aws/lambda/fencepost-real-${name}`)
        expect(document).not.toContain('Fn::')
      }
    })

    it('has logs and a queue that keep as long as it says', async () => {
      const { logGroups } = await account.ask('logs', 'Logs_20140328.DescribeLogGroups')
      for (const { retentionInDays } of logGroups) expect(saidOf('log groups')).toBe(`${retentionInDays} days`)
      const question = { QueueUrl: found.queue?.[0], AttributeNames: ['All'] }
      const { Attributes } = await account.ask('sqs', 'AmazonSQS.GetQueueAttributes', question)
      expect(saidOf('queue')).toContain(`for ${Attributes.MessageRetentionPeriod / 86_400} days, encrypted`)
      expect(Attributes.SqsManagedSseEnabled).toBe('true')
    })

    it('has a table that is protected, and whose items never expire', async () => {
      const { table, timeToLive } = await account.table('fencepost-real-leases')
      expect(table).toMatchObject({
        BillingModeSummary: { BillingMode: 'PAY_PER_REQUEST' },
        DeletionProtectionEnabled: true,
      })
      expect(timeToLive.TimeToLiveStatus).toBe('DISABLED')
    })

    it(
      'leaves the table and nothing else when it is removed',
      async () => {
        succeeded(await serverless('remove'))
        const left = Object.entries(await account.resources()).filter(([, names]) => names.length > 0)
        const expected = ['table', ...LEFT_BY_STAND_IN]
        expect(left.map(([what]) => what).sort()).toEqual(expected.sort())
        const stacks = await account.query('cloudformation', 'ListStacks')
        expect(stacks).toContain('<StackStatus>DELETE_COMPLETE</StackStatus>')
      },
      LIMIT_MS,
    )
  })

  describe('a secret', () => {
    let account: Account
    let server: Awaited<ReturnType<AwsTools['startAccount']>>
    let arn: string
    let keys: { accessKeyId: string; secretAccessKey: string }

    beforeAll(async () => {
      server = await tools.startAccount()
      account = openAccount(server.url)
      const secret = { Name: 'fencepost/kubeconfig', SecretString: 'the text' }
      arn = (await account.ask('secretsmanager', 'secretsmanager.CreateSecret', secret)).ARN
      const UserName = 'function'
      await account.query('iam', 'CreateUser', { UserName })
      const Statement = [{ Effect: 'Allow', Action: 'secretsmanager:GetSecretValue', Resource: '*' }]
      const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement })
      await account.query('iam', 'PutUserPolicy', { UserName, PolicyName: 'read', PolicyDocument })
      const xml = await account.query('iam', 'CreateAccessKey', { UserName })
      const told = (tag: string) => new RegExp(`<${tag}>(.+?)</${tag}>`).exec(xml)?.[1] ?? ''
      keys = { accessKeyId: told('AccessKeyId'), secretAccessKey: told('SecretAccessKey') }
      // From here on the stand-in checks every signature, by the library of AWS's own command line.
      await fetch(`${server.url}/moto-api/reset-auth`, { method: 'POST', body: '0' })
    }, LIMIT_MS)
    afterAll(() => server?.stop())

    const read = (credentials: typeof keys, of = arn) =>
      readSecret({ arn: of, credentials, clock: systemClock, endpoint: server.url })

    it('is read with a signature that AWS’s own library comes to as well', async () => {
      expect(await read(keys)).toBe('the text')
    })

    it('is not read with a signature by another key', async () => {
      await expect(read({ ...keys, secretAccessKey: 'another' })).rejects.toMatchObject({ code: 'Forbidden' })
    })

    it('that does not exist is not found', async () => {
      await expect(read(keys, `${arn.slice(0, -6)}aaaaaa`)).rejects.toMatchObject({ code: 'NotFound' })
    })
  })
})
