// What changes of a lease record must be true: the ledger, the tokens, and whose record it is.

import type { Fail } from '../invariants.ts'
import type { RecordChange, Terms } from '../terms.ts'
import type { Attempt } from '../world/attempt.ts'

/** Checks one-completion, held-is-held, manual-leaves-ledger, own-record and tokens-rise. */
export function checkLedger({ records, raises }: Terms, fail: Fail): void {
  /** The term of each attempt as it wrote it into its record. */
  const terms = new Map<Attempt, { holder: string; tokens: Set<number> }>()
  /** The records whose token an attempt raised: a record restored from a backup may carry its term under another identity. */
  const raised = new Set(raises.map(({ attempt, lease }) => `${attempt.id} ${lease}`))
  const written = new Set<string>()
  for (const change of records) {
    checkCompletion(change, fail)
    const { commit, before, after } = change
    if (after) written.add(`${after.id} ${after.token} ${after.holder}`)
    if (typeof commit.by === 'string' || commit.by.attempt.isOperator || !before || !after) continue
    const { attempt, label } = commit.by
    const who = `attempt ${attempt.id} (${label}) at ${commit.atMs} ms`
    const isAcquire = label === 'acquire PUT' || label === 'item acquire'
    const term = terms.get(attempt)
    if (isAcquire) {
      const { completedTick } = before
      if (attempt.tick.isScheduled && completedTick !== undefined && completedTick >= attempt.tick.id)
        fail('one-completion', `${who} acquired tick ${attempt.tick.id} after ${completedTick} was completed`)
      if (before.holder !== '' && after.acquiredAtMs < before.termEndsAtMs)
        fail(
          'held-is-held',
          `${who} took over ${before.termEndsAtMs - after.acquiredAtMs} ms before the end of the term`,
        )
      if (after.token <= before.token) fail('tokens-rise', `${who} acquired token ${after.token} after ${before.token}`)
      terms.set(attempt, { holder: after.holder, tokens: new Set([...(term?.tokens ?? []), after.token]) })
      raised.add(`${attempt.id} ${after.id}`)
      continue
    }
    const isOwn =
      term !== undefined &&
      raised.has(`${attempt.id} ${before.id}`) &&
      term.tokens.has(before.token) &&
      (before.holder === term.holder || before.holder === '')
    if (!isOwn) fail('own-record', `${who} changed the record of "${before.holder}" with token ${before.token}`)
    term?.tokens.add(after.token)
  }

  const holders = new Map<string, string>()
  for (const { lease, token, holder, attempt } of raises) {
    const key = `${lease} ${token}`
    const whose = `${holder} of attempt ${attempt.id}`
    const known = holders.get(key) ?? whose
    if (known !== whose) fail('tokens-rise', `${whose} raised token ${token}, which ${known} had raised`)
    holders.set(key, known)
    if (terms.get(attempt)?.holder !== holder || !written.has(`${lease} ${token} ${holder}`))
      fail('raised-by-its-own', `attempt ${attempt.id} raised token ${token} of ${lease} as ${holder}`)
  }
}

function checkCompletion({ commit, before, after }: RecordChange, fail: Fail): void {
  if (!before || !after || before.id !== after.id || before.completedTick === after.completedTick) return
  if (typeof commit.by === 'string') return
  const { attempt } = commit.by
  const what = `attempt ${attempt.id} changed the completed tick from ${before.completedTick} to ${after.completedTick}`
  if (!attempt.tick.isScheduled) fail('manual-leaves-ledger', what)
  else if (after.completedTick !== attempt.tick.id) fail('one-completion', `${what} for its tick ${attempt.tick.id}`)
  if (before.completedTick !== undefined && !(after.completedTick && after.completedTick > before.completedTick))
    fail('one-completion', what)
}
