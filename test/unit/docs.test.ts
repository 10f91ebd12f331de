import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { COUNTERPARTS } from '../../infra/build/counterparts.ts'
import { README, readmeParts, withParts } from '../../infra/build/docs.ts'
import { SETTINGS } from '../../lib/config.ts'

const readme = readFileSync(README, 'utf8')

describe('the README', () => {
  it('has the tables that `npm run docs` writes', () => {
    expect(withParts(readme, readmeParts())).toBe(readme)
  })

  it('would be found out of step', () => {
    const { settings = '' } = readmeParts()
    expect(withParts(readme, { settings: settings.replace('`5m`', '`6m`') })).not.toBe(readme)
    expect(() => withParts('', readmeParts())).toThrow(/settings:begin/)
  })

  it('tells of every variable what it does', () => {
    for (const [name, schema] of Object.entries(SETTINGS.shape))
      expect([name, schema.meta()?.description]).toEqual([name, expect.any(String)])
  })

  it('points every setting of the replaced controllers to variables that exist', () => {
    const named = COUNTERPARTS.flatMap(({ here }) =>
      [...here.matchAll(/`([A-Z_]{5,})(?:=\w+)?`/g)].map(match => match[1] as string),
    )
    expect(named.length).toBeGreaterThan(10)
    expect(named.filter(name => !(name in SETTINGS.shape))).toEqual([])
  })

  it.each([...readme.matchAll(/\]\(((?!https?:|#)[^)#]+)/g)].map(match => match[1] as string))(
    'links to %s, which exists',
    path => {
      expect(existsSync(new URL(`../../${path}`, import.meta.url))).toBe(true)
    },
  )

  it('names only scripts that package.json has', () => {
    const { scripts } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
      scripts: object
    }
    for (const document of ['README.md', 'CONTRIBUTING.md', 'docs/deploy.md']) {
      const text = readFileSync(new URL(`../../${document}`, import.meta.url), 'utf8')
      const named = [...text.matchAll(/npm run ([\w:]+)/g)].map(match => match[1] as string)
      expect(named.filter(name => !(name in scripts))).toEqual([])
    }
  })
})
