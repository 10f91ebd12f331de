import { readFileSync } from 'node:fs'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { errorMessage } from '../../../lib/errors.ts'
import { MINUTE_MS } from '../../../lib/time.ts'
import { type Script, type ScriptedServer, scriptedServer } from '../../support/api-server.ts'
import { type Functions, overdue, PERIOD_MS, startFunctions } from './harness.ts'

const ARN = 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:kubeconfig-a1B2c3'
const FIRST = 'canary-first'
const SECOND = 'canary-second'
const CANARY = /canary/

let secrets: ScriptedServer
afterEach(() => secrets?.close())

/** Functions whose kubeconfig is a secret; `script` makes its answers out of a token. */
async function start(...answers: ((of: (token: string) => Script) => Script)[]): Promise<Functions> {
  const tokens = { [FIRST]: 'fencepost:function:fencepost-cleanup', [SECOND]: 'fencepost:function:fencepost-cleanup' }
  const functions = await startFunctions({ sessions: [overdue('a')], tokens })
  const text = readFileSync(functions.environment.KUBECONFIG as string, 'utf8')
  const of = (token: string): Script => ({ status: 200, body: { SecretString: text.replaceAll(FIRST, token) } })
  secrets = await scriptedServer(...answers.map(answer => answer(of)))
  delete functions.environment.KUBECONFIG
  Object.assign(functions.environment, { KUBECONFIG_SECRET_ARN: ARN, SECRETS_MANAGER_ENDPOINT: secrets.url })
  return functions
}

/** The credentials of this process, which are read at every question. */
const useKey = (id: string) => vi.stubEnv('AWS_ACCESS_KEY_ID', id)
const keys = () => secrets.arrived.map(({ headers }) => /Credential=(\w+)\//.exec(headers.authorization ?? '')?.[1])
afterEach(() => {
  vi.unstubAllEnvs()
})

describe('a function whose kubeconfig is a secret', () => {
  it('works with it, and asks for it once in 10 min, then with the credentials of then', async () => {
    const functions = await start(
      of => of(FIRST),
      of => of(SECOND),
    )
    useKey('AKIDFIRST')
    expect(await functions.tick()).toMatchObject({ kind: 'completed', counts: { changed: 1 } })
    useKey('AKIDSECOND')
    functions.clock.advance(PERIOD_MS)
    expect(await functions.tick()).toMatchObject({ kind: 'completed' })
    expect(keys()).toEqual(['AKIDFIRST'])

    functions.clock.advance(PERIOD_MS)
    expect(await functions.tick()).toMatchObject({ kind: 'completed' })
    expect(keys()).toEqual(['AKIDFIRST', 'AKIDSECOND'])
  })

  it('uses what the secret says by then, so that the token before it may be refused', async () => {
    const functions = await start(
      of => of(FIRST),
      of => of(SECOND),
    )
    await functions.tick()
    const authorizations: (string | undefined)[] = []
    functions.server.intercept = ({ headers }) => {
      authorizations.push(headers.authorization)
      return undefined
    }
    functions.clock.advance(2 * PERIOD_MS)
    await functions.tick()
    expect(new Set(authorizations)).toEqual(new Set([`Bearer ${SECOND}`]))
  })

  it('asks again when the clock was set back', async () => {
    const functions = await start(of => of(FIRST))
    await functions.tick()
    functions.clock.advance(-11 * MINUTE_MS)
    await functions.status()
    expect(secrets.arrived).toHaveLength(2)
  })

  it('fails the tick when it can’t be read, writes nothing, and the next tick tries again', async () => {
    const functions = await start(
      () => ({ status: 400, body: { __type: 'AccessDeniedException', message: FIRST } }),
      of => of(FIRST),
    )
    const error = await functions.tick().catch((thrown: unknown) => thrown)
    expect(errorMessage(error)).toContain(`secret ${ARN}: it may not be read (AccessDeniedException)`)
    expect(functions.writes()).toEqual([])
    expect(await functions.tick()).toMatchObject({ kind: 'completed' })
  })

  it.each<[string, Script]>([
    ['works', { status: 200 }],
    ['is refused', { status: 400, body: { __type: 'InternalServiceError', message: FIRST } }],
    ['is no kubeconfig', { status: 200, body: { SecretString: `token: ${FIRST}` } }],
    ['has a command', { status: 200, body: { SecretString: commandOf(FIRST) } }],
    ['is refused by the API server', { status: 200, body: { SecretString: '' } }],
  ])('tells nothing that is in it when it %s', async (title, script) => {
    const functions = await start(of =>
      title === 'works' ? of(FIRST) : title === 'is refused by the API server' ? of('canary-unknown') : script,
    )
    const written: string[] = []
    const keep = (chunk: unknown) => written.push(String(chunk)) > 0
    const spies = [process.stdout, process.stderr].map(stream => vi.spyOn(stream, 'write').mockImplementation(keep))
    const answers = [
      await functions.tick().catch((error: unknown) => error),
      await functions.reconcile({ loop: 'cleanup', dryRun: true }).catch((error: unknown) => error),
      await functions.status().catch((error: unknown) => error),
    ]
    for (const spy of spies) spy.mockRestore()
    expect(answers.filter(answer => answer instanceof Error)).toHaveLength(title === 'works' ? 0 : 3)
    const told = answers.map(answer => (answer instanceof Error ? everythingIn(answer) : JSON.stringify(answer)))
    expect([...told, ...written, JSON.stringify(functions.log.lines)].filter(text => CANARY.test(text))).toEqual([])
  })

  it('would be caught telling it', () => {
    expect(everythingIn(new Error('x', { cause: new Error(FIRST) }))).toMatch(CANARY)
  })
})

/** All that a log may show of an error: its own fields and stack, and its causes’. */
function everythingIn(error: unknown): string {
  if (!(error instanceof Error)) return JSON.stringify(error) ?? ''
  return `${error.stack} ${JSON.stringify(error)} ${everythingIn(error.cause)}`
}

/** A kubeconfig with a command instead of a token. */
function commandOf(argument: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': argument,
    clusters: [{ name: 'one', cluster: { server: 'https://10.0.0.1' } }],
    users: [{ name: 'ann', user: { exec: { apiVersion: 'client.authentication.k8s.io/v1', command: argument } } }],
    contexts: [{ name: argument, context: { cluster: 'one', user: 'ann' } }],
  })
}
