// A copy of the service in a temporary folder, packaged by the real command without credentials and without network, so
// that the checkout's own dist and .serverless stay as they are.

import { execFile } from 'node:child_process'
import { cp, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

const CHECKOUT = path.resolve(import.meta.dirname, '../..')
const PARTS = ['functions', 'lib', 'infra/aws', 'infra/build', 'package.json', 'serverless.yml', 'tsconfig.json']
const NO_NETWORK = path.join(import.meta.dirname, 'no-network.cjs')

/** Every parameter that adds something to what is deployed. */
export const EVERYTHING: Variables = {
  lease: 'dynamodb',
  eksCluster: 'prod',
  eksEndpoint: 'https://ABC.gr7.eu-central-1.eks.amazonaws.com',
  eksCertificateAuthority: 'Y2VydA==',
  subnetIds: 'subnet-1, subnet-2',
  securityGroupIds: 'sg-1',
  alarmTopic: 'arn:aws:sns:eu-central-1:123456789012:alarms',
}

/** A cluster that is not EKS, whose kubeconfig is a secret under a key of one's own. */
export const SECRET: Variables = {
  kubeconfigSecretArn: 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:kubeconfig-a1B2c3',
  kubeconfigSecretKeyArn: 'arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab',
}

type Variables = Readonly<Record<string, string>>

/** How a command ended. */
export interface Ran {
  readonly exitCode: number
  /** What it wrote, both streams. */
  readonly output: string
}

/** A copy of the service. */
export interface ServiceCopy {
  readonly root: string
  /** Runs the serverless command in it. */
  serverless(words: readonly string[], environment?: Variables): Promise<Ran>
  /** Packages it with parameters. @throws Error – when that fails. */
  pack(params?: Variables, environment?: Variables): Promise<Packaged>
  remove(): Promise<void>
}

/** What packaging made. */
export interface Packaged {
  readonly template: Template
  /** The template with other values for its own parameters, as they can be given to CloudFormation. */
  templateWith(parameters: Variables): Template
  /** Each function's package. */
  readonly zips: Readonly<Record<string, Buffer>>
}

// biome-ignore lint/suspicious/noExplicitAny: templates are looked at by path, as CloudFormation does
export type Node = any

/** A CloudFormation template with its conditions carried out. */
export interface Template {
  readonly Resources: Readonly<Record<string, Node>>
}

/** Copies the service; the caller removes the copy. */
export async function copyService(): Promise<ServiceCopy> {
  const root = await mkdtemp(path.join(tmpdir(), 'fencepost-service-'))
  for (const part of PARTS) await cp(path.join(CHECKOUT, part), path.join(root, part), { recursive: true })
  await symlink(path.join(CHECKOUT, 'node_modules'), path.join(root, 'node_modules'))

  const command = path.join(root, 'node_modules/serverless/bin/serverless.js')
  const serverless = (words: readonly string[], environment?: Variables) => run(root, [command, ...words], environment)
  return {
    root,
    serverless,
    async pack(params = {}, environment = {}) {
      const given = Object.entries(params).map(([name, value]) => `--param=${name}=${value}`)
      const { exitCode, output } = await serverless(['package', '--package', 'packaged', ...given], environment)
      if (exitCode !== 0) throw new Error(`packaging failed:\n${output}`)
      return await readPackage(path.join(root, 'packaged'))
    },
    remove: () => rm(root, { recursive: true, force: true }),
  }
}

/** Runs a Node program in a folder, with nothing of this process's environment but its path. */
export function run(cwd: string, words: readonly string[], environment: Variables = {}): Promise<Ran> {
  const env = {
    PATH: process.env.PATH,
    HOME: cwd,
    AWS_EC2_METADATA_DISABLED: 'true',
    NODE_OPTIONS: `--require=${NO_NETWORK}`,
    ...environment,
  }
  return new Promise(resolve => {
    const child = execFile(process.execPath, words, { cwd, env }, (error, stdout, stderr) => {
      resolve({ exitCode: error ? (child.exitCode ?? 1) : 0, output: stdout + stderr })
    })
  })
}

async function readPackage(folder: string): Promise<Packaged> {
  const template = JSON.parse(await readFile(path.join(folder, 'cloudformation-template-update-stack.json'), 'utf8'))
  const zips: Record<string, Buffer> = {}
  for (const file of await readdir(folder))
    if (file.endsWith('.zip')) zips[path.basename(file, '.zip')] = await readFile(path.join(folder, file))
  return { template: carryOut(template, {}), templateWith: values => carryOut(template, values), zips }
}

/** Carries out parameters and conditions as CloudFormation would: what has a false condition is left out. */
function carryOut(template: Node, values: Variables): Template {
  const isTrue = (name: string): boolean => evaluate(walk(template.Conditions[name]))
  const absent = Symbol('absent')
  const walk = (node: Node): Node => {
    if (Array.isArray(node)) return node.map(walk).filter(item => item !== absent)
    if (typeof node !== 'object' || node === null) return node
    if (node.Ref === 'AWS::NoValue') return absent
    if (node.Ref in template.Parameters) return values[node.Ref] ?? template.Parameters[node.Ref].Default
    if (typeof node.Condition === 'string' && Object.keys(node).length === 1) return isTrue(node.Condition)
    if ('Fn::If' in node) {
      const [name, yes, no] = node['Fn::If']
      return walk(isTrue(name) ? yes : no)
    }
    return Object.fromEntries(
      Object.entries(node)
        .map(([key, value]) => [key, walk(value)])
        .filter(([, value]) => value !== absent),
    )
  }
  const kept = Object.entries(template.Resources).filter(([, { Condition }]: Node) => !Condition || isTrue(Condition))
  return { Resources: walk(Object.fromEntries(kept)) }
}

function evaluate(condition: Node): boolean {
  if (typeof condition === 'boolean') return condition
  if ('Fn::Not' in condition) return !evaluate(condition['Fn::Not'][0])
  if ('Fn::And' in condition) return condition['Fn::And'].every(evaluate)
  const [one, other] = condition['Fn::Equals']
  return one === other
}

const END_OF_DIRECTORY = Buffer.from('PK\x05\x06', 'latin1')

/** Names of a zip's files, from its central directory. */
export function namesIn(zip: Buffer): string[] {
  const end = zip.lastIndexOf(END_OF_DIRECTORY)
  let at = zip.readUInt32LE(end + 16)
  return Array.from({ length: zip.readUInt16LE(end + 10) }, () => {
    const [name, extra, comment] = [zip.readUInt16LE(at + 28), zip.readUInt16LE(at + 30), zip.readUInt16LE(at + 32)]
    const text = zip.toString('utf8', at + 46, at + 46 + name)
    at += 46 + name + extra + comment
    return text
  })
}
