// The table of lease items: each command is one step on one item. Between an attempt and the table stands the library, which
// tries a command three times by itself, so that a try that was given up may still arrive.

import {
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  type GetItemCommandInput,
  ProvisionedThroughputExceededException,
  UpdateItemCommand,
  type UpdateItemCommandInput,
} from '@aws-sdk/client-dynamodb'
import type { Fault } from '../faults.ts'
import type { Attempt, Write } from './attempt.ts'
import { conditionOf, type Item, updateOf } from './expressions.ts'
import type { Label } from './names.ts'
import type { Author, Stored } from './store.ts'
import type { World } from './world.ts'

/** The one item, by what it is in the log. */
export interface Table {
  item(): Item | undefined
  put(item: Item | undefined, by: Author<Write>): void
}

/** Makes a table without an item. */
export function createTable(
  note: (before: Stored | undefined, after: Stored | undefined, by: Author<Write>) => void,
): Table {
  let current: Item | undefined
  return {
    item: () => current,
    put(item, by) {
      note(asStored(current), asStored(item), by)
      current = item
    },
  }
}

function asStored(item: Item | undefined): Stored | undefined {
  return item && { metadata: { name: 'item', uid: item.recordId?.S ?? '', resourceVersion: '' }, item }
}

type Input = GetItemCommandInput & Partial<UpdateItemCommandInput>

/** What the library knows, and what it takes for an answer that never came, ms. */
const TRIES = 3
const LIMIT_MS = 3_000

/** The client of one attempt; `send` is all that lib uses of one. */
export function openClient(world: World, attempt: Attempt): DynamoDBClient {
  async function send(command: { input: Input }, options?: { abortSignal?: AbortSignal }): Promise<unknown> {
    const label = labelOf(command, attempt)
    for (let tries = 1; ; tries++) {
      const result = await attemptOnce(world, attempt, command, label, options?.abortSignal)
      attempt.hasFailed = 'error' in result
      if (!('error' in result)) return result.output
      const isLast = tries === TRIES || options?.abortSignal?.aborted
      if (!result.isTransient || isLast) throw result.error
      await attempt.sandbox.clock.sleep(world.dice.between(10, 200), options?.abortSignal)
    }
  }
  return { send } as unknown as DynamoDBClient
}

function labelOf({ input }: { input: Input }, attempt: Attempt): Label {
  if (input.UpdateExpression === undefined) return 'item read'
  if (input.UpdateExpression.includes('holderBefore')) return 'item acquire'
  return input.UpdateExpression.includes('lastOutcome') || !attempt.hasRaised ? 'item end' : 'item advance'
}

type Result = { readonly output: unknown } | { readonly error: Error; readonly isTransient: boolean }

/** One try of the library. */
function attemptOnce(
  world: World,
  attempt: Attempt,
  command: { input: Input },
  label: Label,
  signal: AbortSignal | undefined,
): Promise<Result> {
  const { timeline, dice } = world
  const { sandbox } = attempt
  const fault = world.hit(attempt, label)
  const sentAt = world.store.log.length
  world.noteCount(attempt, label)
  const { ':ends': ends, ':now': now } = command.input.ExpressionAttributeValues ?? {}
  if (ends && now) world.noteTerm(attempt, Number(ends.N), Number(ends.N) - Number(now.N))
  return new Promise(resolve => {
    const finish = (result: Result) => {
      signal?.removeEventListener('abort', abort)
      stopLimit()
      resolve(result)
    }
    const silent = (name: string) => finish({ error: Object.assign(new Error(name), { name }), isTransient: true })
    const abort = () => silent('AbortError')
    signal?.addEventListener('abort', abort)
    const stopLimit = sandbox.timer(LIMIT_MS, () => silent('TimeoutError'))

    const answer = (result: Result) =>
      timeline.after(dice.magnitude(1, 10), () => {
        if (fault === 'kill at answer') sandbox.kill()
        if (fault === 'pause at answer') world.freeze(sandbox)
        if (fault !== 'answer lost') sandbox.deliver(() => finish(result))
      })
    if (fault === 'kill') sandbox.kill()
    if (fault === 'pause') world.freeze(sandbox)
    if (fault === 'clock step') sandbox.stepWall(dice.between(-3_600_000, 3_600_000))
    if (fault === 'request lost') return
    sandbox.deliver(() => {
      const arrive = () => answer(execute(world, command, fault, { attempt, label, sentAt }))
      if (fault === 'request delayed') world.atBadMoment(arrive)
      else timeline.after(dice.magnitude(1, 10), arrive)
      if (fault === 'request duplicated')
        timeline.after(dice.magnitude(1, 4_000), () => execute(world, command, undefined, { attempt, label, sentAt }))
    })
  })
}

/** The table carries a command out. */
function execute(
  { table, trace }: World,
  command: { input: Input },
  fault: Fault | undefined,
  write: Pick<Write, 'attempt' | 'label' | 'sentAt'>,
): Result {
  trace(() => `table ${write.label} of attempt ${write.attempt.id}${fault ? ` (${fault})` : ''}`)
  const $metadata = {}
  if (fault === 'throttled')
    return { error: new ProvisionedThroughputExceededException({ message: '', $metadata }), isTransient: true }
  if (fault === 'unavailable') return { error: serverError(), isTransient: true }
  const { input } = command
  const item = table.item()
  if (command instanceof GetItemCommand) return { output: item ? { Item: item } : {} }
  if (!(command instanceof UpdateItemCommand)) throw new Error('no such command')
  const values = input.ExpressionAttributeValues ?? {}
  if (!conditionOf(input.ConditionExpression as string)(item ?? {}, values))
    return { error: new ConditionalCheckFailedException({ message: '', $metadata }), isTransient: false }
  const next = updateOf(input.UpdateExpression as string)(item ?? {}, values)
  const nothing = { user: '', token: undefined, holder: undefined, bound: undefined, admission: undefined }
  table.put(next, { ...write, ...nothing })
  return fault === 'error after commit' ? { error: serverError(), isTransient: true } : { output: { Attributes: next } }
}

function serverError(): Error {
  return Object.assign(new Error('InternalServerError'), {
    name: 'InternalServerError',
    $metadata: { httpStatusCode: 500 },
  })
}
