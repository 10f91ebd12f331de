import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { posix } from 'node:path'
import { describe, expect, it } from 'vitest'

const PAGES = [
  'architecture.md',
  'timing.md',
  'glossary.md',
  'your-own-loop.md',
  'runbook.md',
  'beside-upstream.md',
  'status-sync.md',
  'config-check.md',
]
const DECISIONS = readdirSync('docs/adr').filter(name => /^\d/.test(name))
const documents = [...PAGES, 'adr/README.md', ...DECISIONS.map(name => `adr/${name}`)].map(name => `docs/${name}`)
const read = (path: string) => readFileSync(path, 'utf8')

/** Files that a reader of the guide makes; they exist in no checkout. */
const MADE_BY_THE_GUIDE = /expire-configmaps|expireConfigmaps|config-map\.ts/
/** The rooms and files that a text speaks of. */
const PATHS = /`((?:lib|functions|infra|test|docs)\/[\w./-]*)`/g

/** Why a text is not fit to be a document. */
function problemsOf(path: string, text: string): string[] {
  const prose = text.replace(/^```[\s\S]*?^```/gm, '')
  const tooLong = prose.split('\n').filter(line => !line.startsWith('|') && line.length > 130)
  const links = [...prose.matchAll(/\]\((?!https?:)([^)#]*)(?:#[^)]*)?\)/g)].map(([, to = '']) => to).filter(Boolean)
  const deadLinks = links.filter(to => !existsSync(posix.join(posix.dirname(path), to)))
  const named = [...prose.matchAll(PATHS)].map(([, file = '']) => file)
  const deadNames = named.filter(file => !MADE_BY_THE_GUIDE.test(file) && !existsSync(file))
  return [...tooLong, ...deadLinks, ...deadNames].map(what => `${path}: ${what}`)
}

describe('the documents', () => {
  it.each(documents)('%s has lines that fit, and links and files that exist', path => {
    expect(problemsOf(path, read(path))).toEqual([])
  })

  it('would be found out with a long line, a dead link and a file that is gone', () => {
    const text = `${'x'.repeat(131)}\n[a](gone.md)\n\`lib/gone.ts\`\n`
    expect(problemsOf('docs/x.md', text)).toHaveLength(3)
  })
})

describe('the decisions', () => {
  it('are numbered without a gap', () => {
    const numbers = DECISIONS.filter(name => !/^\d{4}-x/.test(name)).map(name => Number(name.slice(0, 4)))
    expect(numbers).toEqual(numbers.map((_, i) => i + 1))
  })

  it('stand in the index, each once', () => {
    const index = [...read('docs/adr/README.md').matchAll(/^\| \[[^\]]+\]\(([^)]+)\)/gm)].map(([, name]) => name)
    expect(index).toEqual(DECISIONS)
  })

  it.each(DECISIONS)('%s has its five parts on one page', name => {
    const text = read(`docs/adr/${name}`)
    const title = new RegExp(`^# ${name.slice(0, 4)} \\S`)
    expect(text).toMatch(title)
    expect(text).toMatch(/^\*\*Status\*\*: (accepted|proposed|superseded by )/m)
    expect([...text.matchAll(/^## (.+)$/gm)].map(([, part]) => part)).toEqual([
      'Context',
      'Positions considered',
      'Decision',
      'Consequences',
    ])
    expect(text.split('\n').length).toBeLessThan(60)
  })
})
