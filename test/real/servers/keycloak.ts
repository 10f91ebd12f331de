// Keycloak, as its makers publish it: fetched once and built for a database in memory, started on 127.0.0.1. Its realms are gone
// when it is stopped.

import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { cached } from './cache.ts'
import { freePort, keepServer } from './process/kept.ts'
import { runTool, temporaryFolder } from './tools.ts'

const VERSION = '26.4.5'
const SCRIPT = `keycloak-${VERSION}/bin/kc.sh`

/** The folder with Keycloak, fetched and built once. */
export async function keycloakFolder(): Promise<string> {
  return await cached({
    name: `keycloak-${VERSION}`,
    doing: `fetching Keycloak ${VERSION}, once`,
    sources: [],
    async fill(folder) {
      const artifact = `-Dartifact=org.keycloak:keycloak-quarkus-dist:${VERSION}:zip`
      const unpack = ['dependency:unpack', artifact, `-DoutputDirectory=${folder}`]
      await runTool('mvn', ['--batch-mode', '--quiet', '-Dmaven.repo.local=repository', ...unpack])
      await runTool('sh', [join(folder, SCRIPT), 'build', '--db=dev-mem'])
    },
  })
}

/** A running Keycloak. */
export interface KeycloakServer {
  /** Without a slash at its end. */
  readonly url: string
  /** Of `administrator` in the realm `master`. */
  readonly password: string
  stop(): Promise<void>
}

/**
 * Starts Keycloak and waits until it answers, some 15 s.
 * @throws Error – with what it said last, when it ends instead.
 */
export async function startKeycloakServer(folder: string): Promise<KeycloakServer> {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const password = randomBytes(24).toString('hex')
  const http = ['--http-enabled=true', '--http-host=127.0.0.1', `--http-port=${port}`, '--hostname-strict=false']
  const server = await keepServer(
    {
      command: 'sh',
      args: [join(folder, SCRIPT), 'start', '--optimized', '--cache=local', ...http],
      folder: await temporaryFolder(),
      environment: {
        KC_BOOTSTRAP_ADMIN_USERNAME: 'administrator',
        KC_BOOTSTRAP_ADMIN_PASSWORD: password,
        JAVA_OPTS_KC_HEAP: '-Xms128m -Xmx768m',
      },
    },
    () =>
      fetch(`${url}/realms/master`).then(
        ({ ok }) => ok,
        () => false,
      ),
  )
  return { url, password, stop: () => server.stop() }
}
