// One API server: it receives a request, admits it at some instant by its own copy of the Fence, and the store commits it
// later, under the revision that was read when it was admitted. When its time is over it says so and gives up, but what it
// proposed to the store may still be committed.

import type { Dice } from './dice.ts'
import type { FenceCopy } from './fence-copy.ts'
import { SERVER_MS } from './names.ts'
import { POLICIES } from './policies.ts'
import type { Store, Stored } from './store.ts'
import type { Timeline } from './timeline.ts'
import { type Answer, type Asked, changeOf, judgedOf, mayDo, refusal } from './verbs.ts'

/** How a server judged a write, as the invariants need to know it. */
export interface Admission {
  readonly server: number
  readonly behindMs: number
  readonly hasTokenPolicy: boolean
}

/** What becomes of one request at a server. */
export interface ServerFate {
  readonly admitAfterMs: number
  readonly commitAfterMs: number
  /** Refused before anything is done. */
  readonly refuse?: 429 | 503
  /** Answered so after the commit. */
  readonly answerWith?: 500
  /** The continue token counts as expired. */
  readonly isExpired?: boolean
}

/** What a server works with; `by` gives the author of a write that was admitted. */
export interface ServerTools<Write> {
  readonly index: number
  readonly timeline: Timeline
  readonly dice: Dice
  readonly store: Store<Write>
  readonly copy: FenceCopy
  /** Rests of lists, by their continue token; the same on every server. */
  readonly rests: Map<string, Stored[]>
}

/** A request and what its sender wants to know of it. */
export interface Received<Write> {
  readonly asked: Asked
  readonly fate: ServerFate
  readonly by: (admission: Admission) => Write
  readonly onRead: () => void
  /** At most once. */
  readonly answer: (answer: Answer) => void
}

/** Receives one request at a server. */
export function receive<Write>(tools: ServerTools<Write>, received: Received<Write>): void {
  const { timeline, store, copy } = tools
  const { asked, fate, by } = received
  const beganMs = timeline.nowMs()
  const limitMs = Math.min(SERVER_MS, Number.parseInt(asked.query.get('timeout') ?? '5', 10) * 1_000)
  const isOver = () => timeline.nowMs() - beganMs >= limitMs
  let isAnswered = false

  function answer(given: Answer | undefined): void {
    if (isAnswered || !given) return
    isAnswered = true
    received.answer(given)
  }

  /** Refuses, or proposes the change to the store and has no answer yet. */
  function admit(): Answer | undefined {
    if (isOver()) return undefined
    if (!mayDo(asked)) return refusal(403, 'Forbidden', `User "${asked.user}" cannot do this`)
    if (asked.method === 'GET') return read(tools, asked, received)
    const object = store.get(asked.key)
    const change = changeOf(asked, object)
    if (!('next' in change)) return change
    const told = judge(copy, asked)
    if (told !== undefined) return refusal(403, 'Forbidden', `denied: ${told}`)
    if (asked.isDryRun) return { status: change.status, body: change.next ?? { kind: 'Status' } }
    const author = by({ server: tools.index, behindMs: copy.behindMs(), hasTokenPolicy: copy.policies().token })
    timeline.after(fate.commitAfterMs, () => answer(commit(object, change.next, change.status, author)))
    return undefined
  }

  function commit(
    seen: Stored | undefined,
    next: Parameters<typeof store.swap>[2],
    status: number,
    author: Write,
  ): Answer | undefined {
    // A write that changes nothing is answered and not stored.
    if (seen && next && isSame(seen, next)) return { status, body: seen }
    const expected = asked.method === 'POST' ? undefined : seen?.metadata.resourceVersion
    const stored = store.swap(asked.key, expected, next, author)
    if (stored === false) {
      if (asked.method === 'POST') return refusal(409, 'AlreadyExists', 'already exists')
      return admit()
    }
    if (fate.answerWith === 500) return refusal(500, 'InternalError', 'etcdserver: request timed out')
    return { status, body: stored === true ? { kind: 'Status', status: 'Success' } : stored }
  }

  if (fate.refuse === 429) answer(refusal(429, 'TooManyRequests', 'too many requests'))
  if (fate.refuse === 503) answer(refusal(503, 'ServiceUnavailable', 'the server is shutting down'))
  if (isAnswered) return
  timeline.after(limitMs, () => answer(refusal(504, 'Timeout', 'the request did not complete in time')))
  timeline.after(fate.admitAfterMs, () => answer(admit()))
}

/** The policies' refusal of a write, or undefined. A Fence that the copy does not have is no parameter: allowed. */
function judge(copy: FenceCopy, asked: Asked): string | undefined {
  const judged = judgedOf(asked)
  const { form, token } = copy.policies()
  const refused = form ? POLICIES.form(judged, undefined) : undefined
  if (refused !== undefined || !token) return refused
  const fence = copy.fence()
  return fence && POLICIES.token(judged, fence)
}

function read<Write>({ store, rests }: ServerTools<Write>, asked: Asked, { fate, onRead }: Received<Write>): Answer {
  const { path, query } = asked
  const limit = query.get('limit')
  if (limit === null) {
    const object = store.get(path)
    return object ? { status: 200, body: object } : refusal(404, 'NotFound', 'not found')
  }
  const token = query.get('continue')
  if (token !== null && (fate.isExpired || !rests.has(token)))
    return refusal(410, 'Expired', 'the provided continue parameter is too old')
  onRead()
  // One chain of pages shows the state at its beginning.
  const objects = token === null ? store.list(`${path}/`) : (rests.get(token) as Stored[])
  const rest = objects.slice(Number(limit))
  const next = rest.length > 0 ? `${store.revision()}-${rests.size}` : undefined
  if (next !== undefined) rests.set(next, rest)
  const metadata = { resourceVersion: String(store.revision()), ...(next !== undefined && { continue: next }) }
  return { status: 200, body: { kind: 'List', metadata, items: objects.slice(0, Number(limit)) } }
}

function isSame(before: Stored, after: { readonly [field: string]: unknown }): boolean {
  const content = ({ metadata, ...rest }: { metadata?: unknown }) => {
    const { resourceVersion: _version, uid: _uid, ...meta } = metadata as Record<string, unknown>
    return JSON.stringify([meta, rest])
  }
  return content(before) === content(after as { metadata?: unknown })
}
