// The guide's files as they read at the place where the guide puts them: their imports lead elsewhere from there.

import { readFileSync } from 'node:fs'
import { posix } from 'node:path'

const HERE = 'test/unit/guide/expire-configmaps'

/** Where the guide puts each file. */
export const PLACES: Readonly<Record<string, string>> = {
  'config-map.ts': 'lib/kubernetes/resources/config-map.ts',
  'observe.ts': 'lib/reconcilers/expire-configmaps/observe.ts',
  'plan.ts': 'lib/reconcilers/expire-configmaps/plan.ts',
  'apply.ts': 'lib/reconcilers/expire-configmaps/apply.ts',
  'index.ts': 'lib/reconcilers/expire-configmaps/index.ts',
  'loop.ts': 'lib/runtime/loops/expire-configmaps.ts',
}

/** Everything that the guide quotes, by the names of its marks. */
export const FILES = [
  ...Object.keys(PLACES),
  'lease.yaml',
  'rights.yaml',
  'fence.yaml',
  'rule.yaml',
  'function.yml',
  'role.yml',
  'access.yml',
]

/** A text as a block of code; the file's name says its language. */
export function fenced(file: string, text: string): string {
  return `\`\`\`${file.endsWith('.ts') ? 'ts' : 'yaml'}\n${text}\n\`\`\``
}

const IMPORTS = /(?:^import .*\n)+/m

/** A file's text as it reads at its place; only paths and order of its imports differ from the one that the tests run. */
export function textAtPlace(file: string): string {
  const text = readFileSync(`${HERE}/${file}`, 'utf8').trimEnd()
  const place = PLACES[file] ?? file
  return text.replace(IMPORTS, block => {
    const lines = block.trimEnd().split('\n')
    const moved = lines.map(line => line.replace(/'(\..+)'$/, (_, path: string) => `'${fromPlace(place, path)}'`))
    return `${moved.sort((a, b) => compareTexts(sortKeyOf(a), sortKeyOf(b))).join('\n')}\n`
  })
}

function fromPlace(place: string, path: string): string {
  const target = posix.join(HERE, path)
  const relative = posix.relative(
    posix.dirname(place),
    (posix.dirname(target) === HERE && PLACES[posix.basename(target)]) || target,
  )
  return relative.startsWith('.') ? relative : `./${relative}`
}

/** As the formatter sorts imports: packages, then files, the farthest first. */
function sortKeyOf(line: string): string {
  const [, path = ''] = /'(.+)'$/.exec(line) ?? []
  const steps = path.split('/').filter(step => step === '..').length
  return `${path.startsWith('.') ? 9 - steps : 0} ${path}`
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}
