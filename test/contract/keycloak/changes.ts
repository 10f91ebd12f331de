// What people change in the console, and what is answered afterwards.

import { describe, expect, it } from 'vitest'
import { idOf } from './realm.ts'
import type { Suite } from './suite.ts'

/** Renamed groups, memberships that come and go. */
export function describeChanges({ ask }: Suite): void {
  const change = (method: string, path: string, body?: object) =>
    ask('administrator', path, { method, ...(body && { body: JSON.stringify(body) }) })
  const searched = async (name: string) =>
    (await ask('fencepost', `/groups?search=${name}&exact=true`)).body.map(({ id }: { id: string }) => id)
  const members = async (path: string) =>
    (await ask('fencepost', `/groups/${idOf(path)}/members`)).body.map(
      ({ username, enabled }: { username: string; enabled: boolean }) => `${username}${enabled ? '' : '*'}`,
    )

  describe('a change', () => {
    it('of a group’s name leaves its id and its members, and nothing under the old name', async () => {
      const path = `/groups/${idOf('/before-renaming')}`
      expect(await change('PUT', path, { name: 'after-renaming' })).toMatchObject({ status: 204 })
      expect(await searched('before-renaming')).toEqual([])
      expect(await searched('after-renaming')).toEqual([idOf('/before-renaming')])
      expect((await ask('fencepost', path)).body.path).toBe('/after-renaming')
      expect(await members('/before-renaming')).toEqual(['ada'])
    })

    it('of memberships shows at once, and twice is as once', async () => {
      const membership = (user: string) => `/users/${idOf(`user ${user}`)}/groups/${idOf('/changing')}`
      for (let time = 0; time < 2; time++) expect(await change('PUT', membership('hal'))).toMatchObject({ status: 204 })
      expect(await members('/changing')).toEqual(['gus', 'hal'])
      expect(await change('DELETE', membership('gus'))).toMatchObject({ status: 204 })
      expect(await members('/changing')).toEqual(['hal'])
    })

    it('disables a person', async () => {
      const person = { username: 'hal', email: 'hal@example.com', enabled: false }
      expect(await change('PUT', `/users/${idOf('user hal')}`, person)).toMatchObject({ status: 204 })
      expect(await members('/changing')).toEqual(['hal*'])
    })

    it('takes a group away', async () => {
      const path = `/groups/${idOf('/changing')}`
      expect(await change('DELETE', path)).toMatchObject({ status: 204 })
      expect(await ask('fencepost', path)).toMatchObject({ status: 404 })
      expect(await searched('changing')).toEqual([])
      expect(await change('DELETE', path)).toMatchObject({ status: 404 })
    })

    it.each<[string, string, string, number, object | undefined]>([
      ['to a name that a sibling has', 'administrator', 'PUT', 409, { name: 'north' }],
      ['to no name', 'administrator', 'PUT', 400, { name: '' }],
      ['by who may only view', 'fencepost', 'PUT', 403, { name: 'mine' }],
      ['by who may only view', 'fencepost', 'DELETE', 403, undefined],
    ])('is refused %s (%s %s)', async (_what, client, method, status, body) => {
      const sent = { method, ...(body && { body: JSON.stringify(body) }) }
      expect(await ask(client, `/groups/${idOf('/empty')}`, sent)).toMatchObject({ status })
    })
  })
}
