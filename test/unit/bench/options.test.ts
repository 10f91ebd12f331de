import { describe, expect, it } from 'vitest'
import { HELP, PARTS, readOptions } from '../../bench/options.ts'

describe('readOptions', () => {
  it('runs all parts on embedded servers by default', () => {
    expect(readOptions([], {})).toEqual({
      isHelp: false,
      isJson: false,
      isQuick: false,
      isWrite: false,
      isReal: false,
      only: PARTS,
      prices: undefined,
    })
  })

  it('runs the parts that are asked for, in the usual order', () => {
    expect(readOptions(['--only', 'cost', '--only', 'calls'], {}).only).toEqual(['calls', 'cost'])
  })

  it.each([
    ['--real', ['--real'], {}],
    ['KUBEBUILDER_ASSETS', [], { KUBEBUILDER_ASSETS: '/opt/kubernetes' }],
  ])('takes real servers by %s', (_, args, environment) => {
    expect(readOptions(args, environment).isReal).toBe(true)
  })

  it.each([
    ['--only speed', ['--only', 'speed'], 'expected one of calls'],
    ['an option that does not exist', ['--fast'], '--help lists the options'],
    ['--write of some parts', ['--write', '--only', 'calls'], 'a whole run'],
    ['--write of tiny sizes', ['--write', '--quick'], 'a whole run'],
  ])('refuses %s', (_, args, reason) => {
    expect(() => readOptions(args, {})).toThrow(reason)
  })

  it('names every part in its help', () => {
    for (const part of PARTS) expect(HELP).toContain(part)
  })
})
