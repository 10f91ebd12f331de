// DynamoDB Local, as its makers publish it: fetched once, started in memory on 127.0.0.1. It checks no signature.

import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cached } from './cache.ts'
import { freePort, keepServer } from './process/kept.ts'
import { runTool, temporaryFolder } from './tools.ts'

const VERSION = '2.6.1'
const POM = fileURLToPath(new URL('maven/pom.xml', import.meta.url))

/** The folder with DynamoDB Local's jars, fetched once. */
export async function dynamodbJars(): Promise<string> {
  return await cached({
    name: `dynamodb-local-${VERSION}`,
    doing: `fetching DynamoDB Local ${VERSION}, once`,
    sources: [POM],
    async fill(folder) {
      const copy = ['dependency:copy-dependencies', `-DoutputDirectory=${folder}`]
      await runTool('mvn', ['--batch-mode', '--quiet', '--file', POM, '-Dmaven.repo.local=repository', ...copy])
      if ((await readdir(folder)).length === 0) throw new Error('Maven copied no file')
    },
  })
}

/** A running DynamoDB Local. */
export interface DynamodbServer {
  readonly url: string
  stop(): Promise<void>
}

/**
 * Starts DynamoDB Local and waits until it answers. All credentials and regions share one set of tables.
 * @throws Error – with what it said last, when it ends instead.
 */
export async function startDynamodbLocal(jars: string): Promise<DynamodbServer> {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const main = 'com.amazonaws.services.dynamodbv2.local.main.ServerRunner'
  const args = [`-Djava.library.path=${jars}`, '-cp', join(jars, '*'), main]
  const folder = await temporaryFolder()
  const server = await keepServer(
    { command: 'java', args: [...args, '-inMemory', '-sharedDb', '-disableTelemetry', '-port', String(port)], folder },
    () =>
      fetch(url).then(
        () => true,
        () => false,
      ),
  )
  return { url, stop: () => server.stop() }
}
