import { describe, expect, it } from 'vitest'
import { contentsOf, packageOf } from '../../bench/contents.ts'

describe('packageOf', () => {
  it.each([
    ['node_modules/zod/v4/core/parse.js', 'zod'],
    ['node_modules/@aws-sdk/client-dynamodb/dist-es/index.js', '@aws-sdk/client-dynamodb'],
    ['node_modules/a/node_modules/@b/c/index.js', '@b/c'],
    ['../checkout/node_modules/zod/index.js', 'zod'],
    ['lib/tick/run-tick.ts', 'lib/tick'],
    ['lib/reconcilers/cleanup/rules/session.ts', 'lib/reconcilers'],
    ['lib/errors.ts', 'lib'],
    ['functions/cleanup.ts', 'functions'],
  ])('%s belongs to %s', (path, name) => {
    expect(packageOf(path)).toBe(name)
  })
})

describe('contentsOf', () => {
  it('sums by package, greatest first', () => {
    const inputs = { 'lib/a.ts': 5, 'node_modules/zod/a.js': 4, 'node_modules/zod/b.js': 3 }
    const metafile = Object.fromEntries(Object.entries(inputs).map(([path, bytes]) => [path, { bytesInOutput: bytes }]))
    expect(contentsOf(metafile)).toEqual([
      { name: 'zod', bytes: 7 },
      { name: 'lib', bytes: 5 },
    ])
  })
})
