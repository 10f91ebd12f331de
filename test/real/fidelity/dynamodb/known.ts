// The rows on which the embedded DynamoDB is known to differ from DynamoDB Local: each points to the line of FIDELITY.md that
// says so. A row that is not here must be equal, one that is here must still differ, and in nothing but what it says.

/** A reason to differ, and the rows that show it. */
export interface KnownDifference {
  /** What a line of FIDELITY.md begins with, after its mark. */
  readonly line: string
  readonly at: 'message' | 'body'
  readonly rows: readonly string[]
}

/** Every known difference. */
export const KNOWN: readonly KnownDifference[] = [
  {
    line: '`ReturnValuesOnConditionCheckFailure`',
    at: 'body',
    rows: ['a refused acquire asks for the item', 'a failed condition that asks for the item'],
  },
  { line: 'numbers written', at: 'body', rows: ['a number with a fraction and an exponent'] },
  { line: 'a delete of a missing item', at: 'body', rows: ['a missing item is deleted'] },
  {
    line: 'a missing table:',
    at: 'message',
    rows: [
      'a missing table is described',
      'an item is read from a missing table',
      'an item of a missing table is acquired',
    ],
  },
  { line: 'numbers that are none', at: 'message', rows: ['a number that is none', 'a number of 39 digits'] },
  {
    line: 'expressions that do not parse:',
    at: 'message',
    rows: ['an expression that does not parse', 'a condition that does not parse'],
  },
  {
    line: 'keys, names and enumerations:',
    at: 'message',
    rows: [
      'a return of values that nobody knows',
      'an item of a key of another type',
      'an item of a key of another name',
      'an item of an empty key',
      'an item without a key',
      'a table without a name',
    ],
  },
]
