// CEL: compiling expressions in an environment of named variables, with a kube-apiserver's words for what does not compile, and
// JSON values as CEL sees them. The language itself is a library's; of Kubernetes' own additions to it (lists, quantities, URLs,
// IPs, the authorizer) it knows none, and calling one does not compile.
import { type ASTNode, type Environment, EvaluationError, type TypeCheckResult } from '@marcbachmann/cel-js'

/** An expression that does not compile, or yields another type than it should; the message is what a field error quotes. */
export class CompileError extends Error {}

/** A CompileError for the type alone. */
export class WrongType extends CompileError {}

/** A compiled expression. */
export interface Program {
  readonly expression: string
  /** What it yields, `dyn` when nothing is known. */
  readonly type: string
  /** Whether it reads a variable anywhere. */
  reads(variable: string): boolean
  /** @throws Error – an evaluation that yields no value, in the server's words */
  run(context: Readonly<Record<string, unknown>>): unknown
}

/**
 * Compiles an expression.
 * @param wanted the type it must yield; unless told, any
 * @param mayBeDyn whether one of which nothing is known will do instead
 * @throws CompileError
 */
export function compile(
  environment: Environment,
  expression: string,
  wanted?: 'bool' | 'string',
  mayBeDyn = false,
): Program {
  const { valid, type = 'dyn', error } = environment.check(expression)
  if (!valid) throw new CompileError(`compilation failed: ${located(expression, error as Unfit)}`)
  if (wanted !== undefined && type !== wanted && !(mayBeDyn && type === 'dyn'))
    throw new WrongType(`must evaluate to ${wanted} but got ${type.replaceAll('<', '(').replaceAll('>', ')')}`)
  const parsed = environment.parse(expression)
  return {
    expression,
    type,
    reads: variable => readsIn(parsed.ast, variable),
    run: context => {
      try {
        return parsed(context as Record<string, unknown>)
      } catch (error) {
        if (!(error instanceof EvaluationError)) throw error
        const said = error.summary.replace(/^No such key: /, 'no such key: ')
        throw new Error(`expression '${expression}' resulted in error: ${said}`, { cause: error })
      }
    },
  }
}

type Unfit = NonNullable<TypeCheckResult['error']>

function located(expression: string, { code, summary, range }: Unfit): string {
  // A missing field is told where its dot stands.
  const start = Math.max(0, (range?.start ?? 0) - (code === 'no_such_key' ? 1 : 0))
  const before = expression.slice(0, start).split('\n')
  const column = (before.at(-1) ?? '').length
  const line = expression.split('\n')[before.length - 1] ?? ''
  return `ERROR: <input>:${before.length}:${column + 1}: ${worded(code, summary)}\n | ${line}\n | ${'.'.repeat(column)}^`
}

function worded(code: string, summary: string): string {
  const [, name] = /: (.+)$/.exec(summary) ?? []
  if (code === 'unknown_variable') return `undeclared reference to '${name}' (in container '')`
  if (code === 'no_such_key') return `undefined field '${name}'`
  return code.startsWith('unexpected') ? `Syntax error: ${summary}` : summary
}

function readsIn(node: ASTNode, variable: string): boolean {
  if (node.op === 'id') return node.args === variable
  const inside = (value: unknown): boolean =>
    Array.isArray(value)
      ? value.some(inside)
      : typeof value === 'object' && value !== null && 'op' in value && readsIn(value as ASTNode, variable)
  return inside(node.args)
}

/** A JSON value as CEL takes it when nothing is known of its type: whole numbers are ints, all others doubles. */
export function toCel(value: unknown): unknown {
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : value
  if (Array.isArray(value)) return value.map(toCel)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(([, item]) => item !== undefined)
  return Object.fromEntries(entries.map(([key, item]) => [key, toCel(item)]))
}
