// The lease record as one DynamoDB item, changed by conditional UpdateItems alone: an acquire is one call, an end is one
// call. The item must exist (an update is never allowed to create it), is never deleted and has no TTL, since its token
// and its ledger must not start again unnoticed. Single Region only: with multi-Region writes a condition judges a copy.

import type { AttributeValue, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { PermanentError } from '../errors.ts'
import { fromSdkError } from './errors.ts'
import type { Claim, ClaimAnswer, LeaseRecord, LeaseStore, Versioned } from './lease.ts'

type Item = Record<string, AttributeValue>
type Sdk = typeof import('./dynamodb-client.ts')

/** What a DynamoDB store is opened with. */
export interface DynamodbStoreOptions {
  /** The library, as loaded from its chunk. */
  readonly sdk: Sdk
  readonly client: DynamoDBClient
  readonly table: string
  /** `<installation>-<loop>`, the item's key. */
  readonly name: string
}

// One constant per clause of the acquire condition; together they are `decide` in DynamoDB's words.
const RECORD_EXISTS = 'attribute_exists(recordId)'
const NOT_SUSPENDED = 'attribute_not_exists(isSuspended)'
const NEWER_THAN_COMPLETED = '(attribute_not_exists(completedTick) OR completedTick < :tick)'
const FREE_OR_ENDED =
  '(attribute_not_exists(holderIdentity) OR (begins_with(holderIdentity, :prefix) AND termEndsAtMs <= :now))'

// The old `drained` and holder are copied aside in the very update that replaces them, so that a lost answer loses nothing.
const ACQUIRE =
  'SET drainedBefore = if_not_exists(drained, :none), holderBefore = if_not_exists(holderIdentity, :nobody), ' +
  'fencingToken = fencingToken + :one, holderIdentity = :holder, acquiredAtMs = :now, termEndsAtMs = :ends, ' +
  'tick = :tick REMOVE drained'
/** `drainedBefore` of a term whose predecessor left no `drained`; no token is negative. */
const NOT_DRAINED = -1

/** A store over one item that must exist. `swap` is bound to record identity, token and holder, and writes what differs. */
export function dynamodbStore(options: DynamodbStoreOptions): LeaseStore {
  const { sdk, client, table, name } = options
  const address = `lease item ${name} in table ${table}`
  const key = { TableName: table, Key: { lease: { S: name } } }

  async function readItem(signal: AbortSignal): Promise<Item> {
    const command = new sdk.GetItemCommand({ ...key, ConsistentRead: true })
    const { Item } = await client.send(command, { abortSignal: signal }).catch(error => {
      throw fromSdkError(error, `reading ${address}`, 'read')
    })
    if (!Item?.recordId) throw missing(address, table, name)
    return Item
  }

  /** Sends one conditional update; undefined when its condition does not hold. */
  async function update(input: ConditionalUpdate, signal: AbortSignal): Promise<Item | undefined> {
    const command = new sdk.UpdateItemCommand({ ...key, ...input, ReturnValues: 'ALL_NEW' })
    try {
      return (await client.send(command, { abortSignal: signal })).Attributes
    } catch (error) {
      if (error instanceof sdk.ConditionalCheckFailedException) return undefined
      throw fromSdkError(error, `updating ${address}`, 'write')
    }
  }

  return {
    address,

    read: async signal => versioned(await readItem(signal)),

    async claim(request, signal) {
      const item = (await update(acquireUpdate(request), signal)) ?? (await readItem(signal))
      // The library repeats an update whose answer was lost; the repeat is then refused because of our own holder.
      return item.holderIdentity?.S === request.holder ? claimed(item) : { kind: 'refused', record: fromItem(item) }
    },

    async swap(seen, next, signal) {
      const item = await update(swapUpdate(seen.record, next), signal)
      return item && versioned(item)
    },
  }
}

/** What an UpdateItem of ours is made of. */
interface ConditionalUpdate {
  UpdateExpression: string
  ConditionExpression: string
  ExpressionAttributeValues: Item
}

function acquireUpdate(claim: Claim): ConditionalUpdate {
  const conditions = [RECORD_EXISTS, NOT_SUSPENDED, FREE_OR_ENDED]
  if (claim.tick.isScheduled) conditions.push(NEWER_THAN_COMPLETED)
  return {
    UpdateExpression: ACQUIRE,
    ConditionExpression: conditions.join(' AND '),
    ExpressionAttributeValues: {
      ':none': numberOf(NOT_DRAINED),
      ':nobody': { S: '' },
      ':one': numberOf(1),
      ':holder': { S: claim.holder },
      ':prefix': { S: claim.holderPrefix },
      ':now': numberOf(claim.nowMs),
      ':ends': numberOf(claim.nowMs + claim.termMs),
      ':tick': { S: claim.tick.id },
    },
  }
}

function claimed(item: Item): ClaimAnswer {
  const drained = integer(item.drainedBefore)
  const before = { holder: item.holderBefore?.S ?? '', drained: drained === NOT_DRAINED ? undefined : drained }
  return { kind: 'claimed', before, now: versioned(item) }
}

/** Sets what differs, removes what became unset, and demands the identity, token and holder that were seen. */
function swapUpdate(seen: LeaseRecord, next: LeaseRecord): ConditionalUpdate {
  const before = toItem(seen)
  const after = toItem(next)
  const values: Item = { ':recordId': { S: seen.recordId }, ':token': numberOf(seen.token) }
  const conditions = ['recordId = :recordId', 'fencingToken = :token']
  if (before.holderIdentity) {
    values[':seenHolder'] = before.holderIdentity
    conditions.push('holderIdentity = :seenHolder')
  } else conditions.push('attribute_not_exists(holderIdentity)')

  const sets: string[] = []
  const removes: string[] = []
  for (const attribute of Object.keys({ ...before, ...after })) {
    const value = after[attribute]
    if (JSON.stringify(value) === JSON.stringify(before[attribute])) continue
    if (value === undefined) removes.push(attribute)
    else {
      sets.push(`${attribute} = :${attribute}`)
      values[`:${attribute}`] = value
    }
  }
  // An update must have a clause; writing the token that the condition demands changes nothing.
  if (sets.length === 0) sets.push('fencingToken = :token')
  return {
    UpdateExpression: `SET ${sets.join(', ')}${removes.length > 0 ? ` REMOVE ${removes.join(', ')}` : ''}`,
    ConditionExpression: conditions.join(' AND '),
    ExpressionAttributeValues: values,
  }
}

function versioned(item: Item): Versioned {
  return { record: fromItem(item), version: undefined }
}

/** The record of an item; the item's key and what others added are not part of it. */
export function fromItem(item: Item): LeaseRecord {
  return {
    recordId: item.recordId?.S ?? '',
    holder: item.holderIdentity?.S ?? '',
    token: integer(item.fencingToken) ?? 0,
    acquiredAtMs: integer(item.acquiredAtMs) ?? 0,
    termEndsAtMs: integer(item.termEndsAtMs) ?? 0,
    drained: integer(item.drained),
    isSuspended: item.isSuspended?.BOOL === true,
    tick: item.tick?.S,
    completedTick: item.completedTick?.S,
    lastOutcome: item.lastOutcome?.S,
    checkpoint: item.checkpoint?.S,
  }
}

/** The item's attributes for a record; unset ones are absent. */
export function toItem(record: LeaseRecord): Item {
  const text = (value: string | undefined): AttributeValue | undefined => (value ? { S: value } : undefined)
  const attributes: Record<string, AttributeValue | undefined> = {
    recordId: text(record.recordId),
    holderIdentity: text(record.holder),
    fencingToken: numberOf(record.token),
    acquiredAtMs: numberOf(record.acquiredAtMs),
    termEndsAtMs: numberOf(record.termEndsAtMs),
    drained: record.drained === undefined ? undefined : numberOf(record.drained),
    isSuspended: record.isSuspended ? { BOOL: true } : undefined,
    tick: text(record.tick),
    completedTick: text(record.completedTick),
    lastOutcome: text(record.lastOutcome),
    checkpoint: text(record.checkpoint),
  }
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined)) as Item
}

function numberOf(value: number): AttributeValue {
  return { N: String(value) }
}

function integer(value: AttributeValue | undefined): number | undefined {
  return value?.N === undefined ? undefined : Number(value.N)
}

function missing(address: string, table: string, name: string): PermanentError {
  return new PermanentError(
    'LeaseMissing',
    `${address} does not exist; create it with \`aws dynamodb put-item --table-name ${table} ` +
      `--condition-expression 'attribute_not_exists(lease)' --item '{"lease":{"S":"${name}"},"recordId":{"S":"<a new random id>"},"fencingToken":{"N":"0"}}'\` (its ledger then starts anew)`,
  )
}
