import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { copyService, EVERYTHING, type Node, type Packaged, type ServiceCopy } from './service.ts'
import { BROAD_ACTIONS, RULES } from './template-rules.ts'

const LIMIT_MS = 180_000

let copy: ServiceCopy
/** As it comes, and with everything that can be asked for. */
let plain: Packaged
let full: Packaged

beforeAll(async () => {
  copy = await copyService()
  plain = await copy.pack()
  full = await copy.pack(EVERYTHING)
}, LIMIT_MS)
afterAll(() => copy?.remove())

describe.each(RULES)('$says:', ({ problems, violations }) => {
  it('holds for the service as it comes, and with everything that can be asked for', () => {
    expect(problems(plain.template)).toEqual([])
    expect(problems(full.template)).toEqual([])
  })

  it.each(violations)('%s would be found', (_, plant) => {
    const template = structuredClone(full.template)
    plant(template.Resources)
    expect(template).not.toEqual(full.template)
    expect(problems(template)).not.toEqual([])
  })
})

describe('the list of actions that can’t be limited', () => {
  it('has none that is not allowed', () => {
    const { Statement } = full.template.Resources.NetworkInterfacePolicy.Properties.PolicyDocument
    const allowed = Statement.filter(({ Effect }: Node) => Effect === 'Allow').flatMap(({ Action }: Node) => Action)
    expect(Object.keys(BROAD_ACTIONS).sort()).toEqual(allowed.sort())
  })
})
