import { afterEach, describe, expect, it, vi } from 'vitest'
import { readSecret, SECRET_LIMIT_MS } from '../../../lib/kubernetes/secrets-manager.ts'
import { type Clock, systemClock } from '../../../lib/time.ts'
import { type Script, type ScriptedServer, scriptedServer } from '../../support/api-server.ts'

const ARN = 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:kubeconfig-a1B2c3'
const CANARY = 'never-in-a-message'
const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: `${CANARY}-key`, sessionToken: `${CANARY}-session` }

let server: ScriptedServer | undefined
afterEach(() => server?.close())

/** Asks a server that answers so. */
async function read(script: Script, clock: Clock = systemClock): Promise<string> {
  server = await scriptedServer(script)
  return await readSecret({ arn: ARN, credentials, clock, endpoint: server.url })
}

describe('a secret', () => {
  it('is asked for by its ARN in one signed request, and given as it is', async () => {
    expect(await read({ status: 200, body: { ARN, SecretString: 'text\n' } })).toBe('text\n')
    expect(server?.arrived).toHaveLength(1)
    expect(server?.arrived[0]).toMatchObject({
      method: 'POST',
      url: '/',
      headers: {
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': 'secretsmanager.GetSecretValue',
        'x-amz-security-token': `${CANARY}-session`,
        authorization: expect.stringMatching(
          /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/eu-central-1\/secretsmanager\//,
        ),
      },
      body: { SecretId: ARN },
    })
  })

  it('of 64 KiB is read whole', async () => {
    const long = 'ä'.repeat(32 * 1_024)
    expect(await read({ status: 200, body: { SecretString: long } })).toBe(long)
  })
})

/** An answer as AWS refuses with, which may quote anything. */
const refusal = (status: number, type: string): Script => ({ status, body: { __type: type, message: CANARY } })

describe('a secret that can’t be read is told without what the answer says:', () => {
  it.each<[string, Script, string, string]>([
    [
      'access denied',
      refusal(400, 'AccessDeniedException'),
      'Forbidden',
      'it may not be read (AccessDeniedException); the function’s role needs secretsmanager:GetSecretValue on exactly this ARN, and kms:Decrypt if a key of yours encrypts it',
    ],
    [
      'a key that may not be used',
      refusal(400, 'DecryptionFailure'),
      'Forbidden',
      'it may not be read (DecryptionFailure)',
    ],
    ['403 without a word', { status: 403 }, 'Forbidden', 'it may not be read (HTTP 403)'],
    [
      'there is none',
      refusal(400, 'com.amazonaws.secretsmanager#ResourceNotFoundException'),
      'NotFound',
      'there is no such secret (ResourceNotFoundException)',
    ],
    [
      'an expired token',
      refusal(400, 'ExpiredTokenException'),
      'Unauthorized',
      'AWS does not accept the function’s credentials',
    ],
    ['a wrong signature', refusal(403, 'InvalidSignatureException'), 'Unauthorized', '(InvalidSignatureException)'],
    [
      'it is to be deleted',
      refusal(400, 'InvalidRequestException'),
      'InvalidConfiguration',
      'refuses it (InvalidRequestException)',
    ],
    ['throttling', refusal(400, 'ThrottlingException'), 'Throttled', 'asks to slow down (ThrottlingException)'],
    ['429', refusal(429, ''), 'Throttled', 'asks to slow down (HTTP 429)'],
    [
      'a failure of AWS',
      refusal(500, 'InternalServiceError'),
      'Unavailable',
      'is not available (InternalServiceError)',
    ],
    ['no words at all', { status: 503, body: CANARY }, 'Unavailable', 'is not available (HTTP 503)'],
    ['a kind that is a text', refusal(400, `${CANARY} was refused`), 'InvalidConfiguration', 'refuses it (HTTP 400)'],
    [
      'a redirect',
      { status: 302, headers: { location: `http://${CANARY}` } },
      'InvalidConfiguration',
      'refuses it (HTTP 302)',
    ],
    ['bytes', { status: 200, body: { SecretBinary: CANARY } }, 'InvalidConfiguration', 'it holds no text'],
    ['an answer of another service', { status: 200, body: [CANARY] }, 'InvalidConfiguration', 'it holds no text'],
    ['a connection that breaks', 'reset', 'Unavailable', 'the connection to Secrets Manager failed (ECONNRESET)'],
    ['an answer that breaks off', 'cut', 'Unavailable', 'the connection to Secrets Manager failed (ECONNRESET)'],
    ['an endless answer', { status: 200, body: CANARY.repeat(40_000) }, 'Unavailable', 'failed (broken)'],
  ])('%s', async (_, script, code, why) => {
    const error = (await read(script).catch((thrown: unknown) => thrown)) as Error
    expect(error).toMatchObject({ code, message: expect.stringContaining(`secret ${ARN}: `) })
    expect(error.message).toContain(why)
    expect(`${error.stack} ${JSON.stringify(error)} ${error.cause}`).not.toContain(CANARY)
    expect(server?.arrived).toHaveLength(1)
  })

  it('no answer within 5 s', async () => {
    const clock: Clock = {
      ...systemClock,
      sleep: async (ms, signal) => {
        expect(ms).toBe(SECRET_LIMIT_MS)
        await vi.waitFor(() => expect(server?.arrived).toHaveLength(1))
        expect(signal?.aborted).toBe(false)
      },
    }
    await expect(read('hang', clock)).rejects.toMatchObject({
      code: 'Timeout',
      message: `secret ${ARN}: no answer from Secrets Manager within 5.0 s`,
    })
  })

  it('a server that is not there', async () => {
    server = await scriptedServer({ status: 200 })
    await server.close()
    const asked = readSecret({ arn: ARN, credentials, clock: systemClock, endpoint: server.url })
    await expect(asked).rejects.toMatchObject({
      code: 'Unavailable',
      message: expect.stringContaining('(ECONNREFUSED)'),
    })
  })
})

describe('without an endpoint', () => {
  it.each([
    ['arn:aws:secretsmanager:eu-west-9:123456789012:secret:a-a1B2c3', 'secretsmanager.eu-west-9.amazonaws.com'],
    ['arn:aws-us-gov:secretsmanager:us-gov-x:123456789012:secret:a-a1B2c3', 'secretsmanager.us-gov-x.amazonaws.com'],
    ['arn:aws-cn:secretsmanager:cn-x:123456789012:secret:a-a1B2c3', 'secretsmanager.cn-x.amazonaws.com.cn'],
  ])('%s is asked for over TLS at %s', async (arn, host) => {
    const https = await import('node:https')
    const asked: string[] = []
    const agent = vi.spyOn(
      https.Agent.prototype as unknown as { createConnection(options: unknown): unknown },
      'createConnection',
    )
    agent.mockImplementation(options => {
      const { host: to, port } = options as { host: string; port: number }
      asked.push(`${to}:${port}`)
      throw Object.assign(new Error('not here'), { code: 'ENOTFOUND' })
    })
    await expect(readSecret({ arn, credentials, clock: systemClock })).rejects.toMatchObject({ code: 'Unavailable' })
    expect(asked).toEqual([`${host}:443`])
    agent.mockRestore()
  })
})
