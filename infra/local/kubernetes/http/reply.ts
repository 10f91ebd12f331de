// Answers as values, so that an answer can be dropped on purpose after the work is done; and the media types they come in.
import { stringify as toYaml } from 'yaml'
import { ApiError } from '../errors.ts'
import type { Watch } from '../verbs/watch.ts'

/** An answer with a body, or a stream of watch events. */
export type Reply =
  | { status: number; headers: Record<string, string | string[]>; body: string }
  | { status: 200; headers: Record<string, string>; watch: Watch; timeoutMs: number | undefined }

/** What a client accepts: JSON or YAML, and for JSON perhaps a table or metadata only. */
export interface Accepted {
  mediaType: 'application/json' | 'application/yaml'
  as: 'Table' | 'PartialObjectMetadata' | undefined
}

/** Picks the first media type of an Accept header that can be served. @throws ApiError – 406 when there is none */
export function accept(header: string | undefined): Accepted {
  for (const part of (header ?? '').split(',')) {
    const [type = '', ...parameters] = part.split(';').map(piece => piece.trim().toLowerCase())
    const as = parameters.find(parameter => parameter.startsWith('as='))?.slice(3)
    if (['', '*/*', 'application/*', 'application/json'].includes(type)) {
      if (as === undefined) return { mediaType: 'application/json', as: undefined }
      if (as === 'table') return { mediaType: 'application/json', as: 'Table' }
      if (as.startsWith('partialobjectmetadata')) return { mediaType: 'application/json', as: 'PartialObjectMetadata' }
    }
    if (type === 'application/yaml' && as === undefined) return { mediaType: 'application/yaml', as: undefined }
  }
  const accepted = 'application/json, application/yaml, application/vnd.kubernetes.protobuf'
  throw new ApiError(406, 'NotAcceptable', `only the following media types are accepted: ${accepted}`)
}

/** A JSON text as an answer, in the accepted media type, with its warnings. */
export function reply(status: number, json: string, accepted?: Accepted, warnings: string[] = []): Reply {
  const warning = warnings.map(text => `299 - ${JSON.stringify(text)}`)
  const yaml = accepted?.mediaType === 'application/yaml'
  return {
    status,
    headers: {
      'content-type': accepted?.mediaType ?? 'application/json',
      ...(warning.length === 0 ? {} : { warning }),
    },
    body: yaml ? toYaml(JSON.parse(json)) : json,
  }
}

/** A plain text answer. */
export const text = (status: number, body: string): Reply => ({
  status,
  headers: { 'content-type': 'text/plain; charset=utf-8' },
  body,
})

const SERVED = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf']

/** The coarse look at an Accept header that comes before everything else for built-in kinds. @throws ApiError – 406 */
export function checkAccept(header = ''): void {
  const types = header.split(',').map(part => part.split(';')[0]?.trim().toLowerCase() ?? '')
  if (types.some(type => ['', '*/*', 'application/*', ...SERVED].includes(type))) return
  const why = `406: Not Acceptable\n\nAvailable representations: ${SERVED.join(', ')}`
  throw new ApiError(406, 'NotAcceptable', why, {})
}

/** A refusal as an answer, in YAML where the Accept header asks for nothing else. */
export function refusal(error: ApiError, acceptHeader?: string): Reply {
  const after = (error.status.details as { retryAfterSeconds?: number } | undefined)?.retryAfterSeconds
  const isYaml = /^\s*application\/yaml\s*$/i.test(acceptHeader ?? '')
  const accepted = isYaml ? ({ mediaType: 'application/yaml', as: undefined } as const) : undefined
  const answer = reply(error.status.code, JSON.stringify(error.status), accepted)
  return after === undefined
    ? answer
    : ({ ...answer, headers: { ...answer.headers, 'retry-after': String(after) } } as Reply)
}
