// What must hold between the parts of the fence in infra/kubernetes. Each check returns what is wrong, in words, and is shown
// a planted violation: a fence that is incomplete fails open, and nobody would notice.

import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'

const BASE = path.resolve(import.meta.dirname, '../../infra/kubernetes')
const COMPONENT = 'expire-debug-sessions'

// biome-ignore lint/suspicious/noExplicitAny: manifests are looked at by path, as the API server does
type Manifest = any

const read = (file: string) => readFileSync(path.join(BASE, file), 'utf8')

/** The base with every component applied: the most that a virtual user may do. */
function manifests(): Manifest[] {
  const all = parse(read('kustomization.yaml')).resources.flatMap((file: string) =>
    parseAllDocuments(read(file)).map(document => document.toJS()),
  )
  for (const { target, patch } of parse(read(`${COMPONENT}/kustomization.yaml`)).patches)
    for (const { value } of parse(patch))
      all
        .find(({ kind, metadata }: Manifest) => kind === target.kind && metadata.name === target.name)
        .rules.push(value)
  return all
}

const WRITING: Record<string, string> = {
  create: 'CREATE',
  update: 'UPDATE',
  patch: 'UPDATE',
  delete: 'DELETE',
  deletecollection: 'DELETE',
}
const READING = ['get', 'list', 'watch']

const named = (all: Manifest[], kind: string, name: string) =>
  all.find(one => one.kind === kind && one.metadata.name === name)
const isVirtual = (user: string) => /^fencepost:(?!function:)/.test(user)

interface Right {
  readonly user: string
  readonly verb: string
  readonly group: string
  readonly resource: string
  readonly names: string[] | undefined
}

/** Every right that a user is bound to. */
function rightsOf(all: Manifest[]): Right[] {
  return all
    .filter(({ kind }) => kind.endsWith('RoleBinding'))
    .flatMap(({ roleRef, subjects }) => {
      const { rules } = named(all, roleRef.kind, roleRef.name)
      return subjects.flatMap(({ name: user }: Manifest) =>
        rules.flatMap(({ apiGroups, resources, resourceNames: names, verbs }: Manifest) =>
          verbs.flatMap((verb: string) =>
            apiGroups.flatMap((group: string) =>
              resources.map((resource: string): Right => ({ user, verb, group, resource, names })),
            ),
          ),
        ),
      )
    })
}

const virtualUsers = (all: Manifest[]) => [...new Set(rightsOf(all).map(({ user }) => user))].filter(isVirtual)

/** The names that an expression lists, `… in ['a', 'b']`. */
function listIn(all: Manifest[], policy: string): string[] {
  const [{ expression }] = named(all, 'ValidatingAdmissionPolicy', policy).spec.matchConditions
  return [...(/ in \[([^\]]*)\]$/.exec(expression)?.[1] ?? '').matchAll(/'([^']*)'/g)].map(([, name = '']) => name)
}

const once = (what: string, list: string[], wanted: string): string[] => {
  const count = list.filter(one => one === wanted).length
  return count === 1 ? [] : [`${what} ${wanted}: ${count} times`]
}
const namesOf = (all: Manifest[], kind: string): string[] =>
  all.filter(one => one.kind === kind).map(({ metadata }) => metadata.name)

const checks: Record<string, (all: Manifest[]) => string[]> = {
  'every write of a virtual user is one that both policies judge': all =>
    ['fencepost-fence-form', 'fencepost-fence-token'].flatMap(policy => {
      const { resourceRules } = named(all, 'ValidatingAdmissionPolicy', policy).spec.matchConstraints
      return rightsOf(all)
        .filter(({ user }) => isVirtual(user))
        .filter(
          ({ verb, group, resource }) =>
            !resourceRules.some(
              ({ apiGroups, resources, operations }: Manifest) =>
                apiGroups.includes(group) && resources.includes(resource) && operations.includes(WRITING[verb]),
            ),
        )
        .map(({ verb, group, resource }) => `${policy}: ${verb} ${resource}.${group}`)
    }),

  'policies name resources, versions apart, and never all of them': all =>
    namesOf(all, 'ValidatingAdmissionPolicy').flatMap(policy =>
      named(all, 'ValidatingAdmissionPolicy', policy)
        .spec.matchConstraints.resourceRules.filter(({ apiGroups, resources, operations }: Manifest) =>
          [apiGroups, resources, operations].some(list => list.join().includes('*')),
        )
        .map(() => policy),
    ),

  'every virtual user has one Fence, one Lease, one binding and one entry in each list': all =>
    virtualUsers(all).flatMap(user => {
      const name = user.slice('fencepost:'.length)
      const params = all
        .filter(({ kind, spec }) => kind === 'ValidatingAdmissionPolicyBinding' && spec.paramRef)
        .filter(({ spec }) => spec.policyName === 'fencepost-fence-token')
        .map(({ spec }) => spec.paramRef.name)
      return [
        ...once('Fence', namesOf(all, 'Fence'), name),
        ...once('Lease', namesOf(all, 'Lease'), name),
        ...once('binding', params, name),
        ...once('fence-form', listIn(all, 'fencepost-fence-form'), user),
        ...once('fence-guard', listIn(all, 'fencepost-fence-guard'), name),
      ]
    }),

  'every Fence, binding and entry has its virtual user': all => {
    const users = virtualUsers(all)
    const listed = listIn(all, 'fencepost-fence-form')
    const fences = [...namesOf(all, 'Fence'), ...namesOf(all, 'Lease')].map(name => `fencepost:${name}`)
    return [...listed, ...fences].filter(user => !users.includes(user))
  },

  'nobody writes but virtual users, and a function what is its own': all =>
    rightsOf(all)
      .filter(({ user, verb }) => !isVirtual(user) && !READING.includes(verb) && verb !== 'impersonate')
      .filter(
        ({ verb, group, resource, names }) =>
          !['update leases.coordination.k8s.io', 'patch fences.fencepost.dev'].includes(
            `${verb} ${resource}.${group}`,
          ) || names?.length !== 1,
      )
      .map(({ user, verb, group, resource }) => `${user} ${verb} ${resource}.${group}`),

  'virtual users read nothing': all =>
    rightsOf(all)
      .filter(({ user, verb }) => isVirtual(user) && WRITING[verb] === undefined)
      .map(({ user, verb, resource }) => `${user} ${verb} ${resource}`),

  'impersonation is limited to virtual users by name, and to the two extras': all =>
    rightsOf(all)
      .filter(({ verb }) => verb === 'impersonate')
      .filter(
        ({ group, resource, names }) =>
          !(
            (group === '' && resource === 'users' && names?.length && names.every(name => isVirtual(name))) ||
            (group === 'authentication.k8s.io' && /^userextras\/fencepost\.dev\/(token|holder)$/.test(resource))
          ),
      )
      .map(({ user, resource }) => `${user} impersonate ${resource}`),

  'only fence-token has a parameter, and only it is ignored when it fails': all =>
    all
      .filter(({ kind }) => kind === 'ValidatingAdmissionPolicy')
      .filter(({ metadata, spec }) => {
        const isToken = metadata.name === 'fencepost-fence-token'
        return (spec.paramKind !== undefined) !== isToken || spec.failurePolicy !== (isToken ? 'Ignore' : 'Fail')
      })
      .map(({ metadata }) => metadata.name),

  'every policy has a binding that denies, and every refusal is a 403': all => {
    const bindings = all.filter(({ kind }) => kind === 'ValidatingAdmissionPolicyBinding')
    return [
      ...bindings.filter(({ spec }) => spec.validationActions.join() !== 'Deny').map(({ metadata }) => metadata.name),
      ...bindings
        .filter(({ spec }) => spec.paramRef && spec.paramRef.parameterNotFoundAction !== 'Allow')
        .map(({ metadata }) => metadata.name),
      ...all
        .filter(({ kind }) => kind === 'ValidatingAdmissionPolicy')
        .filter(
          ({ metadata, spec }) =>
            !bindings.some(binding => binding.spec.policyName === metadata.name) ||
            spec.validations.some(({ reason }: Manifest) => reason !== 'Forbidden'),
        )
        .map(({ metadata }) => metadata.name),
    ]
  },

  'Fences have no spec and no annotations, so that applying them lowers none': all =>
    all
      .filter(({ kind }) => kind === 'Fence')
      .filter(fence => fence.spec !== undefined || fence.metadata.annotations !== undefined)
      .map(({ metadata }) => metadata.name),
}

const policy = (all: Manifest[], name: string) => named(all, 'ValidatingAdmissionPolicy', `fencepost-fence-${name}`)
const role = (all: Manifest[], name: string) => named(all, 'ClusterRole', name)
const forget = (all: Manifest[], name: string, resource: string) => {
  const { resources } = policy(all, name).spec.matchConstraints.resourceRules[0]
  resources.splice(resources.indexOf(resource), 1)
}
const drop = (all: Manifest[], kind: string) =>
  all.splice(
    all.findIndex(one => one.kind === kind),
    1,
  )

/** Violations, by the check that must find them. */
const planted: Record<string, Record<string, (all: Manifest[]) => void>> = {
  'every write of a virtual user is one that both policies judge': {
    'a new right': all => role(all, 'fencepost-cleanup-writer').rules[1].resources.push('denypolicies/status'),
    'a resource that one policy forgot': all =>
      policy(all, 'token').spec.matchConstraints.resourceRules[0].resources.splice(1, 1),
    'escalations that one policy forgot': all => forget(all, 'form', 'breakglassescalations/status'),
    'clusters that one policy forgot': all => forget(all, 'token', 'clusterconfigs/status'),
    'an operation that one policy forgot': all =>
      policy(all, 'form').spec.matchConstraints.resourceRules[0].operations.splice(2, 1),
  },
  'policies name resources, versions apart, and never all of them': {
    'a rule for everything': all => policy(all, 'form').spec.matchConstraints.resourceRules[0].resources.push('*/*'),
  },
  'every virtual user has one Fence, one Lease, one binding and one entry in each list': {
    'no Fence': all => drop(all, 'Fence'),
    'no Lease': all => drop(all, 'Lease'),
    'a binding of another Fence': all => {
      named(all, 'ValidatingAdmissionPolicyBinding', 'fencepost-fence-token-cleanup').spec.paramRef.name = 'other'
    },
    'two bindings': all =>
      all.push(
        structuredClone(named(all, 'ValidatingAdmissionPolicyBinding', 'fencepost-fence-token-cleanup')) as Manifest,
      ),
    'not listed in fence-form': all => {
      policy(all, 'form').spec.matchConditions[0].expression = 'request.userInfo.username in []'
    },
    'not listed in fence-guard': all => {
      policy(all, 'guard').spec.matchConditions[0].expression = 'oldObject.metadata.name in []'
    },
    'one of three not listed in fence-form': all => {
      const [condition] = policy(all, 'form').spec.matchConditions
      condition.expression = condition.expression.replace("'fencepost:fencepost-status-sync', ", '')
    },
    'one of three not listed in fence-guard': all => {
      const [condition] = policy(all, 'guard').spec.matchConditions
      condition.expression = condition.expression.replace(", 'fencepost-config-check'", '')
    },
  },
  'every Fence, binding and entry has its virtual user': {
    'a virtual user that is not bound': all => {
      named(all, 'ClusterRoleBinding', 'fencepost-cleanup-writer').subjects = []
    },
  },
  'nobody writes but virtual users, and a function what is its own': {
    'a function that deletes': all => role(all, 'fencepost-cleanup').rules[0].verbs.push('delete'),
    'a function that patches every Fence': all => {
      delete role(all, 'fencepost-cleanup-fence').rules[0].resourceNames
    },
    'a function in the virtual user’s role': all =>
      named(all, 'ClusterRoleBinding', 'fencepost-cleanup-writer').subjects.push({
        kind: 'User',
        name: 'fencepost:function:fencepost-cleanup',
      }),
  },
  'virtual users read nothing': {
    'one that lists': all => role(all, 'fencepost-cleanup-writer').rules[0].verbs.push('list'),
  },
  'impersonation is limited to virtual users by name, and to the two extras': {
    'of anybody': all => {
      delete role(all, 'fencepost-cleanup-fence').rules[1].resourceNames
    },
    'of an administrator': all => role(all, 'fencepost-cleanup-fence').rules[1].resourceNames.push('admin'),
    'of groups': all => role(all, 'fencepost-cleanup-fence').rules[1].resources.push('groups'),
    'of another extra': all => role(all, 'fencepost-cleanup-fence').rules[2].resources.push('userextras/scopes'),
  },
  'only fence-token has a parameter, and only it is ignored when it fails': {
    'a token policy that fails everybody': all => {
      policy(all, 'token').spec.failurePolicy = 'Fail'
    },
    'a form policy with a parameter': all => {
      policy(all, 'form').spec.paramKind = { apiVersion: 'fencepost.dev/v1', kind: 'Fence' }
    },
  },
  'every policy has a binding that denies, and every refusal is a 403': {
    'a binding that warns': all => {
      named(all, 'ValidatingAdmissionPolicyBinding', 'fencepost-fence-form').spec.validationActions = ['Warn']
    },
    'a missing Fence that stops everybody': all => {
      const binding = named(all, 'ValidatingAdmissionPolicyBinding', 'fencepost-fence-token-cleanup')
      binding.spec.paramRef.parameterNotFoundAction = 'Deny'
    },
    'no binding': all => drop(all, 'ValidatingAdmissionPolicyBinding'),
    'a refusal as 422': all => {
      delete policy(all, 'token').spec.validations[0].reason
    },
  },
  'Fences have no spec and no annotations, so that applying them lowers none': {
    'a spec': all => {
      all.find(({ kind }) => kind === 'Fence').spec = { token: 0, holder: 'nobody', lease: 'none' }
    },
  },
}

describe.each(Object.entries(checks))('%s', (name, check) => {
  it('holds', () => {
    expect(check(manifests())).toEqual([])
  })

  it.each(Object.entries(planted[name] ?? {}))('would be found out: %s', (_what, plant) => {
    const all = manifests()
    plant(all)
    expect(check(all)).not.toEqual([])
  })
})

describe('the planted violations', () => {
  it('are there for every check', () => {
    expect(Object.keys(planted)).toEqual(Object.keys(checks))
  })
})
