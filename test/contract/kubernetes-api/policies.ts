// What an API server makes of ValidatingAdmissionPolicies: which writes they are about, how expressions fail, which parameters
// are taken, and with which words a write is refused. Each case has a policy of its own, which knows its Widgets by a label.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Suite } from './suite.ts'

const ADMISSION = '/apis/admissionregistration.k8s.io/v1'
/** How long a server may take to act by new policies, ms. */
const WITHIN_MS = 30_000

interface Case {
  readonly title: string
  readonly policy: object
  readonly binding?: object
  /** Status and what follows `denied request: `; 201 is let through. */
  readonly status: number
  readonly message?: string
}

const fails = (expression: string, more: object = {}) => ({ validations: [{ expression, ...more }] })
const byName = (name: string, parameterNotFoundAction = 'Deny') => ({ paramRef: { name, parameterNotFoundAction } })
const CONFIG = { paramKind: { apiVersion: 'v1', kind: 'ConfigMap' } }
const atMost = { ...CONFIG, ...fails("object.spec.size <= int(params.data['most'])", { message: 'too large' }) }
const broken = 'object.spec.nothing == 1'
const BROKEN = `expression '${broken}' resulted in error: no such key: nothing`

/** Each creates a Widget of size 3. */
const CASES: readonly Case[] = [
  {
    title: 'refuse with 422 and the expression, where neither reason nor message is given',
    policy: fails('object.spec.size == 1'),
    status: 422,
    message: 'failed expression: object.spec.size == 1',
  },
  { title: 'let through what fits', policy: fails('object.spec.size == 3'), status: 201 },
  ...[
    ['Forbidden', 403],
    ['RequestEntityTooLarge', 413],
    ['Invalid', 422],
  ].map(([reason, status]) => ({
    title: `refuse with ${status} for the reason ${reason}`,
    policy: fails('false', { reason, message: ' no ' }),
    status: Number(status),
    message: 'no',
  })),
  {
    title: 'compute their message',
    policy: fails('false', { messageExpression: "'size ' + string(object.spec.size)", message: 'no' }),
    status: 422,
    message: 'size 3',
  },
  ...[
    ['fails', 'string(object.spec.nothing)'],
    ['has two lines', String.raw`'a\nb'`],
    ['is empty', "' '"],
  ].map(([what, messageExpression]) => ({
    title: `fall back to their message when the computed one ${what}`,
    policy: fails('false', { messageExpression, message: 'no' }),
    status: 422,
    message: 'no',
  })),
  {
    title: 'tell the first of two refusals',
    policy: { validations: [{ expression: 'true' }, { expression: 'false', message: 'one' }, { expression: 'false' }] },
    status: 422,
    message: 'one',
  },
  { title: 'refuse when an expression fails', policy: fails(broken), status: 422, message: BROKEN },
  {
    title: 'let through when an expression fails and failurePolicy is Ignore',
    policy: { failurePolicy: 'Ignore', ...fails(broken) },
    status: 201,
  },
  {
    title: 'refuse under failurePolicy Ignore what an expression says no to',
    policy: { failurePolicy: 'Ignore', ...fails('false', { message: 'no' }) },
    status: 422,
    message: 'no',
  },
  {
    title: 'let through where one of the conditions is false, even if another fails',
    policy: {
      matchConditions: [
        { name: 'a', expression: broken },
        { name: 'b', expression: 'false' },
      ],
      ...fails('false'),
    },
    status: 201,
  },
  {
    title: 'refuse where a condition fails',
    policy: { matchConditions: [{ name: 'a', expression: broken }], ...fails('true') },
    status: 422,
    message: BROKEN,
  },
  {
    title: 'let through where a condition fails and failurePolicy is Ignore',
    policy: { failurePolicy: 'Ignore', matchConditions: [{ name: 'a', expression: broken }], ...fails('false') },
    status: 201,
  },
  {
    title: 'compute variables from others, and those that nobody reads never',
    policy: {
      variables: [
        { name: 'size', expression: 'object.spec.size' },
        { name: 'broken', expression: 'object.spec.nothing' },
        { name: 'twice', expression: 'variables.size * 2' },
      ],
      ...fails('variables.twice == 5', { messageExpression: "'twice ' + string(variables.twice)" }),
    },
    status: 422,
    message: 'twice 6',
  },
  {
    title: 'refuse by a parameter',
    policy: atMost,
    binding: byName('two'),
    status: 422,
    message: 'too large',
  },
  { title: 'let through by a parameter', policy: atMost, binding: byName('four'), status: 201 },
  {
    title: 'refuse where one of several parameters does',
    policy: atMost,
    binding: { paramRef: { selector: { matchLabels: { most: 'any' } }, parameterNotFoundAction: 'Deny' } },
    status: 422,
    message: 'too large',
  },
  {
    title: 'refuse for a parameter that is not there',
    policy: atMost,
    binding: byName('none'),
    status: 422,
    message: 'failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction',
  },
  {
    title: 'let through for a parameter that is not there and need not be',
    policy: atMost,
    binding: byName('none', 'Allow'),
    status: 201,
  },
  {
    title: 'let through for a parameter that is not there where failurePolicy is Ignore',
    policy: { ...atMost, failurePolicy: 'Ignore' },
    binding: byName('none'),
    status: 201,
  },
  {
    title: 'have no effect under Audit',
    policy: fails('false'),
    binding: { validationActions: ['Audit'] },
    status: 201,
  },
  {
    title: 'are about what their binding says besides',
    policy: fails('false'),
    binding: { matchResources: { namespaceSelector: { matchLabels: { none: 'such' } } } },
    status: 201,
  },
  {
    title: 'match by what a label is not',
    policy: fails('false', { message: 'no' }),
    binding: {
      matchResources: { objectSelector: { matchExpressions: [{ key: 'none', operator: 'DoesNotExist' }] } },
    },
    status: 422,
    message: 'no',
  },
]

/** Tells it of the server of `suite`. */
export function describePolicies(suite: Suite): void {
  const { group, namespace, widgets, events, request, fresh, widget, made } = suite
  const rule = (apiGroups: string[], resources: string[], more: object = {}) => ({
    ...{ apiGroups, apiVersions: ['*'], resources, operations: ['CREATE'] },
    ...more,
  })
  const labelOf = (at: number) => ({ case: `${namespace}-${at}` })
  const nameOf = (at: number) => `${namespace}-${at}`
  const paths = [`${ADMISSION}/validatingadmissionpolicies`, `${ADMISSION}/validatingadmissionpolicybindings`] as const
  const named: string[] = []

  async function install(name: string, policy: object, binding: object = {}): Promise<void> {
    await made(paths[0], { metadata: { name }, spec: policy })
    await made(paths[1], { metadata: { name }, spec: { policyName: name, validationActions: ['Deny'], ...binding } })
    named.push(name)
  }
  const create = (at: number) =>
    request('POST', `${widgets}?dryRun=All`, widget(fresh(), { size: 3 }, { labels: labelOf(at) }))
  const said = (name: string, message: string) =>
    `ValidatingAdmissionPolicy '${name}' with binding '${name}' denied request: ${message}`
  async function until(isSo: () => Promise<boolean>): Promise<void> {
    for (const endsAt = performance.now() + WITHIN_MS; !(await isSo()); )
      if (performance.now() > endsAt) throw new Error(`not within ${WITHIN_MS} ms`)
  }

  describe('admission policies', () => {
    beforeAll(async () => {
      const configs = `/api/v1/namespaces/${namespace}/configmaps`
      for (const [name, most] of Object.entries({ two: '2', four: '4' }))
        await made(configs, { metadata: { name, labels: { most: 'any' } }, data: { most } })
      for (const [at, { policy, binding }] of CASES.entries()) {
        const matchConstraints = {
          resourceRules: [rule([group], ['widgets'])],
          objectSelector: { matchLabels: labelOf(at) },
        }
        await install(nameOf(at), { matchConstraints, ...policy }, binding)
      }
      const [equivalent, exact, excluded, updates] = ['equivalent', 'exact', 'excluded', 'updates'].map(
        name => `${namespace}-${name}`,
      ) as [string, string, string, string]
      const aboutEvents = {
        resourceRules: [rule(['events.k8s.io'], ['events'])],
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
      }
      const isMarked = { matchConditions: [{ name: 'a', expression: "object.reason == 'Marked'" }] }
      const noted = fails("object.note != 'x'", {
        messageExpression: 'object.note + " " + request.requestResource.group',
      })
      await install(equivalent, { matchConstraints: aboutEvents, ...isMarked, ...noted })
      await install(exact, {
        matchConstraints: { ...aboutEvents, matchPolicy: 'Exact' },
        ...{ matchConditions: [{ name: 'a', expression: "object.reason == 'Exactly'" }] },
        ...fails('false', { message: 'exact' }),
      })
      await install(updates, {
        matchConstraints: {
          resourceRules: [rule([group], ['*/status'], { operations: ['UPDATE'] })],
          objectSelector: { matchLabels: { updates: namespace } },
        },
        ...fails('oldObject == null || object.metadata.name != oldObject.metadata.name', { message: 'updates' }),
      })
      const [all, one] = [['*'], rule([group], ['*'], { operations: ['*'] })]
      await install(excluded, {
        matchConstraints: {
          resourceRules: [rule([group], all, { operations: all })],
          excludeResourceRules: [{ ...one, resourceNames: [`${namespace}-kept`] }],
          objectSelector: { matchLabels: { excluded: namespace } },
        },
        ...fails('false', { message: 'excluded' }),
      })
      await until(async () => {
        const answers = await Promise.all(CASES.map((_, at) => create(at)))
        return answers.every(({ status }, at) => status !== 201 || CASES[at]?.status === 201)
      })
      await until(async () => (await aWidget({ excluded: namespace }, '?dryRun=All')).status !== 201)
    }, WITHIN_MS * 2)
    afterAll(async () => {
      for (const name of named) for (const path of [...paths].reverse()) await request('DELETE', `${path}/${name}`)
    })
    const aWidget = (labels: object, query = '', name = fresh()) =>
      request('POST', `${widgets}${query}`, widget(name, {}, { labels }))

    it.each(CASES.map((one, at) => [one.title, one, at] as const))('%s', async (_title, { status, message }, at) => {
      const answer = await create(at)
      expect(answer.status).toBe(status)
      if (message === undefined) return
      const { name } = answer.body.details
      const why = said(nameOf(at), message)
      expect(answer.body.message).toBe(`widgets.${group} "${name}" is forbidden: ${why}`)
      expect(answer.body.details.causes).toEqual([{ message: why }])
    })

    it('are about equivalent kinds, which they see as their own, unless they ask for the exact one', async () => {
      const core = (reason: string) => ({
        ...{ metadata: { name: fresh() }, involvedObject: { kind: 'Widget', namespace, name: 'w' } },
        ...{ reason, message: 'x' },
      })
      const post = (object: object) => request('POST', `/api/v1/namespaces/${namespace}/events?dryRun=All`, object)
      const refused = await post(core('Marked'))
      expect(refused.status).toBe(422)
      expect(refused.body.message).toContain(said(`${namespace}-equivalent`, 'x'))
      expect(await post(core('Exactly'))).toMatchObject({ status: 201 })
      const event = {
        ...{ metadata: { name: fresh() }, eventTime: '2026-11-21T07:05:00.000000Z', reportingController: 'a.b/c' },
        ...{ reportingInstance: 'i', action: 'A', reason: 'Exactly', type: 'Normal' },
        regarding: { kind: 'Widget', namespace, name: 'w' },
      }
      const exactly = await request('POST', `${events}?dryRun=All`, event)
      expect(exactly.body.message).toContain(said(`${namespace}-exact`, 'exact'))
    })

    it('leave out what they exclude by name', async () => {
      expect((await aWidget({ excluded: namespace })).body.message).toContain('denied request: excluded')
      const kept = await aWidget({ excluded: namespace }, '', `${namespace}-kept`)
      expect(kept).toMatchObject({ status: 201 })
      expect(await request('DELETE', `${widgets}/${namespace}-kept`)).toMatchObject({ status: 200 })
    })

    it('tell subresources and operations apart', async () => {
      const { body } = await aWidget({ updates: namespace })
      const path = `${widgets}/${body.metadata.name}`
      const merge = { 'content-type': 'application/merge-patch+json' }
      expect(await request('PATCH', path, { spec: { size: 2 } }, merge)).toMatchObject({ status: 200 })
      const status = await request('PATCH', `${path}/status`, { status: { state: 'x' } }, merge)
      expect(status.body.message).toContain(said(`${namespace}-updates`, 'updates'))
      expect(await request('DELETE', path)).toMatchObject({ status: 200 })
    })

    it('are not judged themselves', async () => {
      const everything = [rule(['*'], ['*'], { operations: ['*'] })]
      const name = `${namespace}-self`
      const matchConstraints = { resourceRules: everything, objectSelector: { matchLabels: { self: namespace } } }
      await install(name, { matchConstraints, ...fails('false', { message: 'self' }) })
      const merge = { 'content-type': 'application/merge-patch+json' }
      await until(async () => (await aWidget({ self: namespace }, '?dryRun=All')).status !== 201)
      for (const path of paths)
        expect(
          await request('PATCH', `${path}/${name}`, { metadata: { labels: { self: namespace } } }, merge),
        ).toMatchObject({ status: 200 })
    })
  })
}
