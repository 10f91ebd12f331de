import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SETTING_NAMES } from '../../infra/build/check.ts'
import { deploymentTable } from './deployment-table.ts'
import { copyService, EVERYTHING, type Node, namesIn, type Packaged, SECRET, type ServiceCopy } from './service.ts'

const LIMIT_MS = 180_000
const LOOPS = ['cleanup', 'status-sync', 'config-check'] as const
const FUNCTIONS = [...LOOPS, 'reconcile'] as const

let copy: ServiceCopy
/** As it comes; with everything that can be asked for; and with a kubeconfig in a secret, which rules EKS out. */
let plain: Packaged
let full: Packaged
let secret: Packaged

beforeAll(async () => {
  copy = await copyService()
  plain = await copy.pack()
  full = await copy.pack(EVERYTHING)
  secret = await copy.pack(SECRET)
}, LIMIT_MS)
afterAll(() => copy?.remove())

const capital = (word: string) => `${word[0]?.toUpperCase()}${word.slice(1)}`
/** `StatusSync` of `status-sync`: what our logical ids begin with. */
const idOf = (name: string) => name.split('-').map(capital).join('')
/** `StatusDashsync` of `status-sync`: what the logical ids begin with that the serverless CLI makes. */
const cliIdOf = (name: string) => capital(name.replaceAll('-', 'Dash'))

function propertiesOf(id: string, packaged = plain): Node {
  return packaged.template.Resources[id]?.Properties
}

function resourcesOf(type: string, packaged: Packaged): [string, Node][] {
  return Object.entries(packaged.template.Resources).filter(([, { Type }]) => Type === type)
}

describe.each(FUNCTIONS)('the function %s', name => {
  const id = idOf(name)
  const cliId = cliIdOf(name)

  it('has its runtime, size, time limit and concurrency stated', () => {
    expect(propertiesOf(`${cliId}LambdaFunction`)).toMatchObject({
      Runtime: 'nodejs24.x',
      Handler: `dist/${name}.handler`,
      MemorySize: 1769,
      Timeout: 120,
      ReservedConcurrentExecutions: 1,
    })
  })

  it('is never retried, drops old events, and reports what failed to an encrypted queue', () => {
    expect(propertiesOf(`${cliId}LambdaEvConf`)).toMatchObject({
      MaximumRetryAttempts: 0,
      MaximumEventAgeInSeconds: 300,
      DestinationConfig: { OnFailure: { Destination: { 'Fn::GetAtt': ['FailedInvocations', 'Arn'] } } },
    })
    expect(propertiesOf('FailedInvocations')).toMatchObject({ SqsManagedSseEnabled: true })
  })

  it('has a log group that forgets after 30 days', () => {
    expect(propertiesOf(`${cliId}LogGroup`)).toEqual({
      LogGroupName: `/aws/lambda/fencepost-dev-${name}`,
      RetentionInDays: 30,
    })
  })

  it('has a role of its own, which only Lambda may assume', () => {
    expect(propertiesOf(`${cliId}LambdaFunction`).Role).toEqual({ 'Fn::Sub': `\${${id}Role.Arn}` })
    expect(propertiesOf(`${id}Role`).AssumeRolePolicyDocument.Statement).toEqual([
      { Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' },
    ])
  })

  it('may write its own log and report failures, and nothing else, with a Kubernetes lease outside a VPC', () => {
    expect(rightsOf(`${id}Role`, plain)).toEqual([
      ['logs:CreateLogStream', { 'Fn::GetAtt': [`${cliId}LogGroup`, 'Arn'] }],
      ['logs:PutLogEvents', { 'Fn::GetAtt': [`${cliId}LogGroup`, 'Arn'] }],
      ['sqs:SendMessage', { 'Fn::GetAtt': ['FailedInvocations', 'Arn'] }],
    ])
    expect(propertiesOf(`${id}Role`).ManagedPolicyArns).toEqual([])
  })

  it('may also read and update the items of its own leases with a DynamoDB lease', () => {
    const table = { 'Fn::GetAtt': ['LeaseTable', 'Arn'] }
    expect(rightsOf(`${id}Role`, full)).toEqual([
      ...rightsOf(`${id}Role`, plain),
      ['dynamodb:GetItem', table],
      ['dynamodb:UpdateItem', table],
    ])
    const statement = statementsOf(`${id}Role`, full).find(({ Resource }) => Resource['Fn::GetAtt'][0] === 'LeaseTable')
    expect(statement.Condition).toEqual({
      'ForAllValues:StringEquals': {
        'dynamodb:LeadingKeys': (name === 'reconcile' ? LOOPS : [name]).map(loop => `fencepost-${loop}`),
      },
    })
  })

  it('may read one secret more, and use its key for it alone, where that is the kubeconfig', () => {
    const { kubeconfigSecretArn: arn } = SECRET
    expect(rightsOf(`${id}Role`, secret)).toEqual([
      ...rightsOf(`${id}Role`, plain),
      ['secretsmanager:GetSecretValue', arn],
      ['kms:Decrypt', SECRET.kubeconfigSecretKeyArn],
    ])
    expect(propertiesOf(`${cliId}LambdaFunction`, secret).Environment.Variables.KUBECONFIG_SECRET_ARN).toBe(arn)

    const withoutKey = { ...secret, template: secret.templateWith({ KubeconfigSecretKeyArn: '' }) }
    expect(rightsOf(`${id}Role`, withoutKey)).toEqual([
      ...rightsOf(`${id}Role`, plain),
      ['secretsmanager:GetSecretValue', arn],
    ])
  })

  it('runs in both subnets when two are given, and in no VPC when none is', () => {
    const vpcOf = (packaged: Packaged) => propertiesOf(`${cliId}LambdaFunction`, packaged).VpcConfig
    expect(vpcOf(full)).toEqual({ SubnetIds: ['subnet-1', 'subnet-2'], SecurityGroupIds: ['sg-1'] })
    expect(vpcOf(plain)).toEqual({ SubnetIds: [], SecurityGroupIds: [] })
  })

  it('is a user of its own to an EKS cluster, and unknown to it when none is named', () => {
    expect(propertiesOf(`${id}Access`, full)).toEqual({
      ClusterName: 'prod',
      PrincipalArn: { 'Fn::GetAtt': [`${id}Role`, 'Arn'] },
      Type: 'STANDARD',
      Username: `fencepost:function:fencepost-${name}`,
    })
    expect(resourcesOf('AWS::EKS::AccessEntry', plain)).toEqual([])
  })

  it('has only environment variables that lib/config.ts knows, each a literal', () => {
    const { Variables } = propertiesOf(`${cliId}LambdaFunction`, full).Environment
    expect(SETTING_NAMES).toEqual(expect.arrayContaining(Object.keys(Variables)))
    for (const value of Object.values(Variables)) expect(value).toBeTypeOf('string')
  })

  it('is packaged as its bundle and its chunks, and nothing else', () => {
    expect(namesIn(plain.zips[name] as Buffer).sort()).toEqual([
      'dist/chunks/dynamodb-client.cjs',
      'dist/chunks/kubeconfig-library.cjs',
      `dist/${name}.cjs`,
    ])
  })

  it('is packaged to the same bytes twice, whatever the parameters', () => {
    expect(full.zips[name]?.equals(plain.zips[name] as Buffer)).toBe(true)
  })
})

function statementsOf(id: string, packaged: Packaged): Node[] {
  return propertiesOf(id, packaged).Policies.flatMap(({ PolicyDocument }: Node) => PolicyDocument.Statement)
}

/** Every action that a role's own policies allow, with its resource. */
function rightsOf(id: string, packaged: Packaged): [string, Node][] {
  return statementsOf(id, packaged).flatMap(({ Effect, Action, Resource }) => {
    expect(Effect).toBe('Allow')
    return [Action].flat().map(action => [action, Resource] as [string, Node])
  })
}

/** Kinds of resources by the words of docs/deploy.md; what is a part of another one has none of its own. */
const WORDS: Readonly<Record<string, string | undefined>> = {
  'AWS::Lambda::Function': 'functions',
  'AWS::Lambda::EventInvokeConfig': undefined,
  'AWS::Lambda::Permission': undefined,
  'AWS::Events::Rule': 'rules',
  'AWS::IAM::Role': 'roles',
  'AWS::IAM::ManagedPolicy': 'managed policy',
  'AWS::EKS::AccessEntry': 'access entries',
  'AWS::Logs::LogGroup': 'log groups',
  'AWS::CloudWatch::Alarm': 'alarms',
  'AWS::SQS::Queue': 'queue',
  'AWS::DynamoDB::Table': 'table',
  'AWS::S3::Bucket': 'bucket',
  'AWS::S3::BucketPolicy': undefined,
}

describe('the service', () => {
  it('creates what docs/deploy.md says, and nothing else', async () => {
    const counts: Record<string, number> = {}
    for (const { Type } of Object.values(full.template.Resources)) {
      expect(Object.keys(WORDS)).toContain(Type)
      const word = WORDS[Type]
      if (word) counts[word] = (counts[word] ?? 0) + 1
    }
    const rows = (await deploymentTable()).map(({ what, count }) => [what, count])
    expect(Object.entries(counts).sort()).toEqual(rows.sort())
  })

  it('has no role but one for each function', () => {
    expect(resourcesOf('AWS::IAM::Role', full).map(([id]) => id)).toEqual(FUNCTIONS.map(name => `${idOf(name)}Role`))
  })

  it('starts each loop by itself, every five or ten minutes on the wall clock, and nothing else', () => {
    const rules = resourcesOf('AWS::Events::Rule', full).map(([, { Properties }]) => Properties)
    const rule = (minutes: number, loop: string) => ({
      ScheduleExpression: `cron(0/${minutes} * * * ? *)`,
      Targets: [{ Arn: { 'Fn::GetAtt': [`${cliIdOf(loop)}LambdaFunction`, 'Arn'] } }],
    })
    expect(rules).toMatchObject([rule(5, 'cleanup'), rule(10, 'status-sync'), rule(10, 'config-check')])
  })

  it('has a lease table that is encrypted, recoverable, protected and kept, and whose items never expire', () => {
    const { Type, DeletionPolicy, UpdateReplacePolicy, Properties } = full.template.Resources.LeaseTable
    expect({ Type, DeletionPolicy, UpdateReplacePolicy }).toEqual({
      Type: 'AWS::DynamoDB::Table',
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
    })
    expect(Properties).toEqual({
      TableName: 'fencepost-dev-leases',
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [{ AttributeName: 'lease', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'lease', KeyType: 'HASH' }],
      DeletionProtectionEnabled: true,
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      SSESpecification: { SSEEnabled: true },
    })
    expect(propertiesOf('CleanupLambdaFunction', full).Environment.Variables.LEASE_TABLE).toBe(Properties.TableName)
  })

  it('has no table with a Kubernetes lease, and no network rights outside a VPC', () => {
    expect(resourcesOf('AWS::DynamoDB::Table', plain)).toEqual([])
    expect(resourcesOf('AWS::IAM::ManagedPolicy', plain)).toEqual([])
  })

  it('lets Lambda manage network interfaces and denies the functions themselves every such action', () => {
    const { Statement } = propertiesOf('NetworkInterfacePolicy', full).PolicyDocument
    const actionsOf = (effect: string) =>
      Statement.filter(({ Effect }: Node) => Effect === effect)
        .flatMap(({ Action }: Node) => Action)
        .sort()
    expect(actionsOf('Deny')).toEqual(actionsOf('Allow'))
    const { ArnLike } = Statement.find(({ Effect }: Node) => Effect === 'Deny').Condition
    expect(ArnLike['lambda:SourceFunctionArn']['Fn::Sub']).toMatch(/:function:fencepost-dev-\*$/)
  })
})
