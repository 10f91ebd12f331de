// What must be true of every change of a work object, whoever made it and whatever went wrong.

import type { Fail } from '../invariants.ts'
import type { Terms } from '../terms.ts'
import { LAG_MS, RECEIPTS_PATH, SESSIONS_PATH, VIRTUAL_USER } from '../world/names.ts'
import type { Stored } from '../world/store.ts'
import type { World } from '../world/world.ts'

const NEXT: Readonly<Record<string, string>> = { waiting: 'open', open: 'closed' }

/** Checks bound-writes, foreign-edits-survive, nothing-lost, as-virtual-user and unguarded-writes-nothing. */
export function checkWork(world: World, { works, raiseOf, raises }: Terms, fail: Fail): void {
  for (const { position, commit, by } of works) {
    const { attempt, label, user, token, holder } = by
    const what = `attempt ${attempt.id} (${label}) at ${commit.atMs} ms`
    if (commit.key.startsWith(SESSIONS_PATH)) checkSession(commit, by.bound, what, fail)
    const own = raises.filter(raise => raise.attempt === attempt && raise.position < position)
    if (!raiseOf.has(attempt)) fail('unguarded-writes-nothing', `${what} wrote and has never raised`)
    else if (user !== VIRTUAL_USER || !own.some(raise => String(raise.token) === token && raise.holder === holder))
      fail('as-virtual-user', `${what} wrote as ${user} with token ${token} and holder ${holder}`)

    const isUnguarded = world.unguarded.some(
      ({ fromMs, toMs }) => attempt.beganMs >= fromMs + LAG_MS && commit.atMs < toMs,
    )
    if (isUnguarded) fail('unguarded-writes-nothing', `${what} wrote while there was no policy`)
  }

  for (const { commit } of works) {
    const { key, before, after } = commit
    if (!key.startsWith(SESSIONS_PATH) || before?.status.state !== 'waiting' || !after) continue
    const { name, uid } = after.metadata
    if (!world.store.get(`${RECEIPTS_PATH}/${name}.${uid}`))
      fail('nothing-lost', `${name} was opened without a receipt`)
  }
}

function checkSession(
  { before, after }: { before: Stored | undefined; after: Stored | undefined },
  bound: string | undefined,
  what: string,
  fail: Fail,
): void {
  if (!before) {
    fail('bound-writes', `${what} created a session`)
    return
  }
  const { name, resourceVersion } = before.metadata
  if (bound !== resourceVersion)
    fail('bound-writes', `${what} changed ${name} at ${resourceVersion} by a write bound to ${bound}`)
  const { state, steps } = before.status
  if (!after) {
    if (state !== 'closed' || before.spec.isKept) fail('bound-writes', `${what} removed ${name}, which was ${state}`)
    return
  }
  if (after.status.state !== NEXT[state] || after.status.steps !== steps + 1)
    fail(
      'bound-writes',
      `${what} made ${name}, ${state} after ${steps} steps, ${after.status.state} after ${after.status.steps}`,
    )
  if (rest(before) !== rest(after)) fail('foreign-edits-survive', `${what} changed more of ${name} than its state`)
}

function rest({ metadata, spec, status }: Stored): string {
  const { resourceVersion: _version, ...meta } = metadata
  const { state: _state, steps: _steps, ...others } = status
  return JSON.stringify([meta, spec, others])
}
