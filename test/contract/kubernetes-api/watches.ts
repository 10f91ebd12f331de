// Watches.

import { describe, expect, it } from 'vitest'
import type { Answer } from './http.ts'
import { MERGE, type Suite } from './suite.ts'

/** Tells it of the server of `suite`. */
export function describeWatches(suite: Suite): void {
  const { widgets, leases, request, fresh, lease, widget, made } = suite

  describe('watches', () => {
    const lines = (answer: Answer) =>
      answer.text
        .split('\n')
        .filter(line => line !== '')
        .map(line => JSON.parse(line))

    it('tell every change since a resourceVersion, and of a selection what enters and leaves it', async () => {
      const { metadata } = (await request('GET', `${widgets}?limit=1`)).body
      const name = fresh()
      await made(widgets, widget(name, { color: 'red' }))
      await request('PATCH', `${widgets}/${name}`, { spec: { color: 'blue' } }, MERGE)
      await request('DELETE', `${widgets}/${name}`)
      const since = `watch=1&timeoutSeconds=1&resourceVersion=${metadata.resourceVersion}`
      const [all, red] = await Promise.all([
        request('GET', `${widgets}?${since}&fieldSelector=metadata.name%3D${name}`),
        request('GET', `${widgets}?${since}&fieldSelector=spec.color%3Dred,metadata.name%3D${name}`),
      ])
      expect(lines(all).map(event => event.type)).toEqual(['ADDED', 'MODIFIED', 'DELETED'])
      expect(lines(red).map(event => event.type)).toEqual(['ADDED', 'DELETED'])
      expect(lines(all)[1].object).toMatchObject({ kind: 'Widget', spec: { color: 'blue' } })
    })

    it('tell what happens while they are open', async () => {
      const { metadata } = (await request('GET', `${leases}?limit=1`)).body
      const name = fresh()
      const selected = `fieldSelector=metadata.name%3D${name}&resourceVersion=${metadata.resourceVersion}`
      const watching = request('GET', `${leases}?watch=1&timeoutSeconds=1&${selected}`)
      await request('GET', '/readyz')
      await made(leases, lease(name))
      await request('DELETE', `${leases}/${name}`)
      expect(lines(await watching).map(event => event.type)).toEqual(['ADDED', 'DELETED'])
    })
  })
}
