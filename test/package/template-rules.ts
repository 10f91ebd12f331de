// What must hold for everything that is deployed, as a table of rules over the packaged template. Each rule has a template
// with one thing wrong beside it, which the rule must find: a rule that finds nothing anywhere is a wish.

import type { Node } from './service.ts'
import { RIGHTS } from './template-rights.ts'
import { functionsOf, ofType, type Rule } from './template-rule.ts'

/** For each kind of resource that stores something, whether it is encrypted; undefined for what stores nothing of ours. */
const ENCRYPTION: Readonly<Record<string, ((properties: Node) => boolean) | undefined>> = {
  'AWS::DynamoDB::Table': ({ SSESpecification }) => SSESpecification?.SSEEnabled === true,
  'AWS::SQS::Queue': ({ SqsManagedSseEnabled, KmsMasterKeyId }) =>
    SqsManagedSseEnabled === true || Boolean(KmsMasterKeyId),
  'AWS::S3::Bucket': ({ BucketEncryption }) =>
    Boolean(BucketEncryption?.ServerSideEncryptionConfiguration?.[0]?.ServerSideEncryptionByDefault?.SSEAlgorithm),
  // CloudWatch Logs encrypts every log group, and Lambda every environment; neither can be switched off.
  'AWS::Logs::LogGroup': () => true,
  'AWS::Lambda::Function': () => true,
  'AWS::CloudWatch::Alarm': undefined,
  'AWS::EKS::AccessEntry': undefined,
  'AWS::Events::Rule': undefined,
  'AWS::IAM::ManagedPolicy': undefined,
  'AWS::IAM::Role': undefined,
  'AWS::Lambda::EventInvokeConfig': undefined,
  'AWS::Lambda::Permission': undefined,
  'AWS::S3::BucketPolicy': undefined,
}

/** The rules, in the order of what they guard: rights, secrecy, deliveries, records, network. */
export const RULES: readonly Rule[] = [
  ...RIGHTS,
  {
    says: 'everything that stores is encrypted, and what is new is looked at before it is let in',
    problems: ({ Resources }) =>
      Object.entries(Resources).flatMap(([id, { Type, Properties }]) => {
        if (!(Type in ENCRYPTION)) return [`${id}: ${Type} is not known here`]
        return ENCRYPTION[Type]?.(Properties) === false ? [`${id} is not encrypted`] : []
      }),
    violations: [
      ['a table in clear text', r => (r.LeaseTable.Properties.SSESpecification.SSEEnabled = false)],
      ['a queue in clear text', r => delete r.FailedInvocations.Properties.SqsManagedSseEnabled],
      ['a bucket in clear text', r => delete r.ServerlessDeploymentBucket.Properties.BucketEncryption],
      ['a kind of resource that nobody looked at', r => (r.Topic = { Type: 'AWS::SNS::Topic', Properties: {} })],
    ],
  },
  {
    says: 'a bucket has no public access, and is reached over TLS alone',
    problems: template =>
      ofType(template, 'AWS::S3::Bucket').flatMap(([id, { PublicAccessBlockConfiguration: blocked = {} }]) => {
        const isBlocked = ['BlockPublicAcls', 'BlockPublicPolicy', 'IgnorePublicAcls', 'RestrictPublicBuckets'].every(
          key => blocked[key] === true,
        )
        const isTlsOnly = ofType(template, 'AWS::S3::BucketPolicy').some(
          ([, { Bucket, PolicyDocument }]) =>
            Bucket.Ref === id &&
            PolicyDocument.Statement.some(
              ({ Effect, Condition }: Node) =>
                Effect === 'Deny' && String(Condition?.Bool?.['aws:SecureTransport']) === 'false',
            ),
        )
        return isBlocked && isTlsOnly ? [] : [id]
      }),
    violations: [
      [
        'public objects',
        r => (r.ServerlessDeploymentBucket.Properties.PublicAccessBlockConfiguration.BlockPublicAcls = false),
      ],
      ['plain HTTP', r => delete r.ServerlessDeploymentBucketPolicy],
    ],
  },
  {
    says: 'no failed invocation is tried again, none waits longer than 5 min, and each is reported',
    problems: template =>
      functionsOf(template).flatMap(([id]) => {
        const config = ofType(template, 'AWS::Lambda::EventInvokeConfig').find(
          ([, { FunctionName }]) => FunctionName.Ref === id,
        )?.[1]
        if (!config) return [`${id}: nothing is said, which is two retries in 6 h`]
        const { MaximumRetryAttempts, MaximumEventAgeInSeconds, DestinationConfig } = config
        return [
          ...(MaximumRetryAttempts === 0 ? [] : [`${id}: ${MaximumRetryAttempts} retries`]),
          ...(MaximumEventAgeInSeconds <= 300 ? [] : [`${id}: events of ${MaximumEventAgeInSeconds} s`]),
          ...(DestinationConfig?.OnFailure?.Destination ? [] : [`${id}: failures are not reported`]),
        ]
      }),
    violations: [
      ['one retry', r => (r.CleanupLambdaEvConf.Properties.MaximumRetryAttempts = 1)],
      ['retries as the platform has them', r => delete r.CleanupLambdaEvConf.Properties.MaximumRetryAttempts],
      ['events of any age', r => delete r.ReconcileLambdaEvConf.Properties.MaximumEventAgeInSeconds],
      ['nothing said', r => delete r.ReconcileLambdaEvConf],
      ['failures that nobody hears of', r => delete r.CleanupLambdaEvConf.Properties.DestinationConfig],
    ],
  },
  {
    says: 'no function runs twice at a time',
    problems: template =>
      functionsOf(template).flatMap(([id, { ReservedConcurrentExecutions: at }]) => (at === 1 ? [] : [`${id}: ${at}`])),
    violations: [
      ['two at a time', r => (r.CleanupLambdaFunction.Properties.ReservedConcurrentExecutions = 2)],
      ['any number at a time', r => delete r.ReconcileLambdaFunction.Properties.ReservedConcurrentExecutions],
    ],
  },
  {
    says: 'each function’s log is a log group of ours that forgets',
    problems: template => {
      const groups = ofType(template, 'AWS::Logs::LogGroup')
      return [
        ...groups.flatMap(([id, { RetentionInDays }]) => (RetentionInDays > 0 ? [] : [`${id} never forgets`])),
        ...functionsOf(template).flatMap(([id, { FunctionName }]) =>
          groups.some(([, { LogGroupName }]) => LogGroupName === `/aws/lambda/${FunctionName}`)
            ? []
            : [`${id} makes its own`],
        ),
      ]
    },
    violations: [
      ['a log for ever', r => delete r.CleanupLogGroup.Properties.RetentionInDays],
      ['a log that Lambda makes', r => delete r.ReconcileLogGroup],
    ],
  },
  {
    says: 'a table can be recovered to any second, is not deleted by accident nor with the stack, and forgets no item',
    problems: ({ Resources }) =>
      Object.entries(Resources).flatMap(([id, { Type, DeletionPolicy, UpdateReplacePolicy, Properties }]) => {
        if (Type !== 'AWS::DynamoDB::Table') return []
        const { PointInTimeRecoverySpecification, DeletionProtectionEnabled, TimeToLiveSpecification } = Properties
        return [
          ...(PointInTimeRecoverySpecification?.PointInTimeRecoveryEnabled === true ? [] : [`${id}: no recovery`]),
          ...(DeletionProtectionEnabled === true ? [] : [`${id}: no protection`]),
          ...(DeletionPolicy === 'Retain' && UpdateReplacePolicy === 'Retain' ? [] : [`${id}: goes with the stack`]),
          ...(TimeToLiveSpecification ? [`${id}: items expire`] : []),
        ]
      }),
    violations: [
      ['no recovery', r => delete r.LeaseTable.Properties.PointInTimeRecoverySpecification],
      ['no protection', r => (r.LeaseTable.Properties.DeletionProtectionEnabled = false)],
      ['a table that goes with the stack', r => (r.LeaseTable.DeletionPolicy = 'Delete')],
      ['a table that goes when it is replaced', r => delete r.LeaseTable.UpdateReplacePolicy],
      [
        'items that expire',
        r => (r.LeaseTable.Properties.TimeToLiveSpecification = { AttributeName: 'x', Enabled: true }),
      ],
    ],
  },
  {
    says: 'a function runs in two subnets at the least and has a security group, or runs in no VPC',
    problems: template =>
      functionsOf(template).flatMap(([id, { VpcConfig: { SubnetIds = [], SecurityGroupIds = [] } = {} }]) => {
        const isNowhere = SubnetIds.length === 0 && SecurityGroupIds.length === 0
        return isNowhere || (new Set(SubnetIds).size >= 2 && SecurityGroupIds.length > 0) ? [] : [`${id}: ${SubnetIds}`]
      }),
    violations: [
      ['one subnet', r => r.CleanupLambdaFunction.Properties.VpcConfig.SubnetIds.pop()],
      [
        'the same subnet twice',
        r => (r.CleanupLambdaFunction.Properties.VpcConfig.SubnetIds = ['subnet-1', 'subnet-1']),
      ],
      ['no security group', r => (r.ReconcileLambdaFunction.Properties.VpcConfig.SecurityGroupIds = [])],
    ],
  },
]
