// Label and field selectors, in the full grammar of the API server, with its refusals.
import { badRequest } from '../errors.ts'
import type { Kind } from '../kinds/kind.ts'
import { labelValueErrors, qualifiedErrors } from '../kinds/names.ts'
import type { Entry } from '../store/store.ts'

/** Whether an entry is selected. */
export type Match = (entry: Entry) => boolean

type Test = (value: string | undefined) => boolean

/**
 * The entries that both selectors of a request select; undefined when it has none.
 * @throws ApiError – 400 for a selector that does not parse, or a field the kind cannot select by
 */
export function readSelectors(kind: Kind, labels: string, fields: string): Match | undefined {
  const tests = [...parseLabels(labels), ...parseFields(kind, fields)]
  return tests.length === 0 ? undefined : entry => tests.every(test => test(entry))
}

const TOKEN = /\s*(,|\(|\)|==|=|!=|!|<|>|[^\s,()=!<>]+)\s*/y

function tokensOf(text: string): string[] {
  const tokens: string[] = []
  TOKEN.lastIndex = 0
  for (let match = TOKEN.exec(text); match !== null; match = TOKEN.exec(text)) tokens.push(match[1] as string)
  return tokens
}

const isOperator = (token: string) => /^[,()=!<>]/.test(token)

function parseLabels(text: string): Match[] {
  const tokens = tokensOf(text)
  const matches: Match[] = []
  let at = 0
  const next = () => tokens[at++]
  while (at < tokens.length) {
    const token = tokens[at] as string
    if (token !== '!' && isOperator(token))
      throw badRequest(`found '${token}', expected: !, identifier, or 'end of string'`)
    const { key, test } = parseRequirement(next, () => tokens[at])
    matches.push(entry => test(entry.labels[key]))
    const separator = next()
    if (separator === undefined) break
    if (separator !== ',') throw badRequest(`found '${separator}', expected: ',' or 'end of string'`)
    if (at >= tokens.length) throw badRequest(`found '', expected: identifier after ','`)
  }
  return matches
}

function parseRequirement(next: () => string | undefined, peek: () => string | undefined): { key: string; test: Test } {
  const fail = (why: string) => badRequest(`unable to parse requirement: ${why}`)
  const first = next()
  const negated = first === '!'
  const key = (negated ? next() : first) ?? ''
  if (key === '' || isOperator(key)) throw fail(`found '${key}', expected: identifier`)
  for (const why of qualifiedErrors(key)) throw fail(`<nil>: Invalid value: ${JSON.stringify(key)}: ${why}`)
  const operator = peek()
  if (negated) return { key, test: value => value === undefined }
  if (operator === undefined || operator === ',') return { key, test: value => value !== undefined }
  next()
  const one = () => {
    const value = peek() === undefined || peek() === ',' ? '' : (next() as string)
    for (const why of labelValueErrors(value))
      throw fail(`values[0][${key}]: Invalid value: ${JSON.stringify(value)}: ${why}`)
    return value
  }
  switch (operator) {
    case '=':
    case '==': {
      const wanted = one()
      return { key, test: value => value === wanted }
    }
    case '!=': {
      const unwanted = one()
      return { key, test: value => value !== unwanted }
    }
    case 'in':
    case 'notin': {
      const set = new Set(parseSet(next, fail))
      return {
        key,
        test: value =>
          operator === 'in' ? value !== undefined && set.has(value) : value === undefined || !set.has(value),
      }
    }
    case 'gt':
    case '>':
    case 'lt':
    case '<': {
      const given = one()
      const bound = /^[+-]?\d+$/.test(given) ? Number(given) : Number.NaN
      if (Number.isNaN(bound)) {
        const why = `for 'Gt', 'Lt' operators, the value must be an integer`
        throw fail(`values[0]: Invalid value: ${JSON.stringify(given)}: ${why}`)
      }
      const sign = operator === 'gt' || operator === '>' ? 1 : -1
      return { key, test: value => value !== undefined && /^-?\d+$/.test(value) && (Number(value) - bound) * sign > 0 }
    }
    default:
      throw fail(`found '${operator}', expected: in, notin, =, ==, !=, gt, lt`)
  }
}

function parseSet(next: () => string | undefined, fail: (why: string) => Error): string[] {
  const open = next()
  if (open !== '(') throw fail(`found '${open ?? ''}' expected: '('`)
  const values: string[] = []
  for (let token = next(); token !== ')'; token = next()) {
    if (token === undefined)
      throw fail(values.length === 0 ? `found '', expected: ',', ')' or identifier` : `found '', expected: ',' or ')'`)
    if (token !== ',') values.push(token)
  }
  return values.length === 0 ? [''] : values
}

function parseFields(kind: Kind, text: string): Match[] {
  if (text === '') return []
  return splitUnescaped(text, ',')
    .filter(term => term !== '')
    .map(term => parseField(kind, term))
}

function parseField(kind: Kind, term: string): Match {
  const match = /^([^=!]*?)(!=|==|=)(.*)$/s.exec(term)
  if (match === null) throw badRequest(`invalid selector: '${term}'; can't understand '${term}'`)
  const [, label, operator, raw] = match as unknown as [string, string, string, string]
  const stray = /(?<!\\)[=,]/.exec(raw)
  if (stray !== null)
    throw badRequest(`invalid field selector: unescaped character in value: ${stray[0].charCodeAt(0)}`)
  const wanted = raw.replace(/\\([\\,=])/g, '$1')
  const read = fieldReader(kind, label)
  return entry => (read(entry) === wanted) !== (operator === '!=')
}

function fieldReader(kind: Kind, label: string): (entry: Entry) => string {
  const slash = (entry: Entry) => entry.key.indexOf('/')
  if (label === 'metadata.name') return entry => entry.key.slice(slash(entry) + 1)
  if (label === 'metadata.namespace' && (kind.namespaced || !kind.custom))
    return entry => entry.key.slice(0, Math.max(0, slash(entry)))
  if (kind.fieldLabels.includes(label)) return entry => entry.fields[label] ?? ''
  if (kind.custom || kind.fieldLabels.length > 0) throw badRequest(`field label not supported: ${label}`)
  throw badRequest(`"${label}" is not a known field selector: only "metadata.name", "metadata.namespace"`)
}

const splitUnescaped = (text: string, separator: string) => text.split(new RegExp(`(?<!\\\\)${separator}`))
