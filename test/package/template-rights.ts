// The rules about who may do what.

import type { Node, Template } from './service.ts'
import { functionsOf, ofType, type Rule } from './template-rule.ts'

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

/** The rules about rights. */
export const RIGHTS: readonly Rule[] = [
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
]

/** A statement of the cleanup's role. */
function roleStatement(resources: Node, sid: string): Node {
  return resources.CleanupRole.Properties.Policies[0].PolicyDocument.Statement.find(({ Sid }: Node) => Sid === sid)
}
