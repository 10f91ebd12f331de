// What must hold for everything that is deployed, as a table of rules over the packaged template. Each rule has a template
// with one thing wrong beside it, which the rule must find: a rule that finds nothing anywhere is a wish.

import type { Node, Template } from './service.ts'

/** One rule. */
export interface Rule {
  /** What holds. */
  readonly says: string
  /** Where it doesn't. */
  problems(template: Template): string[]
  /** What has to be in a template that can break it: a kubeconfig in a secret; default: everything else there is. */
  readonly needs?: 'secret'
  /** What would break it: a title, and the change to such a template. */
  readonly violations: readonly (readonly [title: string, plant: (resources: Node) => void])[]
}

/** Actions that may be allowed on more than one named resource, each with its reason. */
export const BROAD_ACTIONS: Readonly<Record<string, string>> = {
  'ec2:DescribeNetworkInterfaces': 'can’t be limited to resources; the functions themselves are denied it',
  'ec2:DescribeSubnets': 'can’t be limited to resources; the functions themselves are denied it',
  'ec2:AssignPrivateIpAddresses': 'of interfaces that are not known beforehand; the functions themselves are denied it',
  'ec2:CreateNetworkInterface': 'of interfaces that are not known beforehand; the functions themselves are denied it',
  'ec2:DeleteNetworkInterface':
    'Lambda refuses a role that names the interfaces; the functions themselves are denied it',
  'ec2:UnassignPrivateIpAddresses':
    'of interfaces that are not known beforehand; the functions themselves are denied it',
}

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

function ofType({ Resources }: Template, type: string): [id: string, properties: Node][] {
  return Object.entries(Resources).flatMap(([id, { Type, Properties }]) => (Type === type ? [[id, Properties]] : []))
}

const functionsOf = (template: Template) => ofType(template, 'AWS::Lambda::Function')

/** Every statement of every policy, with where it stands. */
function statementsOf({ Resources }: Template): [id: string, statement: Node][] {
  return Object.entries(Resources).flatMap(([id, { Properties }]) =>
    [
      ...(Properties.Policies ?? []).map(({ PolicyDocument }: Node) => PolicyDocument),
      ...(Properties.PolicyDocument ? [Properties.PolicyDocument] : []),
      ...(Properties.AssumeRolePolicyDocument ? [Properties.AssumeRolePolicyDocument] : []),
    ].flatMap(({ Statement }) => Statement.map((statement: Node) => [id, statement])),
  )
}

const allowedBy = (template: Template) => statementsOf(template).filter(([, { Effect }]) => Effect !== 'Deny')

/** A resource's text as a policy names it; an attribute of a resource of ours is exactly that one. */
function hasWildcard(resource: Node): boolean {
  if (resource === undefined) return false
  if (Array.isArray(resource)) return resource.some(hasWildcard)
  if (typeof resource === 'string') return resource.includes('*')
  return Object.values(resource).some(hasWildcard)
}

/** The rules, in the order of what they guard: rights, secrecy, deliveries, records, network. */
export const RULES: readonly Rule[] = [
  {
    says: 'no action is allowed by a wildcard, and none is allowed by leaving others out',
    problems: template =>
      allowedBy(template).flatMap(([id, { Action, NotAction, NotResource }]) =>
        NotAction || NotResource || hasWildcard(Action) ? [`${id}: ${JSON.stringify(Action ?? NotAction)}`] : [],
      ),
    violations: [
      ['every action of a service', r => (roleStatement(r, 'WriteOwnLog').Action = 'logs:*')],
      ['some actions of a service', r => (roleStatement(r, 'HoldLease').Action = ['dynamodb:Get*'])],
      ['all actions but some', r => (roleStatement(r, 'ReportFailures').NotAction = 'iam:*')],
      [
        'a bucket that anybody may read',
        r => (r.ServerlessDeploymentBucketPolicy.Properties.PolicyDocument.Statement[0].Effect = 'Allow'),
      ],
    ],
  },
  {
    says: 'no action is allowed on more than a named resource, but for the list of those that can’t be limited',
    problems: template =>
      allowedBy(template).flatMap(([id, { Action, Resource }]) =>
        hasWildcard(Resource)
          ? [Action].flat().flatMap(action => (action in BROAD_ACTIONS ? [] : [`${id}: ${action}`]))
          : [],
      ),
    violations: [
      ['a role that writes any log', r => (roleStatement(r, 'WriteOwnLog').Resource = '*')],
      [
        'a role that holds leases in any table',
        r => (roleStatement(r, 'HoldLease').Resource = [{ 'Fn::Sub': 'arn:aws:dynamodb:*' }]),
      ],
      [
        'one right more in the network policy',
        r => r.NetworkInterfacePolicy.Properties.PolicyDocument.Statement[0].Action.push('ec2:DescribeInstances'),
      ],
    ],
  },
  {
    says: 'what can’t be limited is denied to the functions’ own code',
    problems: template => {
      const denied = statementsOf(template)
        .filter(([, { Effect, Condition }]) => Effect === 'Deny' && Condition?.ArnLike?.['lambda:SourceFunctionArn'])
        .flatMap(([, { Action }]) => [Action].flat())
      return allowedBy(template)
        .filter(([, { Resource }]) => hasWildcard(Resource))
        .flatMap(([id, { Action }]) =>
          [Action].flat().flatMap(action => (denied.includes(action) ? [] : [`${id}: ${action}`])),
        )
    },
    violations: [
      [
        'a denial without one of the rights',
        r => r.NetworkInterfacePolicy.Properties.PolicyDocument.Statement[2].Action.pop(),
      ],
      ['a denial of nobody', r => delete r.NetworkInterfacePolicy.Properties.PolicyDocument.Statement[2].Condition],
    ],
  },
  {
    says: 'a role holds the lease items of its loops, each by its name',
    problems: template =>
      allowedBy(template).flatMap(([id, { Action, Condition }]) => {
        if (![Action].flat().some(action => action.startsWith('dynamodb:'))) return []
        const keys: string[] = Condition?.['ForAllValues:StringEquals']?.['dynamodb:LeadingKeys'] ?? []
        return keys.length > 0 && !hasWildcard(keys) ? [] : [`${id}: ${[Action]}`]
      }),
    violations: [
      ['any item', r => delete roleStatement(r, 'HoldLease').Condition],
      [
        'no item named',
        r => (roleStatement(r, 'HoldLease').Condition['ForAllValues:StringEquals']['dynamodb:LeadingKeys'] = []),
      ],
    ],
  },
  {
    says: 'a role reads the one secret that its function is told, and decrypts that alone',
    needs: 'secret',
    problems: template =>
      functionsOf(template).flatMap(([id, { Role, Environment }]) => {
        const told = Environment.Variables.KUBECONFIG_SECRET_ARN
        const role = /\{(\w+)\.Arn\}/.exec(Role['Fn::Sub'])?.[1]
        return allowedBy(template)
          .filter(([owner, { Action }]) => owner === role && /^(secretsmanager|kms):/.test([Action].flat().join()))
          .flatMap(([, { Action, Resource, Condition }]) => {
            const isRead = Action === 'secretsmanager:GetSecretValue' && Resource === told
            const bound = Condition?.StringEquals?.['kms:EncryptionContext:SecretARN']
            const isDecrypt = Action === 'kms:Decrypt' && /^arn:[^*]+$/.test(Resource) && bound === told
            return isRead || isDecrypt ? [] : [`${id}: ${Action} on ${JSON.stringify(Resource)}`]
          })
      }),
    violations: [
      ['any secret', r => (roleStatement(r, 'ReadKubeconfig').Resource = '*')],
      ['another secret', r => (roleStatement(r, 'ReadKubeconfig').Resource += '2')],
      ['a list of secrets', r => (roleStatement(r, 'ReadKubeconfig').Action = 'secretsmanager:ListSecrets')],
      ['whatever the key encrypts', r => delete roleStatement(r, 'DecryptKubeconfig').Condition],
      ['any key', r => (roleStatement(r, 'DecryptKubeconfig').Resource = '*')],
      ['encrypting as well', r => (roleStatement(r, 'DecryptKubeconfig').Action = ['kms:Decrypt', 'kms:Encrypt'])],
    ],
  },
  {
    says: 'each function has a role of its own, which Lambda alone may assume',
    problems: template => {
      const roles = functionsOf(template).map(([id, { Role }]) => [id, JSON.stringify(Role)] as const)
      const shared = roles.filter(([, role]) => roles.filter(([, other]) => other === role).length > 1)
      const own = new Set(roles.map(([, role]) => /\$\{(\w+)\.Arn\}/.exec(role)?.[1]))
      return [
        ...shared.map(([id]) => `${id} shares its role`),
        ...ofType(template, 'AWS::IAM::Role').flatMap(([id, { AssumeRolePolicyDocument }]) => [
          ...(own.has(id) ? [] : [`${id} is no function’s`]),
          ...AssumeRolePolicyDocument.Statement.filter(
            ({ Principal }: Node) => JSON.stringify(Principal) !== '{"Service":"lambda.amazonaws.com"}',
          ).map(({ Principal }: Node) => `${id}: ${JSON.stringify(Principal)}`),
        ]),
      ]
    },
    violations: [
      [
        'two functions with one role',
        r => (r.ReconcileLambdaFunction.Properties.Role = r.CleanupLambdaFunction.Properties.Role),
      ],
      [
        'a role that anybody may assume',
        r => (r.CleanupRole.Properties.AssumeRolePolicyDocument.Statement[0].Principal = '*'),
      ],
      ['a role more', r => (r.MoreRole = r.CleanupRole)],
    ],
  },
  {
    says: 'a function is started by the rules that are here, and by nobody else’s resource',
    problems: template =>
      ofType(template, 'AWS::Lambda::Permission').flatMap(([id, { SourceArn }]) =>
        template.Resources[SourceArn?.['Fn::GetAtt']?.[0]]?.Type === 'AWS::Events::Rule' ? [] : [id],
      ),
    violations: [
      ['any rule of the account', r => delete r.CleanupLambdaPermissionEventsRuleSchedule1.Properties.SourceArn],
    ],
  },
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

/** A statement of the cleanup's role. */
function roleStatement(resources: Node, sid: string): Node {
  return resources.CleanupRole.Properties.Policies[0].PolicyDocument.Statement.find(({ Sid }: Node) => Sid === sid)
}
