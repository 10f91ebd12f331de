// What comes from outside may be wrong: an API server that refuses, breaks or stays silent, objects, leases, credentials
// and configuration. Each row says what a tick makes of it and in which words; then it is mended, and the next tick must
// leave nothing undone and do nothing twice.

import { readFileSync, writeFileSync } from 'node:fs'
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { parse } from 'yaml'
import { startDynamodb } from '../../infra/local/dynamodb/dynamodb.ts'
import type { ApiRequest } from '../../infra/local/kubernetes/http/request.ts'
import type { Interception } from '../../infra/local/kubernetes/server.ts'
import type { RawObject } from '../../lib/kubernetes/api.ts'
import type { TickOutcome } from '../../lib/tick/outcome.ts'
import { systemClock, toInstant } from '../../lib/time.ts'
import { isCanary, isRaise, isWork } from '../support/requests.ts'
import { rawSession, T } from '../unit/reconcilers/cleanup/fixtures.ts'
import { type Functions, newLease, overdue, PERIOD_MS, type Start, startFunctions } from '../unit/runtime/harness.ts'

const NAMES = ['a', 'b', 'c']
const start = (options: Start = {}) => startFunctions({ sessions: NAMES.map(overdue), ...options })

/** Runs a tick; its outcome, or what it threw. */
async function outcomeOf(tick: Promise<TickOutcome>): Promise<object> {
  return await tick.catch((error: Error & { outcome?: TickOutcome }) => ({
    ...(error.outcome ?? error),
    message: error.message,
  }))
}

/** Nothing was lost: one good tick later every session has ended, each was told of at most once, and the lease is free. */
async function expectNothingLost(functions: Functions): Promise<TickOutcome> {
  functions.server.intercept = undefined
  functions.clock.advance(PERIOD_MS)
  const outcome = await functions.tick()
  expect(outcome).toMatchObject({ kind: 'completed', failures: [] })
  expect(await functions.states()).toEqual({ a: 'Expired', b: 'Expired', c: 'Expired' })
  const events = await functions.events()
  expect(events).toEqual([...new Set(events)])
  expect(await functions.status()).toMatchObject({ holder: null, completedTick: outcome.tick, drained: true })
  return outcome
}

type Place =
  | 'list'
  | 'patch'
  | 'canary'
  | 'raise'
  | 'fence read'
  | 'lease read'
  | 'acquire'
  | 'release'
  | 'event'
  | 'canary of an Event'

/** Which of a function's requests is meant. */
function placeOf(request: ApiRequest): Place | undefined {
  const { method, path, body } = request
  if (path.endsWith('/events')) return isCanary(request) ? 'canary of an Event' : 'event'
  if (path.includes('/fences/')) return isRaise(request) ? 'raise' : 'fence read'
  if (method === 'PATCH') return isCanary(request) ? 'canary' : 'patch'
  if (method === 'GET') return path.includes('/leases/') ? 'lease read' : 'list'
  if (method !== 'PUT') return undefined
  const { spec } = JSON.parse(body) as { spec: { holderIdentity: string } }
  return spec.holderIdentity === '' ? 'release' : 'acquire'
}

const refusal = (status: number, reason: string): Interception => ({
  status,
  headers: status === 429 ? { 'retry-after': '3' } : {},
  body: { kind: 'Status', apiVersion: 'v1', reason, message: 'told by the server', code: status },
})

const FAULTS = {
  '401': refusal(401, 'Unauthorized'),
  '403': refusal(403, 'Forbidden'),
  '404': refusal(404, 'NotFound'),
  '409': refusal(409, 'Conflict'),
  '410': refusal(410, 'Expired'),
  '422': refusal(422, 'Invalid'),
  '429 with Retry-After': refusal(429, 'TooManyRequests'),
  '500': refusal(500, 'InternalError'),
  'a redirect': { status: 302, headers: { location: 'https://login.example/' } },
  'a page of HTML': { status: 200, headers: { 'content-type': 'text/html' }, body: '<h1>Welcome</h1>' },
  'a broken connection': 'reset',
  'a broken connection after the deed': 'reset-after-commit',
  'no answer': 'hang',
} as const satisfies Record<string, Interception>
type FaultName = keyof typeof FAULTS

const UNAUTHORIZED =
  'HTTP 401 Unauthorized: told by the server; the credentials are missing, expired or not known to this cluster'
const FORBIDDEN = 'HTTP 403 Forbidden: told by the server; grant the right (infra/kubernetes has the roles)'
const REDIRECT = 'HTTP 302; a redirect is no answer of an API server: is its URL right?'
const HTML = 'HTTP 200 without JSON; is this an API server?'
const THROTTLED = 'HTTP 429 TooManyRequests: told by the server'
const UNKNOWN = 'no definite answer within 20.0 s; it may have taken effect'

describe('an API server that always answers', () => {
  it.each<[Place, FaultName, string, string]>([
    ['list', '401', 'Unauthorized', UNAUTHORIZED],
    ['list', '403', 'Forbidden', FORBIDDEN],
    ['list', '409', 'Conflict', 'HTTP 409 Conflict: told by the server'],
    ['list', '410', 'Expired', 'HTTP 410 Expired: told by the server'],
    ['list', '429 with Retry-After', 'Throttled', THROTTLED],
    ['list', '500', 'Unavailable', 'HTTP 500 InternalError: told by the server'],
    ['list', 'a redirect', 'InvalidConfiguration', REDIRECT],
    ['list', 'a page of HTML', 'Unavailable', HTML],
    ['list', 'a broken connection', 'Unavailable', 'the connection to the API server failed (ECONNRESET)'],
    ['list', 'no answer', 'Unavailable', 'no answer within'],
    ['lease read', '401', 'Unauthorized', UNAUTHORIZED],
    ['lease read', '403', 'Forbidden', FORBIDDEN],
    ['lease read', '409', 'Conflict', 'HTTP 409 Conflict: told by the server'],
    ['lease read', '410', 'Expired', 'HTTP 410 Expired: told by the server'],
    ['lease read', '429 with Retry-After', 'Throttled', THROTTLED],
    ['lease read', '500', 'Unavailable', 'HTTP 500 InternalError: told by the server'],
    ['lease read', 'a redirect', 'InvalidConfiguration', REDIRECT],
    ['lease read', 'a page of HTML', 'Unavailable', HTML],
    ['lease read', 'a broken connection', 'Unavailable', 'the connection to the API server failed (ECONNRESET)'],
    ['lease read', 'no answer', 'Unavailable', 'no answer within'],
    ['acquire', '401', 'Unauthorized', UNAUTHORIZED],
    ['acquire', '403', 'Forbidden', FORBIDDEN],
    [
      'acquire',
      '409',
      'Conflict',
      'Lease fencepost-system/fencepost-cleanup changed 10 times while it was being changed; try again',
    ],
    ['acquire', '410', 'Expired', 'HTTP 410 Expired: told by the server'],
    ['acquire', '429 with Retry-After', 'Throttled', THROTTLED],
    ['acquire', '500', 'OutcomeUnknown', UNKNOWN],
    ['acquire', 'a redirect', 'InvalidConfiguration', REDIRECT],
    ['acquire', 'a page of HTML', 'OutcomeUnknown', UNKNOWN],
    ['acquire', 'a broken connection', 'OutcomeUnknown', UNKNOWN],
    ['acquire', 'a broken connection after the deed', 'OutcomeUnknown', UNKNOWN],
    ['acquire', 'no answer', 'OutcomeUnknown', UNKNOWN],
  ])('to %s: %s, fails the tick as %s, with nothing changed and nothing lost', async (place, fault, code, text) => {
    const functions = await start()
    functions.server.intercept = request => (placeOf(request) === place ? FAULTS[fault] : undefined)
    const outcome = await outcomeOf(functions.tick())
    expect(outcome).toMatchObject({ kind: 'failed', error: { code }, message: expect.stringContaining(text) })
    expect(functions.server.requests.filter(isWork)).toEqual([])
    expect(await expectNothingLost(functions)).toMatchObject({ counts: { changed: 3 } })
  })

  it.each<[FaultName, string, string]>([
    ['401', 'Unauthorized', UNAUTHORIZED],
    ['403', 'FenceForbidden', 'this function may not patch Fence fencepost-cleanup; give its user the right'],
    ['404', 'FenceMissing', 'Fence fencepost-cleanup does not exist, so that nothing would refuse an overtaken write'],
    ['409', 'Conflict', 'HTTP 409 Conflict: told by the server'],
    ['410', 'Expired', 'HTTP 410 Expired: told by the server'],
    ['422', 'InvalidResource', 'Fence fencepost-cleanup refuses to be raised, and not by its tokens'],
    ['429 with Retry-After', 'Throttled', THROTTLED],
    ['500', 'OutcomeUnknown', UNKNOWN],
    ['a redirect', 'InvalidConfiguration', REDIRECT],
    ['a page of HTML', 'OutcomeUnknown', UNKNOWN],
    ['a broken connection', 'OutcomeUnknown', UNKNOWN],
    ['a broken connection after the deed', 'OutcomeUnknown', UNKNOWN],
    ['no answer', 'OutcomeUnknown', UNKNOWN],
  ])(
    'to a raise: %s, fails the tick as %s, with nothing written and the lease given back, not drained',
    async (fault, code, text) => {
      const functions = await start()
      functions.server.intercept = request => (placeOf(request) === 'raise' ? FAULTS[fault] : undefined)
      const outcome = await outcomeOf(functions.tick())
      expect(outcome).toMatchObject({ kind: 'failed', error: { code }, message: expect.stringContaining(text) })
      expect(functions.server.requests.filter(request => isCanary(request) || isWork(request))).toEqual([])
      expect(await functions.status()).toMatchObject({ holder: null, drained: false, completedTick: null })
      expect(await expectNothingLost(functions)).toMatchObject({ settled: true, counts: { changed: 3 } })
    },
  )

  it('422 to every raise, by a Fence that was raised before: healed three times, then the tick fails and is not clean', async () => {
    const functions = await start()
    expect(await functions.tick()).toMatchObject({ token: 1, counts: { changed: 3 } })
    functions.clock.advance(PERIOD_MS)
    functions.server.intercept = request => (placeOf(request) === 'raise' ? FAULTS['422'] : undefined)
    expect(await outcomeOf(functions.tick())).toMatchObject({
      kind: 'failed',
      error: {
        code: 'InvalidResource',
        message: expect.stringContaining('refuses to be raised, and not by its tokens'),
      },
    })
    expect(await functions.status()).toMatchObject({ holder: null, token: 5, drained: false })
    expect(await expectNothingLost(functions)).toMatchObject({ token: 6, settled: true, counts: { changed: 0 } })
  })

  it.each<[FaultName, string, string]>([
    ['401', 'Unauthorized', UNAUTHORIZED],
    ['403', 'Forbidden', FORBIDDEN],
    ['409', 'Conflict', 'changed under each of 5 tries (timeExpired)'],
    ['410', 'Expired', 'HTTP 410 Expired: told by the server'],
    ['422', 'InvalidResource', 'HTTP 422 Invalid: told by the server'],
    ['429 with Retry-After', 'Throttled', THROTTLED],
    ['500', 'Unavailable', 'HTTP 500 InternalError: told by the server'],
    ['a redirect', 'InvalidConfiguration', REDIRECT],
    ['a page of HTML', 'Unavailable', HTML],
    ['a broken connection', 'Unavailable', 'the connection to the API server failed (ECONNRESET)'],
    ['a broken connection after the deed', 'Unavailable', 'the connection to the API server failed (ECONNRESET)'],
    ['no answer', 'Unavailable', 'no answer within'],
  ])(
    'to a canary: %s, fails each object as %s; nothing is written, and the term is drained',
    async (fault, code, text) => {
      const functions = await start()
      functions.server.intercept = request => (placeOf(request) === 'canary' ? FAULTS[fault] : undefined)
      // One object after the other waits for a canary that is never answered.
      const outcome = await outcomeOf(functions.tick({ remainingMs: 120_000 }))
      expect(outcome).toMatchObject({
        kind: 'failed',
        counts: { changed: 0, failed: 3 },
        failures: NAMES.map(() => ({ code, message: expect.stringContaining(text) })),
      })
      expect(functions.server.requests.filter(isWork)).toEqual([])
      expect(await functions.status()).toMatchObject({ holder: null, drained: true, completedTick: null })
      expect(await expectNothingLost(functions)).toMatchObject({ settled: false, counts: { changed: 3 } })
    },
  )

  it('404 to a canary: as to the write itself, the object is gone and nothing is to do', async () => {
    const functions = await start()
    functions.server.intercept = request => (placeOf(request) === 'canary' ? FAULTS['404'] : undefined)
    expect(await functions.tick()).toMatchObject({ kind: 'completed', counts: { changed: 0, unchanged: 3, failed: 0 } })
    expect(functions.server.requests.filter(isWork)).toEqual([])
    expect(await functions.status()).toMatchObject({ holder: null, drained: true })
    expect(await expectNothingLost(functions)).toMatchObject({ settled: false, counts: { changed: 3 } })
  })

  it('yes to a canary, which nobody may have: the fence is not in force, and nothing is written', async () => {
    const functions = await start()
    const yes: Interception = { status: 200, body: { kind: 'BreakglassSession' } }
    functions.server.intercept = request => (placeOf(request) === 'canary' ? yes : undefined)
    expect(await outcomeOf(functions.tick())).toMatchObject({
      kind: 'failed',
      counts: { changed: 0, failed: 0 },
      error: { code: 'FenceNotInForce', message: expect.stringContaining('under a holder that nobody has') },
    })
    expect(functions.server.requests.filter(isWork)).toEqual([])
    expect(await functions.status()).toMatchObject({ holder: null, drained: true, completedTick: null })
    expect(await expectNothingLost(functions)).toMatchObject({ settled: false, counts: { changed: 3 } })
  })

  it('yes to the canary of an Event: the fence is not in force, and the tick fails although its one change is done', async () => {
    const functions = await start({ sessions: [overdue('a')] })
    const yes: Interception = { status: 201, body: { kind: 'Event' } }
    functions.server.intercept = request => (placeOf(request) === 'canary of an Event' ? yes : undefined)
    expect(await outcomeOf(functions.tick())).toMatchObject({ kind: 'failed', error: { code: 'FenceNotInForce' } })
    expect(await functions.states()).toEqual({ a: 'Expired' })
    expect(await functions.events()).toEqual([])
    expect(await functions.status()).toMatchObject({ holder: null, drained: true, completedTick: null })
  })

  it.each<[FaultName, string, string]>([
    ['401', 'Unauthorized', UNAUTHORIZED],
    ['403', 'Forbidden', FORBIDDEN],
    ['404', 'NotFound', 'HTTP 404 NotFound'],
    ['410', 'Expired', 'HTTP 410 Expired'],
    ['422', 'InvalidResource', 'HTTP 422 Invalid'],
    ['429 with Retry-After', 'Throttled', THROTTLED],
    ['500', 'Unavailable', 'HTTP 500 InternalError'],
    ['a redirect', 'InvalidConfiguration', REDIRECT],
    ['a page of HTML', 'Unavailable', HTML],
    ['a broken connection', 'Unavailable', 'the connection to the API server failed (ECONNRESET)'],
    ['a broken connection after the deed', 'Unavailable', 'the connection to the API server failed (ECONNRESET)'],
    ['no answer', 'Unavailable', 'no answer within'],
  ])(
    'to the canary of an Event: %s, fails nothing, and is logged as %s; the term is drained',
    async (fault, code, text) => {
      const functions = await start()
      functions.server.intercept = request => (placeOf(request) === 'canary of an Event' ? FAULTS[fault] : undefined)
      const outcome = await functions.tick({ remainingMs: 120_000 })
      expect(outcome).toMatchObject({ kind: 'completed', counts: { changed: 3, failed: 0 } })
      const lines = functions.log.lines.filter(({ message }) => message === 'event not written')
      expect(lines).toMatchObject(NAMES.map(() => ({ fields: { code, error: expect.stringContaining(text) } })))
      expect(await functions.events()).toEqual([])
      expect(await expectNothingLost(functions)).toMatchObject({ settled: false, counts: { changed: 0 } })
    },
  )

  it.each<[FaultName, string, string]>([
    ['401', 'Unauthorized', UNAUTHORIZED],
    ['403', 'Forbidden', FORBIDDEN],
    ['409', 'Conflict', 'changed under each of 5 tries (timeExpired)'],
    ['410', 'Expired', 'HTTP 410 Expired: told by the server'],
    ['429 with Retry-After', 'Throttled', THROTTLED],
    ['500', 'OutcomeUnknown', UNKNOWN],
    ['a redirect', 'InvalidConfiguration', REDIRECT],
    ['a page of HTML', 'OutcomeUnknown', UNKNOWN],
    ['a broken connection', 'OutcomeUnknown', UNKNOWN],
    ['a broken connection after the deed', 'OutcomeUnknown', UNKNOWN],
    ['no answer', 'OutcomeUnknown', UNKNOWN],
  ])('to a patch: %s, fails each object as %s; who may still be written is waited out', async (fault, code, text) => {
    const functions = await start()
    functions.server.intercept = request => (placeOf(request) === 'patch' ? FAULTS[fault] : undefined)
    const outcome = await outcomeOf(functions.tick())
    expect(outcome).toMatchObject({
      kind: 'failed',
      counts: { changed: 0, failed: 3 },
      failures: NAMES.map(() => ({ code, message: expect.stringContaining(text) })),
      message: expect.stringMatching(/^cleanup tick \S+ failed; 3 of \d+ objects failed, first team\/[abc]: /),
    })
    const isDoubtful = code === 'OutcomeUnknown'
    expect(await functions.status()).toMatchObject({ holder: null, drained: !isDoubtful, completedTick: null })
    expect(await expectNothingLost(functions)).toMatchObject({ settled: isDoubtful })
  })

  it.each<[FaultName, string]>([
    ['401', UNAUTHORIZED],
    ['403', FORBIDDEN],
    ['410', 'HTTP 410 Expired'],
    ['429 with Retry-After', THROTTLED],
    ['500', UNKNOWN],
    ['a redirect', REDIRECT],
    ['a broken connection', UNKNOWN],
    ['a broken connection after the deed', UNKNOWN],
    ['no answer', UNKNOWN],
  ])('to an Event: %s, fails nothing, and is logged', async (fault, text) => {
    const functions = await start()
    functions.server.intercept = request => (placeOf(request) === 'event' ? FAULTS[fault] : undefined)
    expect(await functions.tick()).toMatchObject({ kind: 'completed', counts: { changed: 3, failed: 0 } })
    const lines = functions.log.lines.filter(({ message }) => message === 'event not written')
    expect(lines).toMatchObject(
      NAMES.map(() => ({
        level: 'warn',
        fields: { object: expect.any(String), error: expect.stringContaining(text) },
      })),
    )
    expect(await expectNothingLost(functions)).toMatchObject({ settled: text === UNKNOWN, counts: { changed: 0 } })
  })

  it.each<[FaultName]>([
    ['401'],
    ['403'],
    ['410'],
    ['429 with Retry-After'],
    ['500'],
    ['a redirect'],
    ['a broken connection'],
    ['no answer'],
  ])('to the release: %s, fails the tick after its work; the next one takes the ended term over', async fault => {
    const functions = await start()
    functions.server.intercept = request => (placeOf(request) === 'release' ? FAULTS[fault] : undefined)
    expect(await outcomeOf(functions.tick())).toMatchObject({ kind: 'failed', counts: { changed: 3, failed: 0 } })
    expect(await functions.status()).toMatchObject({
      holder: expect.stringContaining('fencepost-cleanup/'),
      completedTick: null,
    })
    expect(await expectNothingLost(functions)).toMatchObject({
      settled: true,
      tookOverFrom: expect.stringContaining('fencepost-cleanup/'),
      counts: { changed: 0 },
    })
  })

  it('409 to the release, with nobody else there, gives up after ten tries', async () => {
    const functions = await start()
    functions.server.intercept = request => (placeOf(request) === 'release' ? FAULTS['409'] : undefined)
    expect(await outcomeOf(functions.tick())).toMatchObject({ kind: 'failed', error: { code: 'Conflict' } })
    await expectNothingLost(functions)
  })

  it('nothing within a short invocation: the tick yields in time, and gives the lease back', async () => {
    const functions = await start()
    functions.server.intercept = request => (placeOf(request) === 'list' ? 'hang' : undefined)
    const beganMs = functions.clock.monotonicMs()
    expect(await functions.tick({ remainingMs: 20_000 })).toMatchObject({ kind: 'yielded', counts: { observed: 0 } })
    expect(functions.clock.monotonicMs() - beganMs).toBeLessThan(20_000)
    expect(await functions.status()).toMatchObject({ holder: null, drained: true, completedTick: null })
    await expectNothingLost(functions)
  })
})

describe('an API server that answers once', () => {
  const transient: FaultName[] = ['429 with Retry-After', '500', 'a broken connection', 'no answer']
  const lost: FaultName[] = [...transient, 'a broken connection after the deed']

  it.each<[Place, FaultName]>([
    ...transient.map(fault => ['list', fault] as [Place, FaultName]),
    ...transient.map(fault => ['lease read', fault] as [Place, FaultName]),
    ...(['canary', 'canary of an Event'] as const).flatMap(place =>
      transient.map(fault => [place, fault] as [Place, FaultName]),
    ),
    ...(['acquire', 'raise', 'patch', 'event'] as const).flatMap(place =>
      lost.map(fault => [place, fault] as [Place, FaultName]),
    ),
    // The release has 3 s: too little for a try without an answer and another one, or for what Retry-After asks here.
    ...(['500', 'a broken connection'] as const).map(fault => ['release', fault] as [Place, FaultName]),
    ['release', 'a broken connection after the deed'],
    ['acquire', '409'],
    ['canary', '409'],
    ['patch', '409'],
    ['release', '409'],
  ])('to %s: %s, costs a wait, and every session is ended and told of once', async (place, fault) => {
    const functions = await start()
    let isDone = false
    functions.server.intercept = request => {
      if (isDone || placeOf(request) !== place) return undefined
      isDone = true
      return FAULTS[fault]
    }
    expect(await functions.tick()).toMatchObject({ kind: 'completed', counts: { changed: 3, failed: 0 } })
    expect(isDone).toBe(true)
    expect(await functions.events()).toEqual(NAMES)
    expect(functions.log.messages()).not.toContain('event not written')
    await expectNothingLost(functions)
  })

  it('429 is not asked again before Retry-After', async () => {
    const functions = await start()
    const atMs: number[] = []
    functions.server.intercept = request => {
      if (placeOf(request) !== 'lease read') return undefined
      atMs.push(functions.clock.wallMs() - T)
      return atMs.length === 1 ? FAULTS['429 with Retry-After'] : undefined
    }
    await functions.tick()
    expect(atMs).toEqual([0, 3_000])
  })
})

describe('a session', () => {
  /** Upstream's definition without its schema, as after an upgrade, or an object from before there was one. */
  const crds = ['breakglasssessions', 'debugsessions'].map(name => {
    const crd = parse(readFileSync(new URL(`../../infra/local/crds/${name}.yaml`, import.meta.url), 'utf8'))
    const anything = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }
    const properties = { spec: anything, status: { ...anything, properties: {} } }
    crd.spec.versions[0].schema.openAPIV3Schema = { type: 'object', properties }
    crd.spec.versions[0].selectableFields = undefined
    return JSON.parse(JSON.stringify(crd)) as object
  })
  const strange = (part: 'spec' | 'status', fields: object): object => {
    const raw = overdue('b') as RawObject & { spec: object; status: object }
    const { uid: _uid, resourceVersion: _version, ...metadata } = raw.metadata
    return { ...raw, metadata, [part]: { ...raw[part], ...fields } }
  }

  it.each<[string, 'spec' | 'status', object, string]>([
    ['a word for an instant', 'status', { expiresAt: 'soon' }, 'status.expiresAt: is not an RFC 3339 instant'],
    [
      'a number for an instant',
      'status',
      { expiresAt: 1_788_249_600 },
      'status.expiresAt: Invalid input: expected string, received number',
    ],
    ['a number for a state', 'status', { state: 7 }, 'status.state: Invalid input: expected string, received number'],
    ['a word for conditions', 'status', { conditions: 'none' }, 'status.conditions: '],
    ['a list for a user', 'spec', { user: ['ann'] }, 'spec.user: Invalid input: expected string, received array'],
    ['no cluster', 'spec', { cluster: undefined }, 'spec.cluster: Invalid input: expected string, received undefined'],
  ])('with %s fails alone, named by its field; the others are ended', async (_title, part, fields, text) => {
    const functions = await startFunctions({ sessions: [overdue('a'), overdue('c')], crds })
    functions.server.load([strange(part, fields)])
    const outcome = await outcomeOf(functions.tick())
    expect(outcome).toMatchObject({
      kind: 'failed',
      counts: { changed: 2, failed: 1 },
      failures: [
        {
          object: 'team/b',
          code: 'InvalidResource',
          message: expect.stringContaining(`BreakglassSession team/b: ${text}`),
        },
      ],
    })
    const path = '/apis/breakglass.t-caas.telekom.com/v1alpha1/namespaces/team/breakglasssessions/b'
    await functions.api.request({ method: 'DELETE', path, repeat: 'bound' })
    functions.server.load([strange('status', {})])
    expect(await expectNothingLost(functions)).toMatchObject({ counts: { changed: 1 } })
  })

  it.each<[string, 'spec' | 'status', object]>([
    [
      'null for every optional field',
      'status',
      { approvedAt: null, timeoutAt: null, lastActivity: null, conditions: null },
    ],
    ['Go’s zero time', 'status', { lastActivity: '0001-01-01T00:00:00Z', timeoutAt: '' }],
    ['fields that nobody knows', 'status', { future: { deep: [1, { a: null }] }, approverNote: 'x' }],
    ['fields that nobody knows in its spec', 'spec', { future: true }],
    ['an unusable duration', 'spec', { retainFor: 'for ever', idleTimeout: '-1h' }],
  ])('with %s is ended like any other, and keeps what it has', async (_title, part, fields) => {
    const functions = await startFunctions({ sessions: [overdue('a'), overdue('c')], crds })
    functions.server.load([strange(part, fields)])
    const path = '/apis/breakglass.t-caas.telekom.com/v1alpha1/namespaces/team/breakglasssessions/b'
    const read = async () =>
      (await functions.api.request({ method: 'GET', path, repeat: 'read' })).body as Record<string, object>
    const before = (await read())[part] as Record<string, unknown>
    expect(await functions.tick()).toMatchObject({ kind: 'completed', counts: { changed: 3 } })
    const after = (await read())[part] as Record<string, unknown>
    for (const field of Object.keys(fields).filter(name => name !== 'conditions'))
      expect(after[field]).toEqual(before[field])
    await expectNothingLost(functions)
  })

  it.each<[string, unknown]>([
    ['an empty status', {}],
    ['a state of a later version', { state: 'Frozen', expiresAt: toInstant(0) }],
  ])('with %s is left alone', async (_title, status) => {
    const functions = await startFunctions({ sessions: [], crds })
    const raw = rawSession('x')
    functions.server.load([{ ...raw, metadata: { name: 'x', namespace: 'team' }, status }])
    expect(await functions.tick()).toMatchObject({ kind: 'completed', counts: { changed: 0, failed: 0 } })
  })
})

describe('credentials', () => {
  it('that have expired fail the tick before it begins, without being shown', async () => {
    const tokens: Record<string, string> = { 'a-secret-token': 'fencepost' }
    const functions = await start({ tokens })
    delete tokens['a-secret-token']
    const outcome = await outcomeOf(functions.tick())
    expect(outcome).toMatchObject({
      kind: 'failed',
      error: { code: 'Unauthorized' },
      message: expect.stringContaining(
        'HTTP 401 Unauthorized: Unauthorized; the credentials are missing, expired or not known to this cluster',
      ),
    })
    expect(JSON.stringify([outcome, functions.log.lines])).not.toContain('a-secret-token')
    expect(await functions.states()).toEqual({ a: 'Approved', b: 'Approved', c: 'Approved' })
    tokens['a-secret-token'] = 'fencepost'
    await expectNothingLost(functions)
  })

  it('that expire in the middle leave the lease to its term; the next tick takes it over', async () => {
    const tokens: Record<string, string> = { 'a-secret-token': 'fencepost' }
    const functions = await start({ tokens })
    functions.environment.WORKERS = '1'
    functions.server.intercept = request => {
      if (placeOf(request) === 'patch') delete tokens['a-secret-token']
      return undefined
    }
    expect(await outcomeOf(functions.tick())).toMatchObject({ kind: 'failed', counts: { changed: 1, failed: 2 } })
    tokens['a-secret-token'] = 'fencepost'
    expect(await expectNothingLost(functions)).toMatchObject({ settled: true, counts: { changed: 2 } })
  })
})

describe('a kubeconfig', () => {
  const good = (functions: Functions) => readFileSync(functions.environment.KUBECONFIG as string, 'utf8')

  it.each<[string, (text: string) => string, string, string]>([
    ['that is cut off', text => text.slice(0, 40), 'InvalidConfiguration', "it can't be read (it is not a kubeconfig)"],
    ['that is empty', () => '', 'InvalidConfiguration', "it can't be read (it is not a kubeconfig)"],
    [
      'of another context',
      text => text.replace('"current-context": "embedded"', '"current-context": "prod"'),
      'InvalidConfiguration',
      'its current context "prod" names no cluster it has',
    ],
    ['with a host for a URL', text => text.replace('http://', ''), 'InvalidConfiguration', 'is not an https URL'],
    [
      'with a command that does not exist',
      text => text.replace('"token": "embedded"', '"exec": { "command": "/no/such/login" }'),
      'Unauthorized',
      'its exec command "/no/such/login" gave no credentials; run it by hand to see why',
    ],
  ])('%s fails the invocation, named, before anything is asked', async (_title, spoil, code, text) => {
    const functions = await start({ clock: systemClockAtT })
    const before = good(functions)
    writeFileSync(functions.environment.KUBECONFIG as string, spoil(before))
    const outcome = await outcomeOf(functions.tick())
    expect(outcome).toMatchObject({ code, message: expect.stringContaining(text) })
    expect(outcome).toMatchObject({
      message: expect.stringContaining(`kubeconfig ${functions.environment.KUBECONFIG}`),
    })
    expect(functions.server.requests).toEqual([])
    expect(functions.log.messages()).toEqual(['invocation failed'])
    writeFileSync(functions.environment.KUBECONFIG as string, before)
    await expectNothingLost(functions)
  })

  it('of a server where nobody listens fails the tick with the reason', async () => {
    const functions = await start()
    const before = good(functions)
    writeFileSync(
      functions.environment.KUBECONFIG as string,
      before.replace(functions.server.url, 'http://127.0.0.1:1'),
    )
    expect(await outcomeOf(functions.tick())).toMatchObject({
      kind: 'failed',
      error: {
        code: 'Unavailable',
        message: expect.stringContaining('the connection to the API server failed (ECONNREFUSED)'),
      },
    })
    writeFileSync(functions.environment.KUBECONFIG as string, before)
    functions.restart()
    await expectNothingLost(functions)
  })
})

describe('a Lease', () => {
  const FOREIGN =
    'Lease fencepost-system/fencepost-cleanup is held by "other-controller-7d9f", which is not of fencepost-cleanup'
  const now = `${toInstant(T).slice(0, -1)}.000000Z`

  it('that is missing is asked for with the command that makes it, and never made', async () => {
    const functions = await start({ lease: false })
    expect(await outcomeOf(functions.tick())).toMatchObject({
      kind: 'failed',
      error: {
        code: 'LeaseMissing',
        message:
          'Lease fencepost-system/fencepost-cleanup does not exist; create it with `kubectl apply -k infra/kubernetes` (its ledger then starts anew)',
      },
    })
    expect(functions.writes()).toEqual([])
    functions.server.load([newLease()])
    await expectNothingLost(functions)
  })

  it('in another namespace is missing here', async () => {
    const functions = await start()
    functions.environment.LEADER_ELECT_NAMESPACE = 'team'
    expect(await outcomeOf(functions.tick())).toMatchObject({
      error: { code: 'LeaseMissing', message: expect.stringContaining('Lease team/fencepost-cleanup does not exist') },
    })
    delete functions.environment.LEADER_ELECT_NAMESPACE
    functions.restart()
    await expectNothingLost(functions)
  })

  it.each<[string, number]>([
    ['holds it', 3_600],
    ['held it long ago', 1],
  ])('that another controller uses is named and not fought, be it that it %s', async (_title, leaseDurationSeconds) => {
    const functions = await start()
    const holderIdentity = 'other-controller-7d9f'
    const spec = { holderIdentity, leaseDurationSeconds, leaseTransitions: 3, acquireTime: now, renewTime: now }
    await functions.changeLease({ spec })
    functions.clock.advance(2_000)
    expect(await outcomeOf(functions.tick())).toMatchObject({
      kind: 'failed',
      error: { code: 'ForeignHolder', message: expect.stringContaining(FOREIGN) },
    })
    expect(functions.writes()).toEqual([])
    await functions.changeLease({ spec: { holderIdentity: '' } })
    expect(await expectNothingLost(functions)).toMatchObject({ token: 4, settled: true })
  })

  it.each<[string, Record<string, string>]>([
    ['a checkpoint that is not JSON', { 'fencepost.dev/checkpoint': '{"v":' }],
    ['a checkpoint of another loop', { 'fencepost.dev/checkpoint': '{"v":1,"cursor":{"phase":"brew"}}' }],
    ['a checkpoint of a later version', { 'fencepost.dev/checkpoint': '{"v":99,"cursor":{}}' }],
    ['null for a checkpoint', { 'fencepost.dev/checkpoint': 'null' }],
  ])('with %s begins at the beginning, with a warning', async (_title, annotations) => {
    const functions = await start()
    await functions.changeLease({ metadata: { annotations } })
    expect(await functions.tick()).toMatchObject({ kind: 'completed', counts: { changed: 3 } })
    expect(functions.log.messages()).toContain('checkpoint not used')
    await expectNothingLost(functions)
  })

  it.each(['', 'yes', '-1', '99999999999', '1e3'])(
    'whose word about a clean end is %j has none: the tick settles first',
    async drained => {
      const functions = await start()
      await functions.changeLease({ metadata: { annotations: { 'fencepost.dev/drained': drained } } })
      expect(await functions.tick()).toMatchObject({ kind: 'completed', settled: true, counts: { changed: 3 } })
      await expectNothingLost(functions)
    },
  )
})

describe('a DynamoDB table', () => {
  beforeAll(() => import('../../lib/lease/dynamodb-client.ts'))
  afterEach(() => {
    vi.unstubAllEnvs()
  })

  it.each<[string, string, string]>([
    [
      'that does not exist',
      'InvalidConfiguration',
      'reading lease item fencepost-cleanup in table wrong: the table does not exist; deploy it, or set LEASE_TABLE',
    ],
    [
      'without the lease’s item',
      'LeaseMissing',
      'lease item fencepost-cleanup in table empty does not exist; create it with `aws dynamodb put-item --table-name empty',
    ],
  ])('%s fails the tick as %s, and is named', async (title, code, text) => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'a-secret-key')
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'a-secret-key')
    const dynamodb = await startDynamodb()
    try {
      for (const table of ['leases', 'empty']) await dynamodb.createLeaseTable(table)
      await dynamodb.createLeaseItem('leases', 'fencepost-cleanup', { drained: 0 })
      const functions = await start({ clock: systemClockAtT })
      const table = title === 'that does not exist' ? 'wrong' : 'empty'
      Object.assign(functions.environment, {
        LEASE: 'dynamodb',
        LEASE_TABLE: table,
        DYNAMODB_ENDPOINT: dynamodb.url,
        AWS_REGION: 'eu-central-1',
      })
      const outcome = await outcomeOf(functions.tick())
      expect(outcome).toMatchObject({
        kind: 'failed',
        error: { code, message: expect.stringContaining(text.replace('reading ', '')) },
      })
      expect(JSON.stringify([outcome, functions.log.lines])).not.toContain('a-secret-key')
      expect(functions.server.requests).toEqual([])
      functions.environment.LEASE_TABLE = 'leases'
      functions.restart()
      await expectNothingLost(functions)
    } finally {
      await dynamodb.close()
    }
  })
})

/** The machine's clock but for the date: for what is waited for that is no socket of this process. */
const systemClockAtT = { ...systemClock, wallMs: () => T }
