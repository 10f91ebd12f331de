// Lists: pages of one snapshot, selectors, tables.

import { beforeAll, describe, expect, it } from 'vitest'
import type { Answer } from './http.ts'
import type { Suite } from './suite.ts'

/** Tells it of the server of `suite`. */
export function describeLists(suite: Suite): void {
  const { group, namespace, widgets, leases, request, widget, made } = suite

  describe('lists', () => {
    const path = `/apis/${group}/v1/namespaces/${namespace}/widgets`
    const names = (answer: Answer) =>
      answer.body.items.map((item: { metadata: { name: string } }) => item.metadata.name)
    const page = (query: string) => request('GET', `${path}?labelSelector=lists&${query}`)

    beforeAll(async () => {
      for (const [at, size] of [3, 1, 2, 5, 4].entries()) {
        await made(
          widgets,
          widget(
            `list-${size}`,
            { size, color: size % 2 === 0 ? 'even' : 'odd' },
            { labels: { lists: 'yes', at: String(at) } },
          ),
        )
      }
    })

    it('come in the order of names, with kind and version of the list', async () => {
      const answer = await page('limit=50')
      expect(names(answer)).toEqual(['list-1', 'list-2', 'list-3', 'list-4', 'list-5'])
      expect(answer.body).toMatchObject({
        kind: 'WidgetList',
        apiVersion: `${group}/v1`,
        metadata: { resourceVersion: expect.stringMatching(/^\d+$/) },
      })
    })

    it('go on from their token at the same snapshot, whatever changes between the pages', async () => {
      const first = await request('GET', `${path}?limit=2&fieldSelector=spec.color!%3D`)
      const token = first.body.metadata.continue
      const added = await made(widgets, widget('list-9', { color: 'odd' }, { labels: { lists: 'late' } }))
      const seen = [...names(first)]
      for (let next = token; next !== ''; ) {
        const answer = await request('GET', `${path}?limit=2&fieldSelector=spec.color!%3D&continue=${next}`)
        expect(answer.body.metadata.resourceVersion).toBe(first.body.metadata.resourceVersion)
        seen.push(...names(answer))
        next = answer.body.metadata.continue ?? ''
      }
      expect(seen).not.toContain(added.metadata.name)
      expect(seen.filter(name => name.startsWith('list-'))).toEqual(['list-1', 'list-2', 'list-3', 'list-4', 'list-5'])
      await request('DELETE', `${widgets}/list-9`)
    })

    it('tell how many remain only when nothing is filtered', async () => {
      const all = (await request('GET', path)).body.items.length
      expect((await request('GET', `${path}?limit=2`)).body.metadata.remainingItemCount).toBe(all - 2)
      expect((await page('limit=2')).body.metadata.remainingItemCount).toBeUndefined()
    })

    it('select by the fields the definition names, and refuse others with 400', async () => {
      expect(names(await page('fieldSelector=spec.color%3Deven'))).toEqual(['list-2', 'list-4'])
      expect(names(await page('fieldSelector=metadata.name%3Dlist-3'))).toEqual(['list-3'])
      const answer = await page('fieldSelector=spec.size%3D1')
      expect(answer).toMatchObject({
        status: 400,
        body: { reason: 'BadRequest', message: 'field label not supported: spec.size' },
      })
      const foreign = await request('GET', `${leases}?fieldSelector=spec.holderIdentity%3Da`)
      expect(foreign).toMatchObject({ status: 400 })
    })

    it.each([
      ['at=1', ['list-1']],
      ['at==1', ['list-1']],
      ['lists,at!=1', ['list-2', 'list-3', 'list-4', 'list-5']],
      ['at in (0,2)', ['list-2', 'list-3']],
      ['lists,at notin (0,2)', ['list-1', 'list-4', 'list-5']],
      ['lists,!gone', ['list-1', 'list-2', 'list-3', 'list-4', 'list-5']],
      ['gone', []],
      ['at>2', ['list-4', 'list-5']],
    ])('select by the labels of «%s»', async (selector, expected) => {
      expect(names(await request('GET', `${path}?labelSelector=${encodeURIComponent(selector)}`))).toEqual(expected)
    })

    it.each(['a b', 'k in low', '-bad=x', 'k=v,'])('refuse the label selector «%s» with 400', async selector => {
      expect(await request('GET', `${path}?labelSelector=${encodeURIComponent(selector)}`)).toMatchObject({
        status: 400,
      })
    })

    it('refuse a token that is none with 400, and one beside a resourceVersion', async () => {
      expect(await page('limit=2&continue=abc')).toMatchObject({ status: 400 })
      const { body } = await page('limit=2')
      expect(await page(`limit=2&resourceVersion=1&continue=${body.metadata.continue}`)).toMatchObject({
        status: 400,
      })
    })

    it('reach over all namespaces without one in the path, and are empty in a namespace that is missing', async () => {
      const everywhere = await request('GET', `/apis/${group}/v1/widgets?labelSelector=lists`)
      expect(names(everywhere)).toEqual(['list-1', 'list-2', 'list-3', 'list-4', 'list-5'])
      expect(names(await request('GET', widgets.replace(namespace, 'nowhere')))).toEqual([])
    })

    it('come as a table with the definition’s columns', async () => {
      const answer = await request('GET', `${path}?labelSelector=at%3D1`, undefined, {
        accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json',
      })
      expect(answer.body.columnDefinitions.map((column: { name: string }) => column.name)).toEqual([
        'Name',
        'Size',
        'State',
        'Age',
      ])
      expect(answer.body.rows[0].cells).toEqual(['list-1', 1, null, expect.stringMatching(/^\d+[smh]/)])
      expect(answer.body.rows[0].object).toMatchObject({
        kind: 'PartialObjectMetadata',
        metadata: { name: 'list-1' },
      })
    })
  })
}
