import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { copyService, EVERYTHING, type Node, type Packaged, SECRET, type ServiceCopy } from './service.ts'
import { BROAD_ACTIONS } from './template-rights.ts'
import { RULES } from './template-rules.ts'

const LIMIT_MS = 180_000

let copy: ServiceCopy
/** As it comes; with everything that can be asked for; and with a kubeconfig in a secret, which rules EKS out. */
let plain: Packaged
let full: Packaged
let secret: Packaged

beforeAll(async () => {
  copy = await copyService()
  plain = await copy.pack()
  full = await copy.pack(EVERYTHING)
  secret = await copy.pack(SECRET)
}, LIMIT_MS)
afterAll(() => copy?.remove())

describe.each(RULES)('$says:', ({ problems, violations, needs }) => {
  it('holds for the service as it comes, with everything that can be asked for, and with a secret', () => {
    for (const { template } of [plain, full, secret]) expect(problems(template)).toEqual([])
  })

  it.each(violations)('%s would be found', (_, plant) => {
    const base = needs === 'secret' ? secret : full
    const template = structuredClone(base.template)
    plant(template.Resources)
    expect(template).not.toEqual(base.template)
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
