// What an attempt does and says must agree with what happened.

import type { Fail } from '../invariants.ts'
import type { Raise, RecordChange, Terms } from '../terms.ts'
import type { Attempt, Write } from '../world/attempt.ts'
import type { Label } from '../world/names.ts'
import type { Author } from '../world/store.ts'
import type { World } from '../world/world.ts'

/** Checks fenced-writes-no-more, fenced-is-told, fenced-is-true, completed-is-true and clean-tick-calls. */
export function checkTells(world: World, terms: Terms, fail: Fail): void {
  for (const { commit, by } of terms.works)
    if (by.attempt.overtaken !== undefined && by.sentAt > by.attempt.overtaken)
      fail('fenced-writes-no-more', `attempt ${by.attempt.id} (${by.label}) committed at ${commit.atMs} ms`)

  for (const attempt of world.attempts) {
    const { outcome, overtaken, tick, id } = attempt
    if (!outcome) continue
    if (overtaken !== undefined && outcome.kind !== 'fenced')
      fail('fenced-is-told', `attempt ${id} was overtaken and says ${outcome.kind}`)
    if (outcome.kind === 'fenced' && !hasLost(attempt, terms)) fail('fenced-is-true', `attempt ${id} says fenced`)
    const ends = terms.records.filter(change => isEndBy(change, attempt))
    const isTicked = ends.some(({ after }) => after?.completedTick === tick.id)
    if (outcome.kind === 'completed' && (tick.isScheduled ? !isTicked : ends.length === 0))
      fail('completed-is-true', `attempt ${id} says completed for ${tick.id}`)
    if (outcome.kind === 'completed' && isUntouched(world, attempt, terms)) checkCalls(attempt, fail)
  }
}

function isBy(by: Author<Write>, attempt: Attempt): by is Write {
  return typeof by !== 'string' && by.attempt === attempt
}

function isEndBy({ commit, after }: RecordChange, attempt: Attempt): boolean {
  return isBy(commit.by, attempt) && after?.holder === ''
}

/** Whether anybody took, freed, emptied or removed its record after it was acquired, or raised the fence above it. */
function hasLost(attempt: Attempt, { records, raises, raiseOf, fenceDeletions }: Terms): boolean {
  const acquire = records.find(({ commit }) => isBy(commit.by, attempt))
  if (!acquire) return false
  const end = attempt.endedAt ?? Number.POSITIVE_INFINITY
  // The tokens of a Fence that was created anew begin again, so that an older copy of it may show this one's under another holder.
  if (fenceDeletions.some(position => position < end)) return true
  // It can't tell its own advance from another's acquire as long as nobody answers.
  const isAdvanced = records.some(({ commit }) => isBy(commit.by, attempt) && commit.by.label.includes('advance'))
  if (isAdvanced && !raiseOf.has(attempt)) return true
  const isOther = ({ commit }: RecordChange) => !isBy(commit.by, attempt)
  const isTaken = records.some(
    change =>
      change.position > acquire.position &&
      change.position < end &&
      change.commit.key === acquire.commit.key &&
      isOther(change) &&
      (change.after?.token !== change.before?.token ||
        change.after?.id !== change.before?.id ||
        change.after?.holder !== change.before?.holder),
  )
  const mine: Raise | undefined = raiseOf.get(attempt)
  return (
    isTaken ||
    raises.some(
      raise =>
        raise.attempt !== attempt && raise.position > (mine?.position ?? acquire.position) && raise.position < end,
    )
  )
}

/** No fault, nothing of anybody else between its beginning and its end, and the fence stood where its own record left it. */
function isUntouched({ store }: World, attempt: Attempt, { raises, raiseOf }: Terms): boolean {
  const mine = raiseOf.get(attempt)
  if (attempt.faults > 0 || attempt.endedAt === undefined || !mine) return false
  const last = raises[raises.indexOf(mine) - 1]
  if (last && last.lease !== mine.lease) return false
  return store.log.slice(attempt.beganAt, attempt.endedAt).every(({ by }) => isBy(by, attempt))
}

/** Calls that a clean tick makes exactly so often: with the lease in Kubernetes, then in the table. */
const CALLS: Readonly<Record<string, Readonly<Partial<Record<Label, number>>>>> = {
  kubernetes: { 'lease GET': 1, 'acquire PUT': 1, 'complete PUT': 1 },
  dynamodb: { 'item acquire': 1, 'item end': 1 },
}
const LEASE_CALLS: readonly Label[] = [
  'lease GET',
  'acquire PUT',
  'advance PUT',
  'complete PUT',
  'item acquire',
  'item advance',
  'item end',
  'item read',
]
/** Each kind is proven once; a server that lags may be asked again. */
const KINDS: readonly Label[] = ['status PATCH', 'session DELETE', 'receipt POST', 'event POST']

function checkCalls({ id, sent, leaseKind }: Attempt, fail: Fail): void {
  const expected: Partial<Record<Label, number>> = { ...CALLS[leaseKind], 'fence PATCH': 1 }
  for (const label of [...LEASE_CALLS, 'fence PATCH', 'fence GET'] as const)
    if ((sent.get(label) ?? 0) !== (expected[label] ?? 0))
      fail('clean-tick-calls', `attempt ${id} made ${sent.get(label) ?? 0} × ${label}`)
  const kinds = KINDS.filter(label => sent.has(label)).length
  const proofs = sent.get('canary') ?? 0
  if (proofs < kinds) fail('clean-tick-calls', `attempt ${id} made ${proofs} canaries for ${kinds} kinds of writes`)
}
