// One secret out of AWS Secrets Manager, by a request that is signed here: the SDK's client would be a chunk of its own for
// one call per sandbox and ten minutes. One try; the next tick is the retry. What is in a secret, and what AWS says besides
// the kind of its refusal, is in no message.

import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import * as z from 'zod'
import type { AwsCredentials } from '../config.ts'
import { PermanentError, TransientError } from '../errors.ts'
import { type Clock, describeMs, SECOND_MS, within } from '../time.ts'
import { signedHeaders } from './aws-signature.ts'

/** How long one secret may take, ms. */
export const SECRET_LIMIT_MS = 5 * SECOND_MS
/** The most that is read of an answer; a secret has at most 64 KiB, and JSON may write a byte as six. */
const LONGEST_ANSWER = 512 * 1_024

/** Which secret, and who asks. */
export interface SecretRequest {
  /** `arn:…:secretsmanager:<region>:<account>:secret:<name>-<six characters>`. */
  readonly arn: string
  readonly credentials: AwsCredentials
  readonly clock: Clock
  /** Default: the service in the ARN's region. */
  readonly endpoint?: string | undefined
}

const secret = z.object({ SecretString: z.string() })
const refusal = z.object({ __type: z.string() })

/**
 * Reads the current version of a secret that is text.
 *
 * @throws PermanentError – Forbidden, NotFound, Unauthorized, InvalidConfiguration (it is not text, or AWS refuses otherwise).
 * @throws TransientError – Throttled, Unavailable, Timeout.
 * @see https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
 */
export async function readSecret({ arn, credentials, clock, endpoint }: SecretRequest): Promise<string> {
  const [, partition = '', , region = ''] = arn.split(':')
  const url = new URL(endpoint ?? `https://secretsmanager.${region}.${domainOf(partition)}`)
  const body = JSON.stringify({ SecretId: arn })
  const headers = signedHeaders(
    {
      method: 'POST',
      host: url.host,
      headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'secretsmanager.GetSecretValue' },
      body,
    },
    { credentials, region, service: 'secretsmanager', nowMs: clock.wallMs() },
  )
  const what = `secret ${arn}`
  const answer = await within(clock, SECRET_LIMIT_MS, signal => post({ url, headers, body, signal })).catch(error => {
    throw unanswered(what, error)
  })
  if (answer.status !== 200) throw refused(what, answer)
  const { success, data } = secret.safeParse(parsedJson(answer.text))
  if (!success)
    throw new PermanentError('InvalidConfiguration', `${what}: it holds no text; store the kubeconfig as text`)
  return data.SecretString
}

function domainOf(partition: string): string {
  return partition === 'aws-cn' ? 'amazonaws.com.cn' : 'amazonaws.com'
}

interface Sent {
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly signal: AbortSignal
}

interface Answer {
  readonly status: number
  readonly text: string
}

function post({ url, headers, body, signal }: Sent): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = {
      method: 'POST',
      headers: { ...headers, 'content-length': Buffer.byteLength(body) },
      agent: false,
      signal,
    }
    const sent: ClientRequest = url.protocol === 'https:' ? httpsRequest(url, options) : httpRequest(url, options)
    sent.on('error', reject)
    sent.on('response', response => {
      readText(response).then(text => resolve({ status: response.statusCode ?? 0, text }), reject)
    })
    sent.end(body)
  })
}

async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > LONGEST_ANSWER) throw new Error('the answer is too long')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function unanswered(what: string, error: unknown): TransientError {
  const { code, name } = error as { code?: string; name?: string }
  if (name === 'AbortError')
    return new TransientError(
      'Timeout',
      `${what}: no answer from Secrets Manager within ${describeMs(SECRET_LIMIT_MS)}`,
    )
  return new TransientError('Unavailable', `${what}: the connection to Secrets Manager failed (${code ?? 'broken'})`)
}

/** What a function's role must allow, as refusals name it. */
const RIGHT =
  'the function’s role needs secretsmanager:GetSecretValue on exactly this ARN, and kms:Decrypt if a key of yours encrypts it'

function refused(what: string, { status, text }: Answer): Error {
  const type = refusal.safeParse(parsedJson(text)).data?.__type.split('#').at(-1) ?? ''
  const kind = /^[A-Za-z]{1,80}$/.test(type) ? type : `HTTP ${status}`
  if (/Throttl|TooManyRequests/.test(kind) || status === 429)
    return new TransientError('Throttled', `${what}: Secrets Manager asks to slow down (${kind})`)
  if (status >= 500) return new TransientError('Unavailable', `${what}: Secrets Manager is not available (${kind})`)
  if (/AccessDenied|DecryptionFailure/.test(kind) || kind === 'HTTP 403')
    return new PermanentError('Forbidden', `${what}: it may not be read (${kind}); ${RIGHT}`)
  if (kind === 'ResourceNotFoundException')
    return new PermanentError('NotFound', `${what}: there is no such secret (${kind})`)
  if (/Token|Signature|UnrecognizedClient|Credential/.test(kind))
    return new PermanentError('Unauthorized', `${what}: AWS does not accept the function’s credentials (${kind})`)
  return new PermanentError('InvalidConfiguration', `${what}: Secrets Manager refuses it (${kind})`)
}
