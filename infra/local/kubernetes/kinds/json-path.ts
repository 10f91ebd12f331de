// The small part of JSONPath that CustomResourceDefinitions use for printer columns and selectable fields:
// `.a.b`, `['a.b']`, `[0]`, `[*]` and `[?(@.key=="value")]`. Anything else matches nothing.
import type { JsonObject } from '../errors.ts'

type Step = (value: unknown) => unknown[]

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const present = (value: unknown) => (value === undefined ? [] : [value])

const PIECES: readonly [pattern: RegExp, make: (match: RegExpExecArray) => Step][] = [
  [
    /^\.([\w-]+)/,
    ([, key]) =>
      value =>
        isObject(value) ? present(value[key as string]) : [],
  ],
  [
    /^\['([^']+)'\]/,
    ([, key]) =>
      value =>
        isObject(value) ? present(value[key as string]) : [],
  ],
  [
    /^\[(\d+)\]/,
    ([, at]) =>
      value =>
        Array.isArray(value) ? present(value[Number(at)]) : [],
  ],
  [/^\[\*\]/, () => value => (Array.isArray(value) ? value : isObject(value) ? Object.values(value) : [])],
  [
    /^\[\?\(@\.([\w-]+)\s*==\s*["']([^"']*)["']\)\]/,
    ([, key, wanted]) =>
      value =>
        Array.isArray(value) ? value.filter(item => isObject(item) && String(item[key as string]) === wanted) : [],
  ],
]

/** Compiles a path; the function gives every value it finds, in order. */
export function compileJsonPath(path: string): (object: unknown) => unknown[] {
  const steps: Step[] = []
  let rest = path
  while (rest !== '') {
    const piece = PIECES.map(([pattern, make]) => ({ match: pattern.exec(rest), make })).find(
      ({ match }) => match !== null,
    )
    if (piece?.match == null) return () => []
    steps.push(piece.make(piece.match))
    rest = rest.slice(piece.match[0].length)
  }
  return object => steps.reduce<unknown[]>((values, step) => values.flatMap(step), [object])
}
