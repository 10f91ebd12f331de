// What there is in an AWS account, asked for service by service without an SDK: requests that name a service and are not
// signed, as the stand-in lets them through.

import { DescribeTableCommand, DescribeTimeToLiveCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb'

// biome-ignore lint/suspicious/noExplicitAny: answers are looked at by path
type Answer = any

const REGION = 'eu-central-1'
const VERSIONS = { iam: '2010-05-08', cloudformation: '2010-05-15' } as const

/** Questions to an account. */
export interface Account {
  /** The deployed resources by the words of docs/deploy.md, each by its name. */
  resources(): Promise<Record<string, string[]>>
  /** A JSON service's answer, e.g. `ask('sqs', 'AmazonSQS.ListQueues')`. */
  ask(service: string, target: string, input?: object): Promise<Answer>
  /** A query service's answer, as XML. */
  query(service: keyof typeof VERSIONS, action: string, input?: Record<string, string>): Promise<string>
  /** A REST service's answer. */
  get(service: string, path: string): Promise<Answer>
  /** A table with what protects it. */
  table(name: string): Promise<{ table: Answer; timeToLive: Answer }>
}

/** Opens an account at an endpoint. */
export function openAccount(url: string): Account {
  const headersFor = (service: string) => ({
    authorization: `AWS4-HMAC-SHA256 Credential=test/20260101/${REGION}/${service}/aws4_request, SignedHeaders=host, Signature=0`,
  })

  async function ask(service: string, target: string, input: object = {}): Promise<Answer> {
    const headers = { ...headersFor(service), 'x-amz-target': target, 'content-type': 'application/x-amz-json-1.1' }
    return await (await fetch(url, { method: 'POST', headers, body: JSON.stringify(input) })).json()
  }

  async function query(
    service: keyof typeof VERSIONS,
    action: string,
    input: Record<string, string> = {},
  ): Promise<string> {
    const body = new URLSearchParams({ Action: action, Version: VERSIONS[service], ...input })
    return await (await fetch(url, { method: 'POST', headers: headersFor(service), body })).text()
  }

  const text = async (service: string, path: string) =>
    await (await fetch(url + path, { headers: headersFor(service) })).text()
  const get = async (service: string, path: string) => JSON.parse(await text(service, path))
  const all = (xml: string, tag: string) =>
    [...xml.matchAll(new RegExp(`<${tag}>([^<]+)</${tag}>`, 'g'))].map(([, value]) => String(value))
  const named = (list: Answer[] | undefined, key: string): string[] =>
    (list ?? []).map(item => (key ? item[key] : item))

  return {
    ask,
    query,
    get,
    async resources() {
      return {
        functions: named((await get('lambda', '/2015-03-31/functions/')).Functions, 'FunctionName'),
        rules: named((await ask('events', 'AWSEvents.ListRules')).Rules, 'Name'),
        roles: all(await query('iam', 'ListRoles'), 'RoleName'),
        'managed policy': all(await query('iam', 'ListPolicies', { Scope: 'Local' }), 'PolicyName'),
        'log groups': named((await ask('logs', 'Logs_20140328.DescribeLogGroups')).logGroups, 'logGroupName'),
        queue: named((await ask('sqs', 'AmazonSQS.ListQueues')).QueueUrls, ''),
        table: named((await ask('dynamodb', 'DynamoDB_20120810.ListTables')).TableNames, ''),
        bucket: all(await text('s3', '/'), 'Name'),
      }
    },
    async table(TableName) {
      const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }
      const client = new DynamoDBClient({ endpoint: url, region: REGION, credentials })
      const { Table: table } = await client.send(new DescribeTableCommand({ TableName }))
      const { TimeToLiveDescription: timeToLive } = await client.send(new DescribeTimeToLiveCommand({ TableName }))
      client.destroy()
      return { table, timeToLive }
    },
  }
}
