// The rules of the house, as a table and a reader of import lines. A rule without a failing check is a wish: each rule is
// also shown a planted violation.

import { readdirSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { describe, expect, it } from 'vitest'

/** Rooms from high to low; a file imports its own room or a lower one, never a higher one and never sideways. */
const RANKS: readonly (readonly string[])[] = [
  ['functions'],
  ['lib/runtime'],
  ['lib/reconcilers'],
  ['lib/tick'],
  ['lib/fence'],
  ['lib/lease'],
  ['lib/kubernetes', 'lib/keycloak', 'lib/oidc', 'lib/telemetry'],
  ['lib/http', 'lib/config.ts'],
  ['lib/errors.ts', 'lib/time.ts'],
]
/** Files that decide and nothing else, and what they reach by imports. */
const PURE =
  /^lib\/(reconcilers\/[^/]+\/(plan\.ts|rules\/.+)|lease\/(decide|upstream\/rules)\.ts|fence\/refusal\.ts|tick\/(budget|schedule|checkpoint|outcome|times)\.ts)$/
/** Files that write to the cluster. */
const WRITERS = /^lib\/(fence\/(writer|fence)|lease\/(kubernetes|upstream\/upstream))\.ts$/
/** Files that send a POST which changes nothing: for a token, a secret, and who the sender is. */
const ASKERS = [
  'lib/http/token-request.ts',
  'lib/kubernetes/secrets-manager.ts',
  'lib/reconcilers/config-check/look/probe.ts',
]
/** Chunks: nothing but a library may be in them, or they would carry second copies of our classes. */
const CHUNKS = ['lib/lease/dynamodb-client.ts', 'lib/kubernetes/kubeconfig-library.ts']

interface Import {
  readonly from: string
  /** A path in the repository, or a package's name. */
  readonly to: string
  readonly isTypeOnly: boolean
  readonly isDynamic: boolean
}

interface Source {
  readonly path: string
  readonly text: string
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile() && entry.name.endsWith('.ts'))
    .map(entry => join(entry.parentPath, entry.name))
}

const sources: Source[] = ['functions', 'lib', 'infra/local', 'infra/build'].flatMap(filesIn).map(path => ({
  path,
  text: readFileSync(path, 'utf8'),
}))

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')
}

function importsOf({ path, text }: Source): Import[] {
  const found: Import[] = []
  const statement = /^(?:import|export)\s+(type\s+)?(?:([^'"`;]*?)\s*from\s*)?['"]([^'"]+)['"]/gm
  for (const [, type, names = '', to = ''] of withoutComments(text).matchAll(statement)) {
    const isTypeOnly = type !== undefined || /^\{(\s*type\s[^,}]+,?)+\s*\}$/.test(names.trim())
    found.push({ from: path, to: resolved(path, to), isTypeOnly, isDynamic: false })
  }
  for (const [, to = ''] of withoutComments(text).matchAll(/\bimport\(\s*['"]([^'"]+)['"]\s*\)(?!\.)/g))
    found.push({ from: path, to: resolved(path, to), isTypeOnly: /typeof import\(/.test(text), isDynamic: true })
  return found
}

function resolved(from: string, to: string): string {
  return to.startsWith('.') ? posix.join(posix.dirname(from), to) : to
}

function rankOf(path: string): { rank: number; room: string } | undefined {
  for (const [rank, rooms] of RANKS.entries())
    for (const room of rooms) if (path === room || path.startsWith(`${room}/`)) return { rank, room }
  return undefined
}

/** Loops are rooms of their own: none knows another. */
function roomOf(path: string): string | undefined {
  return /^lib\/reconcilers\/[^/]+/.exec(path)?.[0] ?? rankOf(path)?.room
}

const rules: Record<string, (source: Source) => string[]> = {
  'imports only go down': source =>
    importsOf(source).flatMap(({ from, to }) => {
      const own = rankOf(from)
      const other = rankOf(to)
      if (!own || !other || roomOf(from) === roomOf(to)) return []
      return other.rank > own.rank ? [] : [`${from} imports ${to}`]
    }),
  'reconcilers take only types from the tick': source =>
    importsOf(source).flatMap(({ from, to, isTypeOnly }) =>
      from.startsWith('lib/reconcilers/') && to.startsWith('lib/tick/') && !isTypeOnly ? [`${from} imports ${to}`] : [],
    ),
  'lib and the local world know nothing of each other, and neither knows the tests': source =>
    importsOf(source).flatMap(({ from, to }) => {
      const isProduct = from.startsWith('lib/') || from.startsWith('functions/')
      const isWorld = from.startsWith('infra/local/')
      const isWrong =
        to.startsWith('test/') || (isProduct && to.startsWith('infra/')) || (isWorld && /^(lib|functions)\//.test(to))
      return isWrong ? [`${from} imports ${to}`] : []
    }),
  'process.env is read only in config.ts': ({ path, text }) =>
    path.startsWith('lib/') && path !== 'lib/config.ts' && /process\.env/.test(withoutComments(text)) ? [path] : [],
  'the clock is read and timers are set only in time.ts': ({ path, text }) =>
    path.startsWith('lib/') &&
    path !== 'lib/time.ts' &&
    /Date\.now|new Date\(\)|performance\.now|setTimeout|setInterval|AbortSignal\.timeout/.test(withoutComments(text))
      ? [path]
      : [],
  'middy is known only in the runtime': source =>
    importsOf(source).flatMap(({ from, to }) =>
      to.startsWith('@middy/') && !from.startsWith('lib/runtime/') ? [from] : [],
    ),
  'plans and decisions are pure': source =>
    PURE.test(source.path)
      ? importsOf(source).flatMap(({ from, to, isTypeOnly }) =>
          isTypeOnly || isPureTarget(to) ? [] : [`${from} imports ${to}`],
        )
      : [],
  'chunks hold nothing of ours': source =>
    CHUNKS.includes(source.path)
      ? importsOf(source).flatMap(({ from, to }) => (to.startsWith('lib/') ? [`${from} imports ${to}`] : []))
      : [],
  'only chunks are imported when asked for': source =>
    importsOf(source).flatMap(({ from, to, isDynamic }) =>
      isDynamic && from.startsWith('lib/') && !CHUNKS.includes(to) ? [`${from} imports ${to}`] : [],
    ),
  'only the fence and the lease write to the cluster': ({ path, text }) =>
    path.startsWith('lib/') &&
    !WRITERS.test(path) &&
    !ASKERS.includes(path) &&
    /method: '(POST|PUT|PATCH|DELETE)'/.test(withoutComments(text))
      ? [path]
      : [],
  'functions decide nothing': ({ path, text }) =>
    path.startsWith('functions/') && /\b(if|switch|\?\s)/.test(withoutComments(text)) ? [path] : [],
  'every export is documented': ({ path, text }) =>
    [
      ...text.matchAll(/^(?!.*\bexport type \{)(?!.*\bexport \{)export (?:async )?(?:abstract )?\w+ \*?(\w+)/gm),
    ].flatMap(match => {
      const before = text.slice(0, match.index).trimEnd()
      const isDocumented = before.endsWith('*/') || /\/\/ biome-ignore[^\n]*$/.test(before)
      return isDocumented ? [] : [`${path}: ${match[1]}`]
    }),
  'every file says at its head what it is': ({ path, text }) => (/^(#!.*\n)?\/\/ /.test(text) ? [] : [path]),
}

/** What pure files may run: other pure files, views and rules of objects, and leaves without effects. */
function isPureTarget(to: string): boolean {
  return (
    PURE.test(to) ||
    /^lib\/(errors|time)\.ts$/.test(to) ||
    /^lib\/kubernetes\/(api\.ts|resources\/)/.test(to) ||
    /^lib\/reconcilers\/[^/]+\/rules\//.test(to) ||
    to === 'zod' ||
    to === 'node:events'
  )
}

describe('the house', () => {
  it.each(Object.entries(rules))('keeps the rule that %s', (_name, rule) => {
    expect(sources.flatMap(rule)).toEqual([])
  })

  it('has more than 60 files to judge', () => {
    expect(sources.length).toBeGreaterThan(60)
  })

  it.each<[string, string, string]>([
    ['imports only go down', 'lib/lease/x.ts', `import { runTick } from '../tick/run-tick.ts'`],
    ['imports only go down', 'lib/kubernetes/x.ts', `import { openLog } from '../telemetry/log.ts'`],
    ['imports only go down', 'lib/reconcilers/cleanup/x.ts', `import { y } from '../status-sync/plan.ts'`],
    [
      'reconcilers take only types from the tick',
      'lib/reconcilers/cleanup/x.ts',
      `import { settle } from '../../tick/term.ts'`,
    ],
    [
      'lib and the local world know nothing of each other, and neither knows the tests',
      'infra/local/x.ts',
      `import { y } from '../../lib/time.ts'`,
    ],
    [
      'lib and the local world know nothing of each other, and neither knows the tests',
      'lib/x.ts',
      `import y from '../infra/local/up.ts'`,
    ],
    ['process.env is read only in config.ts', 'lib/tick/x.ts', 'const y = process.env.HOME'],
    ['the clock is read and timers are set only in time.ts', 'lib/tick/x.ts', 'const y = Date.now()'],
    ['middy is known only in the runtime', 'lib/tick/x.ts', `import middy from '@middy/core'`],
    [
      'plans and decisions are pure',
      'lib/reconcilers/cleanup/plan.ts',
      `import { openLog } from '../../telemetry/log.ts'`,
    ],
    ['plans and decisions are pure', 'lib/lease/decide.ts', `import { readFileSync } from 'node:fs'`],
    ['chunks hold nothing of ours', 'lib/lease/dynamodb-client.ts', `export { PermanentError } from '../errors.ts'`],
    ['only chunks are imported when asked for', 'lib/runtime/x.ts', `const y = await import('../lease/dynamodb.ts')`],
    [
      'only the fence and the lease write to the cluster',
      'lib/reconcilers/cleanup/x.ts',
      `api.request({ method: 'PATCH' })`,
    ],
    ['functions decide nothing', 'functions/x.ts', 'if (true) run()'],
    ['every export is documented', 'lib/x.ts', 'export const y = 1'],
    ['every file says at its head what it is', 'lib/x.ts', 'export const y = 1'],
  ])('would notice a violation of «%s» in %s', (name, path, text) => {
    expect(rules[name]?.({ path, text })).not.toEqual([])
  })
})
