// Tools from Python, kept in a virtual environment of their own in the cache: cfn-lint, and moto as a stand-in for AWS's
// control plane. Started as modules, since the scripts of an environment name the folder that it was made in.

import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { cached } from '../servers/cache.ts'
import { freePort, keepServer } from '../servers/process/kept.ts'
import { runTool, type Tool, temporaryFolder, whyNot } from '../servers/tools.ts'

const REQUIREMENTS = fileURLToPath(new URL('requirements.txt', import.meta.url))
const PYTHON: Tool = { command: 'python3', versionArgs: ['--version'], pattern: /Python (\d+)\.(\d+)/, least: [3, 10] }
/** What a virtual environment is made with; some systems have it in a package of its own. */
const NEEDED = 'import ensurepip, venv'

/** Why the tools can't be had on this machine; undefined when they can. With CI set it is a failure. */
export async function whyNoTools(): Promise<string | undefined> {
  const why = (await whyNot(PYTHON)) ?? (await whyNoVenv())
  const sentence = why && `cfn-lint and the stand-in for AWS are left out: ${why}`
  if (sentence && process.env.CI === 'true') throw new Error(sentence)
  return sentence
}

async function whyNoVenv(): Promise<string | undefined> {
  const works = await promisify(execFile)(PYTHON.command, ['-c', NEEDED]).then(
    () => true,
    () => false,
  )
  return works ? undefined : 'python3 has no venv (on Debian the package python3-venv)'
}

/** The tools. */
export interface AwsTools {
  /** Runs cfn-lint on a template. @throws Error – with its findings. */
  lint(template: string): Promise<void>
  /** Starts a stand-in for AWS, with nothing in it. */
  startAccount(): Promise<{ readonly url: string; stop(): Promise<void> }>
}

/** Gives the tools, installed once. */
export async function awsTools(): Promise<AwsTools> {
  const folder = await cached({
    name: 'aws-tools',
    doing: 'installing cfn-lint and moto, once',
    sources: [REQUIREMENTS],
    async fill(into) {
      await runTool(PYTHON.command, ['-m', 'venv', into])
      const install = ['-m', 'pip', 'install', '--disable-pip-version-check', '--quiet', '--requirement', REQUIREMENTS]
      await runTool(join(into, 'bin/python'), install)
    },
  })
  const python = join(folder, 'bin/python')
  return {
    lint: template =>
      runTool(python, ['-c', 'import sys; from cfnlint.runner import main; sys.exit(main())', template]),
    async startAccount() {
      const port = await freePort()
      const url = `http://127.0.0.1:${port}`
      const args = ['-m', 'moto.server', '--host', '127.0.0.1', '--port', String(port)]
      const isReady = () =>
        fetch(url).then(
          () => true,
          () => false,
        )
      const server = await keepServer({ command: python, args, folder: await temporaryFolder() }, isReady)
      return { url, stop: () => server.stop() }
    },
  }
}
