// What the lease asks of DynamoDB, and what DynamoDB refuses: operations as they go over the wire, one after the other on one
// table. The expressions are those of `lib/lease/dynamodb.ts`, written out.

/** One request that both servers get. */
export interface Row {
  /** Unique; known differences refer to it. */
  readonly title: string
  readonly operation: 'CreateTable' | 'DescribeTable' | 'GetItem' | 'PutItem' | 'UpdateItem' | 'DeleteItem'
  /** `TableName` and `Key` are those of the lease `fencepost-cleanup` unless given; null leaves one out. */
  readonly input: object
  /** The part of the answer that is compared; default all of it. */
  // biome-ignore lint/suspicious/noExplicitAny: answers of many shapes
  readonly part?: (body: any) => unknown
}

const ACQUIRE =
  'SET drainedBefore = if_not_exists(drained, :none), holderBefore = if_not_exists(holderIdentity, :nobody), ' +
  'fencingToken = fencingToken + :one, holderIdentity = :holder, acquiredAtMs = :now, termEndsAtMs = :ends, ' +
  'tick = :tick REMOVE drained'
const EXISTS = 'attribute_exists(recordId)'
const NOT_SUSPENDED = 'attribute_not_exists(isSuspended)'
const FREE_OR_ENDED =
  '(attribute_not_exists(holderIdentity) OR (begins_with(holderIdentity, :prefix) AND termEndsAtMs <= :now))'
const NEWER = '(attribute_not_exists(completedTick) OR completedTick < :tick)'
const ALL = [EXISTS, NOT_SUSPENDED, FREE_OR_ENDED, NEWER].join(' AND ')

const N = (value: number | string) => ({ N: String(value) })
const S = (value: string) => ({ S: value })

interface Claim {
  readonly holder?: string
  readonly now?: number
  readonly tick?: string
}
const acquire = (
  title: string,
  { holder = 'fencepost-cleanup/r1/n1', now = 1000, tick = 't1' }: Claim,
  more = {},
): Row => ({
  title,
  operation: 'UpdateItem',
  input: {
    UpdateExpression: ACQUIRE,
    ConditionExpression: ALL,
    ExpressionAttributeValues: {
      ':none': N(-1),
      ':nobody': S(''),
      ':one': N(1),
      ':holder': S(holder),
      ':prefix': S('fencepost-cleanup/'),
      ':now': N(now),
      ':ends': N(now + 500),
      ':tick': S(tick),
    },
    ReturnValues: 'ALL_NEW',
    ...more,
  },
})
const update = (title: string, UpdateExpression: string, values: object = {}, more: object = {}): Row => ({
  title,
  operation: 'UpdateItem',
  input: {
    UpdateExpression,
    ...(Object.keys(values).length > 0 ? { ExpressionAttributeValues: values } : {}),
    ReturnValues: 'ALL_NEW',
    ...more,
  },
})
const condition = (title: string, ConditionExpression: string, values: object = {}, more: object = {}): Row =>
  update(title, 'SET probe = :probe', { ':probe': N(1), ...values }, { ConditionExpression, ...more })
const read = (title: string, more: object = {}): Row => ({
  title,
  operation: 'GetItem',
  input: { ConsistentRead: true, ...more },
})
const put = (title: string, Item: object, more: object = {}): Row => ({
  title,
  operation: 'PutItem',
  input: { Key: null, Item: { lease: S('fencepost-cleanup'), ...Item }, ...more },
})
const NEVER_HELD = { recordId: S('id-1'), fencingToken: N(0), drained: N(0) }
const IF_NEW = { ConditionExpression: 'attribute_not_exists(lease)' }

/** In the order in which they are sent. */
export const ROWS: readonly Row[] = [
  {
    title: 'a table of lease items is created',
    operation: 'CreateTable',
    input: {
      Key: null,
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: [{ AttributeName: 'lease', KeyType: 'HASH' }],
      AttributeDefinitions: [{ AttributeName: 'lease', AttributeType: 'S' }],
    },
    part: ({ TableDescription: { TableName, KeySchema, AttributeDefinitions } }) => [
      TableName,
      KeySchema,
      AttributeDefinitions,
    ],
  },
  {
    title: 'the table is described',
    operation: 'DescribeTable',
    input: { Key: null },
    part: body => [body.Table.TableStatus, body.Table.KeySchema],
  },
  { title: 'a missing table is described', operation: 'DescribeTable', input: { Key: null, TableName: 'nowhere' } },
  read('an item is read from a missing table', { TableName: 'nowhere' }),
  acquire('an item of a missing table is acquired', {}, { TableName: 'nowhere' }),
  read('a missing item is read'),
  acquire('a missing item is never acquired', {}),
  read('and was not created by the try'),
  put('an item is created', NEVER_HELD, IF_NEW),
  put('an item is created a second time', NEVER_HELD, IF_NEW),
  read('an item is read'),
  read('an item is read in part', { ProjectionExpression: 'fencingToken, nothing' }),
  read('an item is read without consistency', { ConsistentRead: false }),
  acquire('an item that was never held is acquired', {}),
  acquire('the same tick is acquired while it is held', { holder: 'fencepost-cleanup/r2/n2', now: 1100 }),
  acquire(
    'a refused acquire asks for the item',
    { holder: 'fencepost-cleanup/r2/n2', now: 1100 },
    { ReturnValuesOnConditionCheckFailure: 'ALL_OLD' },
  ),
  acquire('a held item is acquired on the instant its term ends', {
    holder: 'fencepost-cleanup/r3/n3',
    now: 1500,
    tick: 't2',
  }),
  read('the old holder and drained were copied aside'),
  update(
    'a term is completed by its holder',
    'SET drained = :drained, completedTick = :completedTick, lastOutcome = :lastOutcome REMOVE holderIdentity',
    {
      ':drained': N(2),
      ':completedTick': S('t2'),
      ':lastOutcome': S('{"kind":"completed"}'),
      ':recordId': S('id-1'),
      ':token': N(2),
      ':seenHolder': S('fencepost-cleanup/r3/n3'),
    },
    { ConditionExpression: 'recordId = :recordId AND fencingToken = :token AND holderIdentity = :seenHolder' },
  ),
  update(
    'a term is completed by another',
    'SET drained = :drained',
    { ':drained': N(1), ':recordId': S('id-1'), ':token': N(1), ':seenHolder': S('fencepost-cleanup/r1/n1') },
    { ConditionExpression: 'recordId = :recordId AND fencingToken = :token AND holderIdentity = :seenHolder' },
  ),
  acquire('a completed tick is acquired', { tick: 't2', now: 2000 }),
  acquire('an older tick is acquired', { tick: 't1', now: 2000 }),
  update('an item is suspended', 'SET isSuspended = :yes', { ':yes': { BOOL: true } }),
  acquire('a suspended item is acquired', { tick: 't3', now: 2000 }),
  update('an item is resumed', 'REMOVE isSuspended'),
  acquire('a resumed item is acquired', { tick: 't3', now: 2000 }),
  update('a holder of other people', 'SET holderIdentity = :other', { ':other': S('controller-7d9f') }),
  acquire('an item that others hold is acquired after its term', { tick: 't4', now: 9000 }),
  update('a token that does not change', 'SET fencingToken = :token', { ':token': N(3) }),
  update('what is removed need not be there', 'REMOVE nothing, drained'),
  update('an empty text', 'SET note = :empty', { ':empty': S('') }),
  update('an attribute of a reserved name', 'SET token = :token', { ':token': N(1) }),
  update(
    'an attribute of a reserved name, by a placeholder',
    'SET #t = :token',
    { ':token': N(1) },
    { ExpressionAttributeNames: { '#t': 'token' } },
  ),
  update('a status is reserved too', 'REMOVE status'),
  update('the key is changed', 'SET lease = :lease', { ':lease': S('other') }),
  update('one attribute twice', 'SET a = :a, a = :a', { ':a': N(1) }),
  update('a number is added to a text', 'SET holderIdentity = holderIdentity + :one', { ':one': N(1) }),
  update('a number is added to nothing', 'SET counter = counter + :one', { ':one': N(1) }),
  update('a counter counts from nothing', 'ADD counter :one', { ':one': N(1) }),
  update('a value that is not used', 'SET a = :a', { ':a': N(1), ':b': N(2) }),
  update('a value that is not given', 'SET a = :a'),
  update(
    'a placeholder of a name that is not used',
    'SET a = :a',
    { ':a': N(1) },
    { ExpressionAttributeNames: { '#n': 'note' } },
  ),
  update('a number that is none', 'SET a = :a', { ':a': N('x') }),
  update('a number of 39 digits', 'SET a = :a', { ':a': N('1'.repeat(39)) }),
  update('a number with a fraction and an exponent', 'SET a = :a', { ':a': N('1.50e2') }),
  update('that number is removed', 'REMOVE a'),
  update('a value of two types', 'SET a = :a', { ':a': { S: 'x', N: '1' } }),
  update('a value of no type', 'SET a = :a', { ':a': {} }),
  update('an empty set', 'SET a = :a', { ':a': { SS: [] } }),
  update('an expression that does not parse', 'SET a == :a', { ':a': N(1) }),
  update('an empty expression', ''),
  condition('an empty condition', ''),
  condition('a condition that does not parse', 'recordId = = :probe'),
  condition('a condition with a function that nobody knows', 'starts_with(recordId, :p)', { ':p': S('i') }),
  condition('a condition that compares a text to a number', 'recordId < :probe'),
  condition('a condition on a missing attribute', 'nothing <= :probe'),
  condition('a condition that begins with a number', 'begins_with(recordId, :probe)'),
  condition('a condition that is not so', 'NOT recordId = :id', { ':id': S('id-1') }),
  condition('a condition between two numbers', 'fencingToken BETWEEN :probe AND :most', { ':most': N(9) }),
  condition('a failed condition', 'recordId = :id', { ':id': S('other') }),
  condition(
    'a failed condition that asks for the item',
    'recordId = :id',
    { ':id': S('other') },
    { ReturnValuesOnConditionCheckFailure: 'ALL_OLD' },
  ),
  update('a return of values that nobody knows', 'SET a = :a', { ':a': N(1) }, { ReturnValues: 'SOME' }),
  update('only what was changed comes back', 'SET a = :a', { ':a': N(7) }, { ReturnValues: 'UPDATED_NEW' }),
  update('what was there before comes back', 'SET a = :a', { ':a': N(8) }, { ReturnValues: 'UPDATED_OLD' }),
  update('nothing comes back', 'SET a = :a', { ':a': N(9) }, { ReturnValues: 'NONE' }),
  update('an item of a key of another type', 'SET a = :a', { ':a': N(1) }, { Key: { lease: N(1) } }),
  update('an item of a key of another name', 'SET a = :a', { ':a': N(1) }, { Key: { other: S('x') } }),
  update('an item of an empty key', 'SET a = :a', { ':a': N(1) }, { Key: { lease: S('') } }),
  update('an item without a key', 'SET a = :a', { ':a': N(1) }, { Key: null }),
  update('a table without a name', 'SET a = :a', { ':a': N(1) }, { TableName: null }),
  update('an update without a condition creates an item', 'SET a = :a', { ':a': N(1) }, { Key: { lease: S('made') } }),
  put('an item beyond 400 KiB', { checkpoint: S('x'.repeat(409_600)) }),
  read('after all these the item is as it was left'),
  { title: 'an item is deleted', operation: 'DeleteItem', input: { ReturnValues: 'ALL_OLD' } },
  { title: 'a missing item is deleted', operation: 'DeleteItem', input: {} },
]
