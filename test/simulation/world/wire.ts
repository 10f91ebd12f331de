// The network between one attempt and the API servers, as the transport's exchange. Here requests are lost, delayed,
// duplicated and sent elsewhere, answers never come, and processes freeze and die between any two steps.

import type { Exchange, WireAnswer, WireRequest } from '../../../lib/http/exchange.ts'
import type { Fault } from '../faults.ts'
import { receive, type ServerFate } from './api-server.ts'
import type { Attempt } from './attempt.ts'
import type { Dice } from './dice.ts'
import { labelOf } from './labels.ts'
import { SERVER_MS, STORE_TAIL_MS } from './names.ts'
import { BEGINNING_MS } from './sandbox.ts'
import { type Answer, type Asked, understand } from './verbs.ts'
import type { World } from './world.ts'

const STEP_MS = 3_600_000

/** Opens the network for one attempt. */
export function openWire(world: World, attempt: Attempt): Exchange {
  return { send: request => send(world, attempt, request), close: () => undefined }
}

function send(world: World, attempt: Attempt, request: WireRequest): Promise<WireAnswer> {
  const { timeline, dice } = world
  const { sandbox } = attempt
  const asked = understand(request.method, request.path, request.headers, request.payload)
  const label = labelOf(asked, attempt)
  const fault = world.hit(attempt, label)
  const sentAt = world.store.log.length
  world.noteSent(attempt, label, asked)
  if (label === 'fence PATCH') attempt.hasRaised = true

  return new Promise((resolve, reject) => {
    let isOver = false
    const finish = (end: () => void, hasFailed: boolean) => {
      if (isOver) return
      isOver = true
      attempt.hasFailed = hasFailed
      stopLimit()
      request.signal?.removeEventListener('abort', aborted)
      end()
    }
    const fail = (message: string, code?: string) =>
      finish(() => reject(Object.assign(new Error(message), code && { code })), true)
    const aborted = () => fail('aborted')
    const arrive = (answer: Answer) => {
      if (isOver) return
      world.trace(() => `${nameOf(attempt)} ${label} <- ${answer.status} ${told(answer)}`)
      world.noteAnswer(attempt, answer)
      const date = new Date(BEGINNING_MS + timeline.nowMs()).toUTCString()
      const wait = answer.status === 429 && dice.chance(0.5) ? { 'retry-after': String(dice.between(1, 3)) } : {}
      const { status, body } = answer
      finish(() => resolve({ status, body, headers: { date, ...wait } }), status >= 400)
    }

    const stopLimit = sandbox.timer(request.limitMs, () => fail('no answer in time'))
    request.signal?.addEventListener('abort', aborted)
    if (fault === 'connection refused') timeline.after(1, () => sandbox.deliver(() => fail('refused', 'ECONNREFUSED')))
    else
      depart(world, attempt, fault, () => {
        const copies = fault === 'request duplicated' ? 2 : 1
        for (let copy = 0; copy < copies; copy++) {
          const isEcho = copy > 0
          const delayMs = isEcho ? dice.magnitude(1, 4_000) : dice.magnitude(1, 20)
          later(world, fault === 'request delayed' ? undefined : delayMs, () => {
            const answered = isEcho ? () => undefined : answerer(world, attempt, fault, arrive, fail)
            reach(world, { attempt, asked, label, fault, isEcho, sentAt }, answered)
          })
        }
      })
  })
}

/** Lets the request leave the sandbox: at once, after a freeze, or never. */
function depart(world: World, attempt: Attempt, fault: Fault | undefined, leave: () => void): void {
  const { sandbox } = attempt
  if (fault === 'kill') sandbox.kill()
  if (fault === 'pause') world.freeze(sandbox)
  if (fault === 'clock step') sandbox.stepWall(world.dice.between(-STEP_MS, STEP_MS))
  if (fault === 'request lost') return
  sandbox.deliver(leave)
}

/** Runs something after a while; undefined: long after, for choice just as another one has raised the fence. */
function later(world: World, delayMs: number | undefined, run: () => void): void {
  if (delayMs === undefined) world.atBadMoment(run)
  else world.timeline.after(delayMs, run)
}

/** As late as may be, now and then. */
function latenessOf(dice: Dice, longestMs: number): number {
  return dice.chance(0.3) ? longestMs - dice.magnitude(1, 500) : dice.between(0, longestMs)
}

interface OnItsWay {
  readonly attempt: Attempt
  readonly asked: Asked
  readonly label: ReturnType<typeof labelOf>
  readonly fault: Fault | undefined
  readonly isEcho: boolean
  readonly sentAt: number
}

/** A request reaches the API server that the load balancer chose. */
function reach(world: World, request: OnItsWay, answer: (given: Answer) => void): void {
  const { attempt, asked, label, fault, isEcho, sentAt } = request
  const { dice } = world
  const server = world.route(attempt, fault === 'other server' || isEcho)
  if (server.copy.isFrozen()) world.noteHit(attempt, 'frozen copy', label)
  if (fault === 'conflict') world.meddle(asked.key)
  // What was late on its way may be late at the server as well.
  const isLate = fault === 'late commit' || ((fault === 'pause' || fault === 'request delayed') && dice.chance(0.3))
  const admitAfterMs = isLate && dice.chance(0.3) ? dice.between(0, SERVER_MS - 1) : dice.magnitude(1, 5)
  const fate: ServerFate = {
    admitAfterMs,
    commitAfterMs: isLate ? latenessOf(dice, SERVER_MS - admitAfterMs + STORE_TAIL_MS) : dice.magnitude(1, 6),
    ...(fault === 'throttled' && { refuse: 429 }),
    ...(fault === 'unavailable' && { refuse: 503 }),
    ...(fault === 'error after commit' && { answerWith: 500 }),
    isExpired: fault === 'expired',
  }
  receive(server, {
    asked,
    fate,
    answer,
    onRead: () => world.noteRead(attempt, asked),
    by: admission => ({
      attempt,
      label,
      user: asked.user,
      token: asked.extra['fencepost.dev/token']?.[0],
      holder: asked.extra['fencepost.dev/holder']?.[0],
      bound: asked.body?.preconditions?.resourceVersion ?? asked.body?.metadata?.resourceVersion,
      sentAt,
      admission,
    }),
  })
}

/** The way back of an answer. */
function answerer(
  world: World,
  attempt: Attempt,
  fault: Fault | undefined,
  arrive: (answer: Answer) => void,
  fail: (message: string, code: string) => void,
): (answer: Answer) => void {
  const { timeline, dice } = world
  const { sandbox } = attempt
  return answer =>
    timeline.after(dice.magnitude(1, 20), () => {
      if (fault === 'kill at answer') sandbox.kill()
      if (fault === 'pause at answer') world.freeze(sandbox)
      if (fault !== 'answer lost') sandbox.deliver(() => arrive(answer))
      // Broken, or silent until the try's own limit.
      else if (dice.chance(0.5)) sandbox.deliver(() => fail('broken', 'ECONNRESET'))
    })
}

function nameOf({ id, sandbox }: Attempt): string {
  return `sandbox ${sandbox.index} attempt ${id}`
}

function told({ status, body }: Answer): string {
  return status < 400 ? '' : String((body as { message?: string }).message)
}
