// Sends rows to one server, one after the other, and keeps what later rows refer to.

import { text } from 'node:stream/consumers'
import { parse } from 'yaml'
import type { Upstream } from '../../proxy/upstream.ts'
import type { Answer, Row } from './row.ts'

/** A server under comparison. */
export interface Server {
  readonly upstream: Upstream
  /** What authenticates an administrator; a row's own headers win. */
  headers(): Promise<Readonly<Record<string, string>>>
}

/** Sends every row; the answers come in the rows' order. What rows keep goes into `kept`. */
export async function sendRows(
  server: Server,
  rows: readonly Row[],
  words: Readonly<Record<string, string>>,
  kept = new Map<string, Answer>(),
): Promise<Answer[]> {
  const answers: Answer[] = []
  for (const row of rows) {
    const answer = await sendRow(server, row, { words, kept })
    if (row.as !== undefined) kept.set(row.as, answer)
    answers.push(answer)
  }
  return answers
}

/** What a row's strings may name. */
interface Known {
  readonly words: Readonly<Record<string, string>>
  readonly kept: ReadonlyMap<string, Answer>
}

async function sendRow(server: Server, row: Row, known: Known): Promise<Answer> {
  const [method = '', path = ''] = filled(row.send, known).split(/ (.*)/s)
  const body = bodyOf(row, known)
  const type = body === '' ? {} : { 'content-type': 'application/json' }
  const answer = await server.upstream.send({
    method,
    path,
    headers: { accept: 'application/json', ...(await server.headers()), ...type, ...headersOf(row, known) },
    body,
  })
  const headers = answer.headers as Answer['headers']
  return { status: answer.statusCode ?? 0, headers, body: parsed(await text(answer), headers['content-type'] ?? '') }
}

function headersOf({ headers = {} }: Row, known: Known): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, filled(value, known)]))
}

function bodyOf(row: Row, known: Known): string {
  if (row.from === undefined && row.body === undefined) return ''
  if (typeof row.body === 'string') return filled(row.body, known)
  const base = row.from === undefined ? {} : structuredClone(known.kept.get(row.from)?.body)
  const body = row.body === undefined ? base : row.from === undefined ? row.body : merged(base, row.body)
  return JSON.stringify(body, (_key, value) => (typeof value === 'string' ? filled(value, known) : value))
}

/** RFC 7386, as rows write it. */
function merged(target: unknown, change: unknown): unknown {
  if (typeof change !== 'object' || change === null || Array.isArray(change)) return change
  const result = (typeof target === 'object' && target !== null ? target : {}) as Record<string, unknown>
  for (const [key, value] of Object.entries(change)) {
    if (value === null) delete result[key]
    else result[key] = merged(result[key], value)
  }
  return result
}

function filled(text: string, { words, kept }: Known): string {
  return text.replace(/\{([a-z]\w*)(?:\.(\w+))?\}/gi, (whole, name: string, field?: string) => {
    if (field === undefined) return words[name] ?? whole
    const metadata = (kept.get(name)?.body as { metadata?: Record<string, string> } | undefined)?.metadata
    if (metadata?.[field] === undefined) throw new Error(`no earlier row kept ${whole}`)
    return metadata[field]
  })
}

function parsed(text: string, type: string): unknown {
  try {
    if (type.startsWith('application/yaml')) return parse(text)
    const lines = text.trimEnd().split('\n')
    const isStream = lines.length > 0 && lines.every(line => line.startsWith('{"type":'))
    return isStream ? lines.map(line => JSON.parse(line) as unknown) : JSON.parse(text)
  } catch {
    return text
  }
}
