// What has to be on this machine for the real servers to be had, and the temporary folders they work in.

import { execFile } from 'node:child_process'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { runToEnd } from './process/kept.ts'

/** A program that is asked for its version. */
export interface Tool {
  readonly command: string
  readonly versionArgs: readonly string[]
  /** Finds the version in what it prints. */
  readonly pattern: RegExp
  /** The lowest that will do: major, minor. */
  readonly least: readonly [number, number]
}

/** Builds the Kubernetes servers. An older one fetches what it needs by itself, if it may. */
export const GO: Tool = { command: 'go', versionArgs: ['version'], pattern: /go(\d+)\.(\d+)/, least: [1, 21] }
/** Runs DynamoDB Local and Keycloak. */
export const JAVA: Tool = {
  command: 'java',
  versionArgs: ['-version'],
  pattern: /version "(\d+)(?:\.(\d+))?/,
  least: [17, 0],
}
/** Fetches DynamoDB Local and Keycloak. */
export const MAVEN: Tool = { command: 'mvn', versionArgs: ['--version'], pattern: /Maven (\d+)\.(\d+)/, least: [3, 0] }

/** Says why a tool can't be used; undefined when it can. */
export async function whyNot({ command, versionArgs, pattern, least }: Tool): Promise<string | undefined> {
  const wanted = `${command} ${least[0]}.${least[1]} or newer`
  const said = await promisify(execFile)(command, versionArgs, { timeout: 60_000 }).catch(
    (error: NodeJS.ErrnoException) => error,
  )
  if (said instanceof Error) return `${wanted} is not on this machine`
  const [, major = '0', minor = '0'] = pattern.exec(`${said.stdout}${said.stderr}`) ?? []
  const isEnough = Number(major) > least[0] || (Number(major) === least[0] && Number(minor) >= least[1])
  return isEnough ? undefined : `${wanted} is needed, this is ${major}.${minor}`
}

/** A new folder of the system's temporary one. */
export async function temporaryFolder(): Promise<string> {
  return await mkdtemp(join(tmpdir(), 'fencepost-real-'))
}

/**
 * Runs a tool to its end, in a temporary folder of its own unless `cwd` says another.
 * @throws Error – with the end of its output, when it fails.
 */
export async function runTool(
  command: string,
  args: readonly string[],
  options: { cwd?: string; environment?: Record<string, string> } = {},
): Promise<void> {
  await runToEnd({ command, args, folder: await temporaryFolder(), ...options })
}
