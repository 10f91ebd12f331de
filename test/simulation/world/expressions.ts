// The part of DynamoDB's expressions that conditional updates of a lease item use: conditions of AND, OR, comparisons and
// three functions; updates of SET (value, if_not_exists, sum) and REMOVE. Anything else is refused loudly.

import type { AttributeValue } from '@aws-sdk/client-dynamodb'

/** An item, or the values of an expression. */
export type Item = Readonly<Record<string, AttributeValue>>

type Condition = (item: Item, values: Item) => boolean
type Operand = (item: Item, values: Item) => AttributeValue | undefined
type Update = (item: Item, values: Item) => Item

const TOKEN = /\s*(<=|>=|<>|[(),=<>+]|:?[A-Za-z_][A-Za-z0-9_]*)/y

function tokensOf(text: string): string[] {
  const tokens: string[] = []
  TOKEN.lastIndex = 0
  while (TOKEN.lastIndex < text.trimEnd().length) {
    const found = TOKEN.exec(text)
    if (!found) throw new Error(`not understood in the expression: ${text}`)
    tokens.push(found[1] as string)
  }
  return tokens
}

const conditions = new Map<string, Condition>()
const updates = new Map<string, Update>()

/** Compiles a condition. */
export function conditionOf(text: string): Condition {
  const known = conditions.get(text)
  if (known) return known
  const tokens = tokensOf(text)
  const made = either(tokens)
  if (tokens.length > 0) throw new Error(`left over in the condition: ${tokens.join(' ')}`)
  conditions.set(text, made)
  return made
}

function either(tokens: string[]): Condition {
  const parts = [both(tokens)]
  while (tokens[0] === 'OR') {
    tokens.shift()
    parts.push(both(tokens))
  }
  return (item, values) => parts.some(part => part(item, values))
}

function both(tokens: string[]): Condition {
  const parts = [single(tokens)]
  while (tokens[0] === 'AND') {
    tokens.shift()
    parts.push(single(tokens))
  }
  return (item, values) => parts.every(part => part(item, values))
}

function single(tokens: string[]): Condition {
  if (tokens[0] === '(') {
    tokens.shift()
    const inner = either(tokens)
    expect(tokens, ')')
    return inner
  }
  const word = tokens.shift() as string
  if (word.startsWith('attribute_')) {
    const [name] = argumentsOf(tokens) as [string]
    return word === 'attribute_exists' ? item => name in item : item => !(name in item)
  }
  if (word === 'begins_with') {
    const [name, prefix] = argumentsOf(tokens) as [string, string]
    return (item, values) => item[name]?.S?.startsWith(values[prefix]?.S ?? '') ?? false
  }
  const left = operand(word)
  const operator = tokens.shift() as string
  const right = operand(tokens.shift() as string)
  return (item, values) => compare(left(item, values), operator, right(item, values))
}

/** Values of different types, and absent ones, compare as false. */
function compare(a: AttributeValue | undefined, operator: string, b: AttributeValue | undefined): boolean {
  if (a === undefined || b === undefined) return false
  const [x, y] = a.N !== undefined ? [Number(a.N), b.N && Number(b.N)] : [a.S, b.S]
  if (x === undefined || y === undefined || typeof x !== typeof y) return false
  if (operator === '=') return x === y
  if (operator === '<') return x < y
  if (operator === '<=') return x <= y
  throw new Error(`operator ${operator}`)
}

/** Compiles an update. */
export function updateOf(text: string): Update {
  const known = updates.get(text)
  if (known) return known
  const tokens = tokensOf(text)
  const sets: { readonly name: string; readonly value: Operand }[] = []
  const removes: string[] = []
  while (tokens.length > 0) {
    const clause = tokens.shift()
    do {
      if (tokens[0] === ',') tokens.shift()
      const name = tokens.shift() as string
      if (clause === 'SET') {
        expect(tokens, '=')
        sets.push({ name, value: sum(tokens) })
      } else if (clause === 'REMOVE') removes.push(name)
      else throw new Error(`clause ${clause}`)
    } while (tokens[0] === ',')
  }
  // Every value is of the item as it was.
  const made: Update = (item, values) => {
    const next = { ...item }
    for (const { name, value } of sets) next[name] = value(item, values) as AttributeValue
    for (const name of removes) delete next[name]
    return next
  }
  updates.set(text, made)
  return made
}

function sum(tokens: string[]): Operand {
  const first = term(tokens)
  if (tokens[0] !== '+') return first
  tokens.shift()
  const second = term(tokens)
  return (item, values) => ({ N: String(Number(first(item, values)?.N) + Number(second(item, values)?.N)) })
}

function term(tokens: string[]): Operand {
  const word = tokens.shift() as string
  if (word !== 'if_not_exists') return operand(word)
  const [name, otherwise] = argumentsOf(tokens).map(operand) as [Operand, Operand]
  return (item, values) => name(item, values) ?? otherwise(item, values)
}

function operand(word: string): Operand {
  return word.startsWith(':') ? (_, values) => values[word] : item => item[word]
}

function argumentsOf(tokens: string[]): string[] {
  expect(tokens, '(')
  const found: string[] = []
  while (tokens[0] !== ')') {
    if (tokens[0] === ',') tokens.shift()
    found.push(tokens.shift() as string)
  }
  tokens.shift()
  return found
}

function expect(tokens: string[], wanted: string): void {
  const word = tokens.shift()
  if (word !== wanted) throw new Error(`expected ${wanted} and found ${word}`)
}
