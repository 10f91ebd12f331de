// Bugs that are put into lib on purpose, one at a time, to see that the simulation finds them. Each is a change of one file's
// text as the bundle is made; nothing on disk changes. `find` must occur exactly once, else the mutant is stale.

/** One bug. */
export interface Mutant {
  readonly name: string
  /** What the code then does wrong. */
  readonly sentence: string
  readonly file: string
  readonly find: string
  readonly replace: string
}

/** The bugs. */
export const MUTANTS: readonly Mutant[] = [
  {
    name: 'no resourceVersion',
    sentence: 'a status patch is bound to no revision',
    file: 'lib/fence/writer.ts',
    find: 'body: { metadata: { resourceVersion: target.resourceVersion }, status },',
    replace: 'body: { status },',
  },
  {
    name: 'no uid',
    sentence: 'a delete names no uid',
    file: 'lib/fence/writer.ts',
    find: 'preconditions: { uid: target.uid, resourceVersion: target.resourceVersion },',
    replace: 'preconditions: { resourceVersion: target.resourceVersion },',
  },
  {
    name: 'no record identity',
    sentence: 'a term counts as its own in a record that was created anew under the same token',
    file: 'lib/lease/fenced-lease.ts',
    find: "return record.holder === '' && record.token === grant.token && record.recordId === grant.recordId",
    replace: "return record.holder === '' && record.token === grant.token",
  },
  {
    name: 'raise after the first read',
    sentence: 'the fence is raised when the first page has been read',
    file: 'lib/tick/run-tick.ts',
    find: `  const writer = await raise(term, budget, tools).finally(() => tally.acquired(term.grant))
  if (!(await settle(term.grant, budget, tools.clock))) return
  tally.settled()
  const nowMs = wholeSecond(tools.clock.wallMs())
  const confirm = () => tools.lease.confirm(term.grant, term.writes)
  const application = { writer, nowMs, confirm, signal: term.writes }
  const { from, memory } = term
  const pages = reconciler.observe({ from, memory, scope, nowMs, signal: budget.work })
  for await (const page of remembering(pages, term)) {`,
    replace: `  if (!(await settle(term.grant, budget, tools.clock))) return
  tally.settled()
  const nowMs = wholeSecond(tools.clock.wallMs())
  const confirm = () => tools.lease.confirm(term.grant, term.writes)
  const { from, memory } = term
  const pages = reconciler.observe({ from, memory, scope, nowMs, signal: budget.work })
  for await (const page of remembering(pages, term)) {
    const writer = term.writer ?? (await raise(term, budget, tools))
    const application = { writer, nowMs, confirm, signal: term.writes }`,
  },
  {
    name: 'settle before the raise',
    sentence: 'the settle is waited before the token is published',
    file: 'lib/tick/run-tick.ts',
    find: `  const writer = await raise(term, budget, tools).finally(() => tally.acquired(term.grant))
  if (!(await settle(term.grant, budget, tools.clock))) return
`,
    replace: `  if (!(await settle(term.grant, budget, tools.clock))) return
  const writer = await raise(term, budget, tools).finally(() => tally.acquired(term.grant))
`,
  },
  {
    name: 'no settle',
    sentence: 'an unclean predecessor is not waited out',
    file: 'lib/tick/times.ts',
    find: 'export const SETTLE_MS = PARAMETER_LAG_MS + SERVER_TIMEOUT_MS + ETCD_TAIL_MS',
    replace: 'export const SETTLE_MS = 0',
  },
  {
    name: 'settle without the tail',
    sentence: 'the settle leaves out what the store may still commit after the server gave up',
    file: 'lib/tick/times.ts',
    find: 'export const SETTLE_MS = PARAMETER_LAG_MS + SERVER_TIMEOUT_MS + ETCD_TAIL_MS',
    replace: 'export const SETTLE_MS = PARAMETER_LAG_MS + SERVER_TIMEOUT_MS',
  },
  {
    name: 'drained always',
    sentence: 'every term says that it is drained',
    file: 'lib/tick/term.ts',
    find: 'isDrained: (term.grant.isClean || settled === true) && outcomesKnown,',
    replace: 'isDrained: true,',
  },
  {
    name: 'drained not inherited',
    sentence: 'a term that never settled says that it is drained, since it wrote nothing unknown itself',
    file: 'lib/tick/term.ts',
    find: 'isDrained: (term.grant.isClean || settled === true) && outcomesKnown,',
    replace: 'isDrained: outcomesKnown,',
  },
  {
    name: 'drained at acquire',
    sentence: 'an acquire says beforehand that its term will be drained',
    file: 'lib/lease/decide.ts',
    find: '    drained: undefined,\n    tick: claim.tick.id,',
    replace: '    drained: record.token + 1,\n    tick: claim.tick.id,',
  },
  {
    name: 'drained when absent',
    sentence: 'a record that says nothing about its last term counts as drained',
    file: 'lib/lease/decide.ts',
    find: 'return record.drained === record.token',
    replace: 'return record.drained === undefined || record.drained === record.token',
  },
  {
    name: 'unknown counted as known',
    sentence: 'a write without an answer counts as one with a known outcome',
    file: 'lib/fence/gate.ts',
    find: 'if (!(error instanceof OutcomeUnknownError)) unknown--',
    replace: 'unknown--',
  },
  {
    name: 'complete without condition',
    sentence: 'a term ends whatever record it finds',
    file: 'lib/lease/fenced-lease.ts',
    find: 'if (completedTick !== undefined || !isAttempt(seen.record, grant)) throw lost(seen.record, grant)',
    replace: '',
  },
  {
    name: 'nonce is the request id',
    sentence: 'two deliveries of one event have the same holder identity',
    file: 'lib/lease/fenced-lease.ts',
    find: `\${requestId}/\${nonce()}`,
    replace: `\${requestId}/0`,
  },
  {
    name: 'conflict is a loss',
    sentence: 'a 409 at the end of a term is taken for a loss',
    file: 'lib/lease/fenced-lease.ts',
    find: '      if (swapped) return\n',
    replace: '      if (swapped) return\n      throw lost(seen.record, grant)\n',
  },
  {
    name: 'lag taken for fenced',
    sentence: 'a server that is behind counts as one that knows a successor',
    file: 'lib/fence/refusal.ts',
    find: "if (refusal.current === undefined || refusal.current < term.token) return 'lagging'",
    replace: "if (refusal.current === undefined || refusal.current < term.token) return 'overtaken'",
  },
  {
    name: 'fenced taken for lag',
    sentence: 'whoever is overtaken tries again, and then says that the server lags',
    file: 'lib/fence/refusal.ts',
    find: "? 'mine' : 'overtaken'",
    replace: "? 'mine' : 'lagging'",
  },
  {
    name: 'heal without after',
    sentence: 'a healed raise does not name the record before it',
    file: 'lib/fence/fence.ts',
    find: 'return { grant: advanced, after: spec.lease === grant.recordId ? undefined : spec.lease }',
    replace: 'return { grant: advanced, after: undefined }',
  },
  {
    name: 'healed counts as clean',
    sentence: 'a term that had to be healed does not settle',
    file: 'lib/lease/fenced-lease.ts',
    find: 'return { ...grant, token, isClean: false, versioned }',
    replace: 'return { ...grant, token, versioned }',
  },
  {
    name: 'module-global grant',
    sentence: 'writes carry the token of the term that the sandbox began last',
    file: 'lib/fence/gate.ts',
    find: 'export function openGate({ api, fence, grant, mode, clock }: GateOptions): Gate {\n',
    replace:
      'let latest: GateOptions["grant"]\nexport function openGate({ api, fence, grant: given, mode, clock }: GateOptions): Gate {\n' +
      '  latest = given\n  const grant = { get token() { return latest.token }, get holder() { return latest.holder }, endsAt: given.endsAt }\n',
  },
  {
    name: 'manual run completes',
    sentence: 'a run by hand is written down as the completed tick',
    file: 'lib/lease/fenced-lease.ts',
    find: 'end(grant, ending, grant.tick.isScheduled ? grant.tick.id : undefined, signal)',
    replace: 'end(grant, ending, grant.tick.id, signal)',
  },
  {
    name: 'older tick after newer',
    sentence: 'a tick that is older than the completed one may act',
    file: 'lib/lease/decide.ts',
    find: "    if (record.completedTick > claim.tick.id) return { kind: 'refuse', reason: 'superseded' }\n",
    replace: '',
  },
  {
    name: 'same tick twice',
    sentence: 'a tick that was completed may act again',
    file: 'lib/lease/decide.ts',
    find: "    if (record.completedTick === claim.tick.id) return { kind: 'refuse', reason: 'already-completed' }\n",
    replace: '',
  },
  {
    name: 'no canary',
    sentence: 'nobody proves that the fence is in force',
    file: 'lib/fence/gate.ts',
    find: "if (mode === 'enforced') {",
    replace: "if (mode === 'advisory') {",
  },
  {
    name: 'any refusal proves',
    sentence: 'the canary takes a refusal for the wrong reason as a proof',
    file: 'lib/fence/canary.ts',
    find: 'if (answer.status < 300) throw notInForce(write.kind)',
    replace: '',
  },
  {
    name: 'writes after the end',
    sentence: 'a write is sent again after the end of its term',
    file: 'lib/kubernetes/transport.ts',
    find: 'Math.min(endsAtMs - clock.monotonicMs(), ask.endsAt ? msUntil(ask.endsAt, clock) : Number.POSITIVE_INFINITY)',
    replace: 'endsAtMs - clock.monotonicMs()',
  },
  {
    name: 'token stays',
    sentence: 'an acquire does not raise the token',
    file: 'lib/lease/decide.ts',
    find: '    token: record.token + 1,\n    acquiredAtMs',
    replace: '    token: Math.max(1, record.token),\n    acquiredAtMs',
  },
  {
    name: 'held is free',
    sentence: 'a lease is taken from a holder whose term has not ended',
    file: 'lib/lease/decide.ts',
    find: "if (isHeld(record) && record.termEndsAtMs > claim.nowMs) return { kind: 'refuse', reason: 'held' }",
    replace: '',
  },
  {
    name: 'ours by nonce alone',
    sentence: 'a record counts as a term’s own by its holder alone',
    file: 'lib/lease/fenced-lease.ts',
    find: 'return record.holder === grant.holder && record.token === grant.token && record.recordId === grant.recordId',
    replace: 'return record.holder === grant.holder',
  },
  {
    name: 'fence forgets the record',
    sentence: 'a raise does not say which record its token is of',
    file: 'lib/fence/fence.ts',
    find: 'lease: grant.recordId,',
    replace: "lease: 'record',",
  },
]
