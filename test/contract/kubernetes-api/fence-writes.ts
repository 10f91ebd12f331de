// Which writes the policies of the fence refuse, with which words, and what they leave alone.

import { beforeAll, describe, expect, it } from 'vitest'
import { type FenceSuite, HOLDER, OTHER, WITHIN_MS } from './fence.ts'
import type { Answer } from './http.ts'
import { MERGE } from './suite.ts'

/** Tells it of the server of `suite`. */
export function describeFencedWrites(suite: FenceSuite): void {
  const { group, namespace, widgets, events, request, fresh, widget, made } = suite
  const { fenceGroup, fences: objects, fence: name, raise, as, create, inForce } = suite
  const refusal = (resource: string, policy: string, binding: string, what: string) =>
    `${resource} is forbidden: ValidatingAdmissionPolicy '${namespace}-fence-${policy}' with binding '${namespace}-fence-${binding}' denied request: ${what}`
  const byToken = (resource: string, token: string, current: string, holder: string) =>
    refusal(
      resource,
      'token',
      'token-loop',
      `fencepost fence-token: token=${token} current=${current} holder=${holder}`,
    )

  describe('a write behind it', () => {
    it('is refused with any token before the Fence was ever raised, with `none` for its own', async () => {
      const answer = await create(as('7'))
      expect(answer).toMatchObject({ status: 403, body: { reason: 'Forbidden' } })
      const { name: refused, causes } = answer.body.details
      const message = byToken(`widgets.${group} "${refused}"`, '7', 'none', 'none')
      expect(answer.body.message).toBe(message)
      expect(causes).toEqual([{ message: message.slice(message.indexOf('ValidatingAdmissionPolicy')) }])
    })

    describe('once raised to 41', () => {
      beforeAll(async () => {
        expect(await raise({ token: 41, holder: HOLDER, lease: 'one' })).toMatchObject({ status: 200 })
        await inForce(41)
      }, WITHIN_MS)

      it.each([
        ['a lower token', '40', HOLDER],
        ['a higher token', '42', HOLDER],
        ['another holder', '41', OTHER],
        ['the canary’s holder', '41', `${HOLDER}/canary`],
      ])('refuses %s, and tells both tokens', async (_what, token, holder) => {
        const answer = await create(as(token, holder))
        expect(answer.status).toBe(403)
        expect(answer.body.message).toBe(byToken(`widgets.${group} "${answer.body.details.name}"`, token, '41', HOLDER))
      })

      it.each([
        ['no token', as(undefined), 'fencepost.dev/token must be one decimal number without leading zeros'],
        [
          'a token with a leading zero',
          as('041'),
          'fencepost.dev/token must be one decimal number without leading zeros',
        ],
        ['a token that is no number', as('4x'), 'fencepost.dev/token must be one decimal number without leading zeros'],
        [
          'a token of 11 digits',
          as('41000000000'),
          'fencepost.dev/token must be one decimal number without leading zeros',
        ],
        ['no holder', as('41', ''), 'fencepost.dev/holder must be one name'],
      ])('refuses %s', async (_what, headers, why) => {
        const answer = await create(headers)
        expect(answer).toMatchObject({ status: 403, body: { reason: 'Forbidden' } })
        const resource = `widgets.${group} "${answer.body.details.name}"`
        const { message } = answer.body
        // Both policies refuse; which of them is named is the server's choice.
        if (!message.includes('fencepost fence-token: '))
          expect(message).toBe(refusal(resource, 'form', 'form', `fencepost fence-form: ${why}`))
      })

      /** The writes of every verb, each on an object of its own, given its headers. */
      const writes: [string, (headers: Record<string, string>) => Promise<Answer>][] = [
        ['a create', headers => create(headers)],
        ['a dry-run create', headers => create(headers, '?dryRun=All')],
        ['an update', async headers => request('PUT', ...(await stored()), headers)],
        [
          'a merge patch',
          async headers => request('PATCH', (await stored())[0], { spec: { size: 2 } }, { ...MERGE, ...headers }),
        ],
        [
          'a patch that changes nothing',
          async headers => request('PATCH', (await stored())[0], {}, { ...MERGE, ...headers }),
        ],
        [
          'a merge patch of the status',
          async headers => {
            const [path] = await stored()
            return request('PATCH', `${path}/status`, { status: { state: 'x' } }, { ...MERGE, ...headers })
          },
        ],
        ['a delete', async headers => remove(headers)],
        ['a dry-run delete', async headers => remove(headers, { dryRun: ['All'] })],
        ['an Event', headers => request('POST', events, event(), headers)],
        ['an Event as v1', headers => request('POST', `/api/v1/namespaces/${namespace}/events`, coreEvent(), headers)],
      ]
      type Stored = [path: string, object: { metadata: { uid: string; resourceVersion: string } }]
      async function stored(): Promise<Stored> {
        const object = await made(widgets, widget(fresh()))
        return [`${widgets}/${object.metadata.name}`, object]
      }
      async function remove(headers: Record<string, string>, more: object = {}): Promise<Answer> {
        const [path, { metadata }] = await stored()
        const { uid, resourceVersion } = metadata
        return request('DELETE', path, { preconditions: { uid, resourceVersion }, ...more }, headers)
      }
      const event = () => ({
        metadata: { name: fresh() },
        eventTime: '2026-11-21T07:05:00.000000Z',
        reportingController: 'fencepost.dev/cleanup',
        reportingInstance: 'fencepost-cleanup',
        action: 'Expire',
        reason: 'ExpiredByTime',
        type: 'Normal',
        regarding: { kind: 'Widget', namespace, name: 'w' },
      })
      const coreEvent = () => ({
        metadata: { name: fresh() },
        involvedObject: { kind: 'Widget', namespace, name: 'w' },
      })

      it.each(writes)('refuses %s with an old token, and lets it through with its own', async (_what, write) => {
        const refused = await write(as('40'))
        expect(refused).toMatchObject({ status: 403, body: { reason: 'Forbidden' } })
        expect(refused.body.message).toContain('fencepost fence-token: token=40 current=41 ')
        expect((await write(as('41'))).status).toSatisfy(status => status === 200 || status === 201)
      })

      it('refuses the deletion of a collection, which is bound to no state, even with its own token', async () => {
        await stored()
        const answer = await request('DELETE', widgets, undefined, as('41'))
        const resource = `widgets.${group} "Unknown"`
        const why = 'fencepost fence-form: a delete needs preconditions.uid and preconditions.resourceVersion'
        expect(answer).toMatchObject({ status: 403, body: { message: refusal(resource, 'form', 'form', why) } })
        expect((await request('DELETE', widgets, undefined, as('40'))).status).toBe(403)
      })

      it.each([
        ['nothing', undefined],
        ['its uid alone', 'uid'],
        ['its resourceVersion alone', 'resourceVersion'],
      ] as const)('refuses a delete that is bound to %s', async (_what, key) => {
        const [path, { metadata }] = await stored()
        const preconditions = key === undefined ? {} : { [key]: metadata[key] }
        const answer = await request('DELETE', path, { preconditions }, as('41'))
        expect(answer).toMatchObject({ status: 403, body: { reason: 'Forbidden' } })
        expect(answer.body.message).toContain(
          'fencepost fence-form: a delete needs preconditions.uid and preconditions.',
        )
        expect(await request('GET', path)).toMatchObject({ status: 200 })
      })

      it('leaves a stale delete, a stale write and an invalid one what they are: 409, 409 and 422', async () => {
        const [path, { metadata }] = await stored()
        const preconditions = { uid: metadata.uid, resourceVersion: '1' }
        expect(await request('DELETE', path, { preconditions }, as('40'))).toMatchObject({ status: 409 })
        const stale = { metadata: { resourceVersion: '1' } }
        expect(await request('PATCH', path, stale, { ...MERGE, ...as('40') })).toMatchObject({ status: 409 })
        const answer = await request('PATCH', path, { spec: { size: 99 } }, { ...MERGE, ...as('40') })
        expect(answer).toMatchObject({ status: 422, body: { reason: 'Invalid' } })
      })

      it('comes before an object that is there already, and after a namespace that is not', async () => {
        const object = widget(fresh())
        await made(widgets, object)
        expect(await request('POST', widgets, object, as('40'))).toMatchObject({ status: 403 })
        expect(await request('POST', widgets, object, as('41'))).toMatchObject({ status: 409 })
        const elsewhere = widgets.replace(`/${namespace}/`, `/${namespace}-none/`)
        expect(await request('POST', elsewhere, widget(fresh()), as('40'))).toMatchObject({ status: 404 })
      })

      it('leaves reads alone, and everybody else', async () => {
        const [path] = await stored()
        for (const headers of [as('40'), as(undefined, '')]) {
          expect(await request('GET', path, undefined, headers)).toMatchObject({ status: 200 })
          expect(await request('GET', widgets, undefined, headers)).toMatchObject({ status: 200 })
        }
        expect(await request('POST', widgets, widget(fresh()))).toMatchObject({ status: 201 })
        const somebody = { 'impersonate-user': 'fencepost:other', 'impersonate-group': 'system:masters' }
        expect(await request('POST', widgets, widget(fresh()), somebody)).toMatchObject({ status: 201 })
        expect(await request('DELETE', path)).toMatchObject({ status: 200 })
      })
    })

    it('can’t be deleted by accident, but with its annotation', async () => {
      const path = `${objects}/${name}`
      const metadata = (value: string | null) => ({
        metadata: { annotations: { 'fencepost.dev/allow-deletion': value } },
      })
      expect(await request('PATCH', path, metadata(null), MERGE)).toMatchObject({ status: 200 })
      const answer = await request('DELETE', path)
      expect(answer).toMatchObject({ status: 403, body: { reason: 'Forbidden' } })
      expect(answer.body.message).toContain(`fences.${fenceGroup} "${name}" is forbidden: `)
      expect(answer.body.message).toContain('denied request: fencepost fence-guard: ')
      expect(await request('DELETE', objects)).toMatchObject({ status: 403 })
      expect(await request('PATCH', path, metadata('true'), MERGE)).toMatchObject({ status: 200 })
      expect(await request('DELETE', `${path}?dryRun=All`)).toMatchObject({ status: 200 })
    })
  })
}
