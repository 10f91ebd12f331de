// What the numbers were measured on, and the Node versions that can be had here.

import { execFile } from 'node:child_process'
import { cpus, totalmem } from 'node:os'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** What stands above all tables. */
export interface Machine {
  readonly at: string
  readonly commit: string
  readonly node: string
  readonly platform: string
  readonly cpu: string
  readonly cores: number
  readonly memoryGiB: number
}

/** Looks at this machine and checkout. */
export async function describeMachine(): Promise<Machine> {
  const git = async (...args: string[]) =>
    await run('git', args).then(
      ({ stdout }) => stdout.trim(),
      () => '',
    )
  const changed = await git('status', '--porcelain', '--', 'lib', 'functions', 'infra', 'package-lock.json')
  const commit = (await git('rev-parse', '--short', 'HEAD')) || 'unknown'
  return {
    at: new Date().toISOString().slice(0, 10),
    commit: changed === '' ? commit : `${commit} with changes in ${foldersOf(changed).join(', ')}`,
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
  }
}

function foldersOf(porcelain: string): string[] {
  return [
    ...new Set(
      porcelain.split('\n').map(
        line =>
          line
            .trim()
            .replace(/^\S+\s+/, '')
            .split('/')[0] as string,
      ),
    ),
  ]
}

/** A Node to start processes with. */
export interface Node {
  readonly version: string
  readonly path: string
}

/** What is deployed: serverless.yml's runtime. */
const DEPLOYED = '24.21.0'

/** The running Node, and the deployed version where npm can get it for this machine. */
export async function findNodes(): Promise<Node[]> {
  const running = { version: process.version, path: process.execPath }
  if (process.version.startsWith('v24.')) return [running]
  const packageName = `node-${process.platform}-${process.arch}@${DEPLOYED}`
  const args = ['exec', '--yes', `--package=${packageName}`, '-c', 'node -p "process.execPath"']
  const found = await run('npm', args, { timeout: 120_000 }).then(
    ({ stdout }) => stdout.trim(),
    () => '',
  )
  return found === '' ? [running] : [{ version: `v${DEPLOYED}`, path: found }, running]
}
